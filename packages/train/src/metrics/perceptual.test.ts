import { describe, expect, test } from "vitest";
import { matrixOf, normalRows } from "./testing/sets.ts";
import { pathLength, perceptualDistance, pointsBetween } from "./perceptual.ts";
import type { Pictures } from "./pictures.ts";

const layer = (...values: number[]): Pictures => ({
  shape: [1, 2, 1, values.length / 2],
  data: Float64Array.from(values),
});

describe("perceptual distance", () => {
  test("compares directions, not lengths, and sums layers", () => {
    const [east, north] = [layer(3, 0), layer(0, 5)];
    expect(perceptualDistance([{ a: east, b: layer(7, 0) }])[0]).toBeCloseTo(0, 12);
    expect(perceptualDistance([{ a: east, b: north }])[0]).toBeCloseTo(2, 8);
    const weighted = { a: east, b: north, weights: [0.5, 0] };
    expect(perceptualDistance([weighted, { a: east, b: north }])[0]).toBeCloseTo(2.5, 8);
  });

  test("is the mean over places, and regular where nothing is active", () => {
    const a = layer(1, 0, 0, 0); // channel 0 at two places, channel 1 at two places
    const b = layer(0, 0, 1, 0);
    expect(perceptualDistance([{ a, b }])[0]).toBeCloseTo(1, 8);
  });

  test("refuses other shapes and what is not finite", () => {
    expect(() =>
      perceptualDistance([{ a: layer(1, 2), b: layer(1, 2, 3, 4) }]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The perceptual distance compares activations of one shape, and layer 0 has 1 x 2 x 1 x 1 and 1 x 2 x 1 x 2.]`,
    );
    expect(() =>
      perceptualDistance([{ a: layer(1, 2), b: layer(NaN, 2) }]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The perceptual distance needs finite activations, and those of pair 0 are not. A net that has diverged gives others.]`,
    );
    expect(() => perceptualDistance([])).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The perceptual distance needs at least 1 layer of 1 pair.]`,
    );
  });
});

describe("path length", () => {
  /** Squared distance of the latents themselves, as if G and the network were the identity. */
  const identity = async (
    a: { rows: number; cols: number; data: ArrayLike<number> },
    b: typeof a,
  ) =>
    Array.from({ length: a.rows }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < a.cols; j++) {
        sum += ((a.data[i * a.cols + j] ?? 0) - (b.data[i * a.cols + j] ?? 0)) ** 2;
      }
      return sum;
    });

  test("of the identity along a line is the squared length of the line", async () => {
    const from = matrixOf([0, 0], [1, 1]);
    const to = matrixOf([3, 4], [4, 5]);
    const path = { from, to, along: "lerp", distance: identity } as const;
    expect((await pathLength({ ...path, sampling: "full" })).mean).toBeCloseTo(25, 6);
    expect((await pathLength({ ...path, sampling: "end" })).mean).toBeCloseTo(25, 6);
  });

  test("of the identity along an arc is the squared angle", async () => {
    const path = { from: matrixOf([1, 0]), to: matrixOf([0, 1]), along: "slerp" } as const;
    const { mean } = await pathLength({ ...path, sampling: "full", distance: identity });
    expect(mean).toBeCloseTo((Math.PI / 2) ** 2, 5);
  });

  test("leaves out the outermost hundredths", async () => {
    const from = normalRows({ rows: 200, cols: 2, seed: 1 });
    const distance = async () => Array.from({ length: 200 }, (_, i) => (i === 0 ? 1e6 : 1) * 1e-8);
    const { mean } = await pathLength({ from, to: from, along: "lerp", sampling: "end", distance });
    expect(mean).toBeCloseTo(1, 6);
  });

  test("an arc from a latent to itself stays there", () => {
    const from = matrixOf([3, 4]);
    const points = pointsBetween({ from, to: from, along: "slerp", t: [0.5], shift: 0 });
    expect(points.data[0]).toBeCloseTo(3, 7);
    expect(points.data[1]).toBeCloseTo(4, 7);
  });

  test("refuses latents of different shapes and distances that are not finite", async () => {
    const from = matrixOf([1, 2]);
    const path = { from, along: "lerp", sampling: "end", distance: async () => [NaN] } as const;
    await expect(
      pathLength({ ...path, to: matrixOf([1]) }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: The path length goes from one latent to another, and there are 1 x 2 and 1 x 1.]`,
    );
    await expect(pathLength({ ...path, to: from })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: The path length needs finite distances, and that of path 0 is NaN.]`,
    );
  });
});
