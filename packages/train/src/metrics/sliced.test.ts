import { describe, expect, test } from "vitest";
import type { Pictures } from "./pictures.ts";
import { laplacian, slicedDistance } from "./sliced.ts";
import { normalRows } from "./testing/sets.ts";

const few = { pictures: 100, patches: 64, projections: 16 };
const noise = (n: number, side: number, seed: number): Pictures => ({
  shape: [n, 1, side, side],
  data: normalRows({ rows: n, cols: side * side, seed }).data,
});

/** Each pixel the mean of itself and its right neighbour. */
function softened({ shape, data }: Pictures): Pictures {
  return { shape, data: Float64Array.from(data, (v, i) => (v + (data[i + 1] ?? v)) / 2) };
}

describe("the sliced Wasserstein distance", () => {
  test("has a level for each halving down to 16, and their mean", () => {
    const { levels, mean } = slicedDistance({
      real: noise(100, 32, 1),
      fake: noise(100, 32, 2),
      ...few,
    });
    expect(levels.map((l) => l.side)).toEqual([32, 16]);
    expect(mean).toBeCloseTo(levels.reduce((sum, l) => sum + l.distance, 0) / 2, 12);
  });

  test("sees softer pictures at the level where they are soft", () => {
    const real = noise(100, 32, 1);
    const fake = noise(100, 32, 2);
    const finest = (of: Pictures) => slicedDistance({ real, fake: of, ...few }).levels[0]?.distance;
    expect(finest(softened(softened(fake)))).toBeGreaterThan(1.5 * (finest(fake) ?? NaN));
  });

  test("brings channels to variance 1, so it does not see contrast", () => {
    const real = noise(100, 16, 1);
    const weak = { ...real, data: real.data.map((v) => 0.1 * v + 0.5) };
    const plain = slicedDistance({ real, fake: real, ...few }).mean;
    expect(slicedDistance({ real, fake: weak, ...few }).mean).toBeCloseTo(plain, 2);
  });

  test("is what moving sorted points costs, each direction for itself, and says how sure it is", () => {
    const real = noise(60, 16, 1);
    const fake = noise(60, 16, 2);
    const again = slicedDistance({ real, fake, ...few, resamples: 20 });
    expect(again.mean).toBe(slicedDistance({ real, fake, ...few }).mean);
    expect(again.standardError).toBeGreaterThan(0);
    expect(again.standardError).toBeLessThan(again.mean);
    expect(again.pictures).toBe(60);
    // Normal noise with every pixel of a patch equal to v: along u its deviation is |sum of u|.
    const flat: Pictures = {
      shape: [60, 1, 16, 16],
      data: Float64Array.from({ length: 60 * 256 }, (_, i) => (Math.floor(i / 256) - 29.5) / 17.3),
    };
    expect(slicedDistance({ real: flat, fake: flat, ...few }).mean).toBeLessThan(150);
    expect(slicedDistance({ real: flat, fake, ...few }).mean).toBeGreaterThan(300);
  });

  test("refuses small pictures and different sizes", () => {
    expect(() =>
      slicedDistance({ real: noise(2, 8, 1), fake: noise(2, 8, 2) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The sliced Wasserstein distance needs pictures of at least 16 x 16, not 8 x 8.]`,
    );
    expect(() =>
      slicedDistance({ real: noise(2, 16, 1), fake: noise(2, 32, 2) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The sliced Wasserstein distance compares pictures of one size, and the real ones are 1 x 16 x 16, the generated ones 1 x 32 x 32 (channels x height x width).]`,
    );
    const diverged = { ...noise(2, 16, 1), data: new Float32Array(512).fill(NaN) };
    expect(() =>
      slicedDistance({ real: noise(2, 16, 1), fake: diverged }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The sliced Wasserstein distance needs finite pixels. A net that has diverged gives others.]`,
    );
  });
});

test("a Laplacian pyramid of a constant is 0 but for its last level", () => {
  const levels = laplacian({ shape: [1, 1, 64, 64], data: new Float32Array(4096).fill(3) });
  expect(levels.map((l) => l.shape[2])).toEqual([64, 32, 16]);
  expect(levels[0]?.data.every((v: number) => Math.abs(v) < 1e-12)).toBe(true);
  expect(levels[2]?.data.every((v: number) => Math.abs(v - 3) < 1e-12)).toBe(true);
});
