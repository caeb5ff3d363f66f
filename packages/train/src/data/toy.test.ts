import { describe, expect, test } from "vitest";
import { openToy, toys } from "./toy.ts";

describe.each([
  ["ring8", 8, 2 * Math.sin(Math.PI / 8)],
  ["grid25", 25, 2],
  ["ring5", 5, 0.2 * Math.sin(Math.PI / 5)],
  ["ring10", 10, 2 * Math.sin(Math.PI / 10)],
] as const)("%s", (name, nModes, gap) => {
  const { means, sigma } = toys[name];
  const { x } = openToy(name);
  const nearest = Array.from({ length: x.length / 2 }, (_, i) => {
    const distances = means.map(([mx, my]) =>
      Math.hypot((x[2 * i] ?? 0) - mx, (x[2 * i + 1] ?? 0) - my),
    );
    const distance = Math.min(...distances);
    return { mode: distances.indexOf(distance), distance };
  });

  test("has as many means, each as far from its neighbours as the definition says", () => {
    expect(means.length).toBe(nModes);
    const gaps = means.flatMap(([ax, ay], i) =>
      means.slice(0, i).map(([bx, by]) => Math.hypot(ax - bx, ay - by)),
    );
    expect(Math.min(...gaps)).toBeCloseTo(gap, 12);
  });

  test("fills every mode alike", () => {
    const counts = means.map((_, mode) => nearest.filter((p) => p.mode === mode).length);
    const expected = 100_000 / nModes;
    for (const count of counts)
      expect(Math.abs(count - expected)).toBeLessThan(5 * Math.sqrt(expected));
  });

  test("has the sigma of the definition: 98.9 % within three, as for a perfect sampler", () => {
    const within = nearest.filter((p) => p.distance < 3 * sigma).length / nearest.length;
    expect(Math.abs(within - (1 - Math.exp(-4.5)))).toBeLessThan(0.002);
    const variance = nearest.reduce((sum, p) => sum + p.distance ** 2, 0) / nearest.length / 2;
    expect(Math.abs(Math.sqrt(variance) / sigma - 1)).toBeLessThan(0.01);
  });

  test("is the same every time", () => {
    expect(Buffer.from(openToy(name).x.buffer).equals(Buffer.from(x.buffer))).toBe(true);
  });
});
