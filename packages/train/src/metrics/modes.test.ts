import { describe, expect, test } from "vitest";
import { openToy, toys } from "../data/toy.ts";
import { classScores, klToUniform, mixtureScores, stackedLabels } from "./modes.ts";
import { matrixOf } from "./testing/sets.ts";

describe("mixtures", () => {
  test.each(["ring8", "grid25"] as const)("the points of %s themselves", (name) => {
    const { means, sigma } = toys[name];
    const { x } = openToy(name);
    const samples = { rows: 100_000, cols: 2, data: x };
    const { modes, highQuality, reverseKl, reverseKlAll } = mixtureScores({
      samples,
      means,
      sigma,
    });
    expect(modes).toBe(means.length);
    expect(Math.abs(highQuality - (1 - Math.exp(-4.5)))).toBeLessThan(0.002); // Rayleigh: 0.9889
    expect(reverseKl).toBeLessThan(0.001);
    expect(reverseKlAll).toBeLessThan(0.001);
  });

  const means = [[0, 0], [10, 0]]; // prettier-ignore
  test("three standard deviations are just outside", () => {
    const samples = matrixOf([2.999, 0], [3, 0], [10, -2.9], [10.1, 0]);
    const scores = mixtureScores({ samples, means, sigma: 1 });
    expect(scores).toMatchObject({ modes: 2, highQuality: 0.75 });
    expect([...scores.counts]).toEqual([1, 2]);
    const p = [1 / 3, 2 / 3];
    const kl = p.reduce((s, v) => s + v * Math.log(v * 2), 0);
    expect(scores.reverseKl).toBeCloseTo(kl, 12);
    expect(scores.reverseKlAll).toBe(0);
  });

  test("no sample of high quality: no divergence of those, never NaN", () => {
    const scores = mixtureScores({ samples: matrixOf([5, 5]), means, sigma: 1 });
    expect(scores).toMatchObject({ modes: 0, highQuality: 0, reverseKl: undefined });
    expect(scores.reverseKlAll).toBeCloseTo(Math.log(2), 12);
  });

  test("refuses other coordinates and none", () => {
    expect(() =>
      mixtureScores({ samples: matrixOf([1]), means, sigma: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The samples have 1 coordinates, and the means of the mixture 2.]`,
    );
    const none = { rows: 0, cols: 2, data: new Float32Array(0) };
    expect(() =>
      mixtureScores({ samples: none, means, sigma: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The mode count needs at least 1 generated samples, and there are 0.]`,
    );
  });
});

describe("stacked classes", () => {
  test("three channels of ten make a thousand", () => {
    const labels = stackedLabels({ channels: [[0, 9], [1, 9], [2, 9]], nClasses: 10 }); // prettier-ignore
    expect([...labels]).toEqual([12, 999]);
  });

  test("even classes have divergence 0, one class ln 1000", () => {
    const even = Int32Array.from({ length: 2000 }, (_, i) => i % 1000);
    expect(classScores({ labels: even, nClasses: 1000 })).toMatchObject({ modes: 1000, kl: 0 });
    const one = classScores({ labels: [7, 7, 7], nClasses: 1000 });
    expect(one.modes).toBe(1);
    expect(one.kl).toBeCloseTo(Math.log(1000), 12);
  });

  test("a class without samples adds nothing", () => {
    expect(klToUniform([1, 1, 0, 0])).toBeCloseTo(Math.log(2), 12);
  });

  test("refuses labels out of range, and none", () => {
    expect(() => classScores({ labels: [0, 3], nClasses: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Sample 1 has the class 3; classes are 0 to 2.]`,
    );
    expect(() => classScores({ labels: [], nClasses: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Classes cannot be counted without samples.]`,
    );
  });
});
