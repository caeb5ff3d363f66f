import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { frechetDistance, frechetOfMoments } from "./frechet.ts";
import { inceptionScore } from "./inception.ts";
import { kernelDistance } from "./kernel.ts";
import type { Matrix } from "./matrix.ts";
import { nearestNeighbourAccuracy } from "./memorisation.ts";
import { mergeMoments, momentsOf } from "./moments.ts";
import { neighbourScores } from "./neighbours.ts";
import { psnr } from "./pictures.ts";
import { laplacian } from "./sliced.ts";
import { msSsim, ssim } from "./ssim.ts";

/* The same features by numpy, scipy, scikit-learn and mpmath: scripts/golden/metrics.py. */

interface Whole {
  readonly rows: number;
  readonly cols: number;
  readonly data: readonly number[];
}
interface Golden {
  readonly grid: number;
  readonly sets: Record<string, Record<string, number> & { real: Whole; fake: Whole }>;
  readonly inception: { probabilities: number[]; cols: number; splits: number[] };
  readonly pictures: { shape: [number, number, number, number] } & Record<
    "x" | "y" | "ssim" | "msSsim" | "psnr" | "laplacian",
    number[]
  >;
}
const path = `${import.meta.dirname}/../../../../test/golden/metrics.json`;
const { grid, sets, inception, pictures } = JSON.parse(readFileSync(path, "utf8")) as Golden;

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

  test("nearest-neighbour accuracy", () => {
    const n = Math.min(real.rows, fake.rows);
    const first = (m: Matrix) => ({ ...m, rows: n, data: m.data.slice(0, n * m.cols) });
    const { accuracy } = nearestNeighbourAccuracy({ real: first(real), fake: first(fake) });
    expect(accuracy).toBeCloseTo(golden["nearestAccuracy"] ?? NaN, 12);
  });

  test("precision, recall, density, coverage", () => {
    const { rows: _, ...scores } = neighbourScores({ real, fake });
    for (const [name, score] of Object.entries(scores)) {
      expect(score, name).toBeCloseTo(golden[name] ?? NaN, 12);
    }
  });
});

test("Inception Score", () => {
  const { cols, splits } = inception;
  const data = Float64Array.from(inception.probabilities);
  const probabilities = { rows: data.length / cols, cols, data };
  const score = inceptionScore({ probabilities, splits: splits.length });
  const mean = splits.reduce((a, b) => a + b, 0) / splits.length;
  expectClose(score.mean, mean, 1e-12);
  const variance = splits.reduce((s, v) => s + (v - mean) ** 2, 0) / splits.length;
  expectClose(score.standardDeviation, Math.sqrt(variance), 1e-9);
});

describe("pictures", () => {
  const of = (values: readonly number[]) => Float64Array.from(values, (v) => v / grid);
  const { shape } = pictures;
  const [a, b] = [pictures.x, pictures.y].map((values) => ({ shape, data: of(values) }));
  if (a === undefined || b === undefined) throw new TypeError("two sets of pictures");

  test.each([
    ["ssim", ssim],
    ["msSsim", msSsim],
    ["psnr", psnr],
  ] as const)("%s", (name, metric) => {
    const values = metric({ a, b, range: 1 });
    expect(values.length).toBe(2);
    values.forEach((v, i) => expectClose(v, pictures[name][i], 1e-10));
  });

  test("Laplacian pyramid", () => {
    const [finest] = laplacian(a);
    for (const [i, want] of pictures.laplacian.entries()) {
      expect(Math.abs((finest?.data[i] ?? NaN) - want)).toBeLessThan(1e-12);
    }
  });
});
