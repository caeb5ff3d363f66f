import { describe, expect, test } from "vitest";
import { frechetByClass, frechetDistance, frechetOfMoments } from "./frechet.ts";
import { mergeMoments, momentsOf } from "./moments.ts";
import { matrixOf, normalRows } from "./testing/sets.ts";

describe("the Fréchet distance", () => {
  test("of N(0, I) and N(m, s^2 I) is |m|^2 + d (1 - s)^2", () => {
    const real = normalRows({ rows: 10_000, cols: 4, seed: 1 });
    const fake = normalRows({ rows: 10_000, cols: 4, seed: 2, mean: 0.5, sigma: 1.5 });
    const want = 4 * 0.25 + 4 * 0.25;
    expect(Math.abs(frechetDistance({ real, fake }) - want)).toBeLessThan(0.15);
  });

  test("is exactly |m|^2 + d (1 - s)^2 where the fakes are the real rows, scaled and moved", () => {
    const real = normalRows({ rows: 100, cols: 6, seed: 3 });
    const at = momentsOf(real);
    const data = Float64Array.from(real.data, (v, i) => {
      const mean = at.mean[i % 6] ?? 0;
      return mean + 2 * (v - mean) + 3;
    });
    const trace = [0, 7, 14, 21, 28, 35].reduce((s, i) => s + (at.scatter[i] ?? 0), 0) / 99;
    const got = frechetDistance({ real, fake: { ...real, data } });
    expect(got).toBeCloseTo(6 * 9 + trace * (1 - 2) ** 2, 10);
  });

  test("of a set and itself is 0, whether it fills the space or not", () => {
    for (const rows of [5, 30, 200]) {
      const set = normalRows({ rows, cols: 30, seed: rows });
      expect(frechetDistance({ real: set, fake: set })).toBeLessThan(1e-12);
      const moments = momentsOf(set);
      expect(frechetOfMoments({ real: moments, fake: moments })).toBeLessThan(1e-12);
    }
  });

  test("of identical fakes is regular: their covariance is 0", () => {
    const real = matrixOf([0, 0], [2, 0], [0, 2], [2, 2]);
    const fake = matrixOf([1, 1], [1, 1], [1, 1]);
    expect(frechetDistance({ real, fake })).toBeCloseTo(8 / 3, 12);
    expect(frechetDistance({ real: fake, fake })).toBe(0);
  });

  test("is that of moments merged from parts", () => {
    const [real, fake] = [1, 2].map((seed) => normalRows({ rows: 700, cols: 20, seed, mean: 5 }));
    if (real === undefined || fake === undefined) throw new TypeError("two sets");
    const part = (from: number, to: number) =>
      momentsOf({ rows: to - from, cols: 20, data: real.data.subarray(20 * from, 20 * to) });
    const merged = [part(1, 300), part(300, 301), part(301, 700)].reduce(mergeMoments, part(0, 1));
    const whole = momentsOf(real);
    expect(merged.rows).toBe(700);
    merged.scatter.forEach((v, i) => expect(v).toBeCloseTo(whole.scatter[i] ?? NaN, 9));
    const distance = frechetOfMoments({ real: merged, fake: momentsOf(fake) });
    expect(distance).toBeCloseTo(frechetDistance({ real, fake }), 10);
  });

  test("keeps finite at the ends of float32", () => {
    for (const sigma of [1e37, 1e-37]) {
      const real = normalRows({ rows: 40, cols: 3, seed: 1, sigma });
      const fake = normalRows({ rows: 40, cols: 3, seed: 2, sigma });
      const unit = frechetDistance({
        real: normalRows({ rows: 40, cols: 3, seed: 1 }),
        fake: normalRows({ rows: 40, cols: 3, seed: 2 }),
      });
      expect(frechetDistance({ real, fake }) / sigma / sigma / unit).toBeCloseTo(1, 4);
    }
  });

  test("by class sees labels that the whole does not", () => {
    const real = matrixOf([0], [1], [10], [11]);
    const realLabels = [0, 0, 1, 1];
    const right = frechetByClass({
      real,
      fake: real,
      realLabels,
      fakeLabels: realLabels,
      nClasses: 2,
    });
    expect(right).toEqual({ byClass: [0, 0], mean: 0 });
    const swapped = { real, fake: real, realLabels, fakeLabels: [1, 1, 0, 0], nClasses: 2 };
    expect(frechetByClass(swapped).mean).toBeCloseTo(100, 12);
    expect(frechetDistance({ real, fake: real })).toBeLessThan(1e-12);
  });

  test("refuses what has no covariance", () => {
    const [one, two] = [matrixOf([1, 2]), matrixOf([1, 2], [3, 4])];
    expect(() => frechetDistance({ real: two, fake: one })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Fréchet distance needs at least 2 generated samples, and there is 1.]`,
    );
    expect(() =>
      frechetOfMoments({ real: momentsOf(one), fake: momentsOf(two) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Fréchet distance needs at least 2 real samples, and there is 1.]`,
    );
    const diverged = momentsOf(matrixOf([NaN, 2], [3, 4]));
    expect(() =>
      frechetOfMoments({ real: momentsOf(two), fake: diverged }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Fréchet distance needs finite numbers, and the generated samples have others. A net that has diverged gives such numbers.]`,
    );
    const four = matrixOf([1], [2], [3], [4]);
    const labelled = { real: four, fake: four, realLabels: [0, 0, 1, 1], nClasses: 2 };
    expect(() =>
      frechetByClass({ ...labelled, fakeLabels: [0, 0, 0, 1] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Fréchet distance of class 1 needs at least 2 generated samples, and there is 1.]`,
    );
    expect(() =>
      frechetByClass({ ...labelled, fakeLabels: [] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Fréchet distance by class needs a label for each sample, and there are 0 labels for 4 generated samples.]`,
    );
    expect(() =>
      frechetByClass({ ...labelled, fakeLabels: [0, 0, 1, 2] }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Sample 3 of the generated ones has the label 2; classes are 0 to 1.]`,
    );
  });
});
