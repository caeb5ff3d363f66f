import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { frechetDistance, frechetOfMoments } from "./frechet.ts";
import { kernelDistance } from "./kernel.ts";
import type { Matrix } from "./matrix.ts";
import { mergeMoments, momentsOf } from "./moments.ts";
import { neighbourScores } from "./neighbours.ts";

/* The same features by numpy, scipy, scikit-learn and mpmath: scripts/golden/metrics.py. */

interface Whole {
  readonly rows: number;
  readonly cols: number;
  readonly data: readonly number[];
}
interface Golden {
  readonly grid: number;
  readonly sets: Record<string, Record<string, number> & { real: Whole; fake: Whole }>;
}
const path = `${import.meta.dirname}/../../../../test/golden/metrics.json`;
const { grid, sets } = JSON.parse(readFileSync(path, "utf8")) as Golden;

const matrix = ({ rows, cols, data }: Whole): Matrix => ({
  rows,
  cols,
  data: Float64Array.from(data, (v) => v / grid),
});

function expectClose(got: number, want: number | undefined, tolerance: number): void {
  expect(Math.abs(got - (want ?? NaN)) / Math.abs(want ?? NaN), `${got}, not ${want}`).toBeLessThan(
    tolerance,
  );
}

describe.each(Object.entries(sets))("%s", (_, golden) => {
  const real = matrix(golden.real);
  const fake = matrix(golden.fake);

  test("Fréchet distance", () => {
    expectClose(frechetDistance({ real, fake }), golden.frechet, 1e-9);
    expectClose(frechetDistance({ real: fake, fake: real }), golden.frechet, 1e-9);
  });

  test("Fréchet distance from moments of parts", () => {
    const inParts = (m: Matrix) => {
      const at = 3 * m.cols;
      return mergeMoments(
        momentsOf({ ...m, rows: 3, data: m.data.slice(0, at) }),
        momentsOf({ ...m, rows: m.rows - 3, data: m.data.slice(at) }),
      );
    };
    expectClose(
      frechetOfMoments({ real: inParts(real), fake: inParts(fake) }),
      golden.frechet,
      1e-6,
    );
  });

  test("kernel distance", () => {
    const n = Math.min(real.rows, fake.rows);
    const first = (m: Matrix) => ({ ...m, rows: n, data: m.data.slice(0, n * m.cols) });
    const { distance, subsets } = kernelDistance({ real: first(real), fake: first(fake) });
    expectClose(distance, golden.kernel, 1e-9);
    expect(subsets).toBe(1);
  });

  test("precision, recall, density, coverage", () => {
    const { rows: _, ...scores } = neighbourScores({ real, fake });
    for (const [name, score] of Object.entries(scores)) {
      expect(score, name).toBeCloseTo(golden[name] ?? NaN, 12);
    }
  });
});
