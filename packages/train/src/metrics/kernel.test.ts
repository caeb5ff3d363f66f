import { describe, expect, test } from "vitest";
import { kernelDistance } from "./kernel.ts";
import { matrixOf, normalRows } from "./testing/sets.ts";

describe("the kernel distance", () => {
  test("of two samples of one distribution is about 0, on either side of it", () => {
    const distances = Array.from({ length: 12 }, (_, i) => {
      const real = normalRows({ rows: 300, cols: 8, seed: 2 * i });
      const fake = normalRows({ rows: 300, cols: 8, seed: 2 * i + 1 });
      return kernelDistance({ real, fake }).distance;
    });
    expect(Math.min(...distances)).toBeLessThan(0);
    expect(Math.max(...distances)).toBeGreaterThan(0);
    expect(distances.every((d) => Math.abs(d) < 0.05)).toBe(true);
  });

  test("of a set and itself is below 0: a row's pair with its copy counts in one sum only", () => {
    const set = normalRows({ rows: 200, cols: 8, seed: 1 });
    const { distance } = kernelDistance({ real: set, fake: set });
    expect(distance).toBeLessThan(0);
    expect(distance).toBeGreaterThan(-0.1);
  });

  test("by hand: rows 0, 2 and 1, 1", () => {
    // Within: k(0, 2) = 1 and k(1, 1) = 8; across: k(0, 1) = 1 twice and k(2, 1) = 27 twice.
    const { distance } = kernelDistance({ real: matrixOf([0], [2]), fake: matrixOf([1], [1]) });
    expect(distance).toBe(1 + 8 - (2 * 56) / 4);
  });

  test("over subsets is near that of all, and follows from the seed", () => {
    const real = normalRows({ rows: 400, cols: 4, seed: 1 });
    const fake = normalRows({ rows: 500, cols: 4, seed: 2, mean: 1 });
    const subsets = { real, fake, subsets: 40, subsetSize: 100 };
    const result = kernelDistance(subsets);
    const whole = kernelDistance({ real, fake, subsets: 1, subsetSize: 400 }).distance;
    expect(result).toMatchObject({ subsets: 40, subsetSize: 100 });
    expect(Math.abs(result.distance - whole) / whole).toBeLessThan(0.1);
    expect(result.standardDeviation).toBeGreaterThan(0);
    expect(kernelDistance(subsets)).toEqual(result);
    expect(kernelDistance({ ...subsets, seed: 1 }).distance).not.toBe(result.distance);
  });

  test("refuses too few samples, and no subsets", () => {
    const [one, two] = [matrixOf([1]), matrixOf([1], [2])];
    expect(() => kernelDistance({ real: one, fake: two })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The kernel distance needs at least 2 real samples, and there is 1.]`,
    );
    expect(() =>
      kernelDistance({ real: two, fake: two, subsetSize: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The kernel distance needs at least 1 subset of at least 2 samples, not 100 of 1.]`,
    );
  });
});
