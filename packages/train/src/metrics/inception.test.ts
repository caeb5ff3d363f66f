import { describe, expect, test } from "vitest";
import { inceptionScore } from "./inception.ts";
import { matrixOf } from "./testing/sets.ts";

const oneHots = (rows: number, classes: number) =>
  matrixOf(
    ...Array.from({ length: rows }, (_, i) =>
      Array.from({ length: classes }, (_, c) => (i % classes === c ? 1 : 0)),
    ),
  );

describe("the Inception Score", () => {
  test("is 1 for constant predictions", () => {
    const rows = Array.from({ length: 20 }, () => [0.2, 0.3, 0.5]);
    expect(inceptionScore({ probabilities: matrixOf(...rows), splits: 2 }).mean).toBeCloseTo(1, 12);
  });

  test("is the number of classes for sure predictions of every class equally often", () => {
    const { mean, standardDeviation } = inceptionScore({ probabilities: oneHots(70, 7) });
    expect(mean).toBeCloseTo(7, 12);
    expect(standardDeviation).toBeCloseTo(0, 12);
  });

  test("takes the marginal within each split: sorted classes look like collapse", () => {
    const sorted = matrixOf([1, 0], [1, 0], [0, 1], [0, 1]);
    expect(inceptionScore({ probabilities: sorted, splits: 2 }).mean).toBe(1);
    expect(inceptionScore({ probabilities: sorted, splits: 1 }).mean).toBeCloseTo(2, 12);
  });

  test("uses every row when the splits are uneven", () => {
    const probabilities = matrixOf([1, 0], [1, 0], [0, 1]);
    const { mean } = inceptionScore({ probabilities, splits: 2 });
    expect(mean).toBeCloseTo((1 + 2) / 2, 12);
  });

  test("refuses what are no probabilities, and too few", () => {
    expect(() =>
      inceptionScore({ probabilities: matrixOf([3, -2]), splits: 1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Inception Score needs probabilities, and row 0 sums to 1 with a least value of -2. Take the classifier's output after its softmax.]`,
    );
    expect(() =>
      inceptionScore({ probabilities: matrixOf([1, 0]) }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Inception Score needs at least 10 generated samples, and there is 1.]`,
    );
    expect(() =>
      inceptionScore({ probabilities: matrixOf([1, 0]), splits: 0 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The Inception Score takes at least 1 split, not 0.]`,
    );
  });
});
