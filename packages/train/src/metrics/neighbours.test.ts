import { describe, expect, test } from "vitest";
import { nearestDistances, neighbourScores } from "./neighbours.ts";
import { matrixOf, normalRows } from "./testing/sets.ts";

describe("precision, recall, density and coverage", () => {
  test("of a set and itself, without ties, are exactly 1", () => {
    for (const cols of [2, 31]) {
      const set = normalRows({ rows: 300, cols, seed: 4 });
      const { rows: _, ...scores } = neighbourScores({ real: set, fake: set });
      expect(scores).toEqual({ precision: 1, recall: 1, density: 1, coverage: 1 });
    }
  });

  test("of sets far apart are 0", () => {
    const real = normalRows({ rows: 50, cols: 3, seed: 1 });
    const fake = normalRows({ rows: 60, cols: 3, seed: 2, mean: 100 });
    const { rows: _, ...scores } = neighbourScores({ real, fake });
    expect(scores).toEqual({ precision: 0, recall: 0, density: 0, coverage: 0 });
  });

  test("of normal points of many dimensions are those of the authors of density and coverage", () => {
    // They publish P .48, R .47, D 1.06, C .97 for 10,000 points of 1,000 dimensions; these are fewer.
    const real = normalRows({ rows: 1000, cols: 64, seed: 1 });
    const fake = normalRows({ rows: 1000, cols: 64, seed: 2 });
    const { density, coverage } = neighbourScores({ real, fake });
    expect(Math.abs(density - 1)).toBeLessThan(0.1);
    expect(Math.abs(coverage - (1 - 2 ** -5))).toBeLessThan(0.03); // Naeem et al., Eq. 8
  });

  test("a generator stuck in one place is precise and recalls nothing", () => {
    const real = normalRows({ rows: 100, cols: 2, seed: 1 });
    const fake = { rows: 40, cols: 2, data: new Float32Array(80) };
    const { precision, recall, coverage } = neighbourScores({ real, fake });
    expect(precision).toBe(1);
    expect(recall).toBe(0);
    expect(coverage).toBeLessThan(0.2);
  });

  test("ties and copies: the border belongs to the ball for precision, not for density", () => {
    // Each point of the line 0 1 2 3 has its first neighbour at distance 1.
    const real = matrixOf([0], [1], [2], [3]);
    const fake = matrixOf([-1], [1.5]);
    const scores = neighbourScores({ real, fake, kPrecision: 1, kDensity: 1 });
    expect([...scores.rows.precision]).toEqual([1, 1]); // -1 lies on the border of 0
    expect([...scores.rows.density]).toEqual([0, 2]);
    expect([...scores.rows.coverage]).toEqual([0, 1, 1, 0]);
    expect([...scores.rows.recall]).toEqual([1, 1, 1, 1]); // both reach 2.5
    // Copies have radius 0, which holds only more copies, and for density nothing.
    const copies = matrixOf([0], [0], [5], [5]);
    const among = neighbourScores({
      ...{ real: copies, fake: matrixOf([0], [0.1]), kPrecision: 1, kDensity: 1 },
    });
    expect([...among.rows.precision]).toEqual([1, 0]);
    expect(among.density).toBe(0);
  });

  test("nearest distances, rising, by hand", () => {
    expect([...nearestDistances(matrixOf([0], [1], [3]), 2)]).toEqual([1, 9, 1, 4, 4, 9]);
  });

  test("refuses too few samples, and real ones that are all the same", () => {
    const few = normalRows({ rows: 5, cols: 2, seed: 1 });
    const enough = normalRows({ rows: 6, cols: 2, seed: 1 });
    const same = { rows: 6, cols: 2, data: new Float32Array(12) };
    expect(() => neighbourScores({ real: enough, fake: few })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The measure of precision and recall needs at least 6 generated samples, and there are 5.]`,
    );
    expect(() => neighbourScores({ real: same, fake: enough })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The measure of precision and recall needs real samples that differ, and all 6 are the same.]`,
    );
    expect(() =>
      neighbourScores({ real: enough, fake: enough, kDensity: 0 }),
    ).toThrowErrorMatchingInlineSnapshot(`[UserError: Neighbours are counted from 1; k is 0.]`);
  });
});
