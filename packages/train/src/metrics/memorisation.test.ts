import { describe, expect, test } from "vitest";
import { memorisation, nearestNeighbourAccuracy } from "./memorisation.ts";
import { matrixOf, normalRows } from "./testing/sets.ts";

const train = normalRows({ rows: 300, cols: 4, seed: 1 });
const heldOut = normalRows({ rows: 200, cols: 4, seed: 2 });
const fresh = normalRows({ rows: 200, cols: 4, seed: 3 });

describe("memorisation", () => {
  test("new samples are as near to the one as to the other", () => {
    const { ratio, nearerToTrain, copies, compared } = memorisation({
      fake: fresh,
      train,
      heldOut,
    });
    expect(compared).toBe(200);
    expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
    expect(Math.abs(nearerToTrain - 0.5)).toBeLessThan(0.1);
    expect(copies).toBe(0);
  });

  test("noisy copies give themselves away, whole copies more so", () => {
    const noise = normalRows({ rows: 200, cols: 4, seed: 4, sigma: 0.05 }).data;
    const seen = { rows: 200, cols: 4, data: train.data.subarray(0, 800) };
    const noisy = { ...seen, data: seen.data.map((v, i) => v + (noise[i] ?? 0)) };
    const sets = { train: seen, heldOut };
    const result = memorisation({ ...sets, fake: noisy });
    expect(result.ratio).toBeLessThan(0.3);
    expect(result.nearerToTrain).toBeGreaterThan(0.95);
    expect(memorisation({ ...sets, fake: seen })).toMatchObject({ ratio: 0, copies: 1 });
    // Copies are found in all of the training set, though only 200 rows of it are compared.
    expect(memorisation({ fake: train, train, heldOut }).copies).toBe(1);
  });

  test("by hand, with distances of 0 on both sides", () => {
    const result = memorisation({
      ...{ fake: matrixOf([0], [1], [4]), train: matrixOf([0], [1]), heldOut: matrixOf([0], [2]) },
    });
    expect(result).toEqual({
      ...{ ratio: 1, nearerToTrain: 1.5 / 3, copies: 2 / 3, compared: 2 },
      parts: Float64Array.of(0.5, 0, 0.6),
    });
  });

  test("refuses the training set as held out", () => {
    expect(() =>
      memorisation({ fake: fresh, train, heldOut: train }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The test for memorisation needs real samples that were held out of training, and these are the training samples.]`,
    );
    expect(() =>
      memorisation({ fake: fresh, train, heldOut: matrixOf([1]) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The test for memorisation compares the same features, and the real samples have 1 of them, the generated ones 4. Take both from one network.]`,
    );
  });
});

describe("nearest-neighbour accuracy", () => {
  test("is about a half for one distribution, 1 for two that lie apart, 0 for copies", () => {
    const same = nearestNeighbourAccuracy({ real: train, fake: fresh });
    expect(Math.abs(same.accuracy - 0.5)).toBeLessThan(0.08);
    expect(same.compared).toBe(200);
    const far = normalRows({ rows: 200, cols: 4, seed: 5, mean: 50 });
    expect(nearestNeighbourAccuracy({ real: heldOut, fake: far }).accuracy).toBe(1);
    expect(nearestNeighbourAccuracy({ real: heldOut, fake: heldOut }).accuracy).toBe(0);
  });

  test("a tie counts half", () => {
    const scores = nearestNeighbourAccuracy({ real: matrixOf([0], [2]), fake: matrixOf([1], [4]) });
    // 0 is nearest to fake 1; 2 to fake 1; 1 to both reals; 4 to real 2.
    expect(scores).toMatchObject({ real: 0, fake: 0 });
    const tied = nearestNeighbourAccuracy({ real: matrixOf([0], [2]), fake: matrixOf([-2], [9]) });
    expect(tied).toMatchObject({ real: 0.75, fake: 0 });
  });
});
