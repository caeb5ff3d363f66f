import { UserError } from "@duelo/core";
import { drawRows } from "./draw.ts";
import { checkPair, takeRows, type Matrix, type Pair } from "./matrix.ts";
import { forEachTile } from "./pairwise.ts";

const metric = "The kernel distance";

export interface KernelOptions extends Pair {
  /** How many subsets are drawn; 100 unless said otherwise. */
  readonly subsets?: number;
  /** Rows of each side in a subset; 1,000 unless said otherwise, or all of the smaller set. */
  readonly subsetSize?: number;
  readonly seed?: number;
}

export interface KernelDistance {
  /** Mean over the subsets. It is unbiased, so it may be below 0. */
  readonly distance: number;
  /** Over the subsets, which share rows: not the error of the mean. */
  readonly standardDeviation: number;
  readonly subsets: number;
  readonly subsetSize: number;
}

/**
 * The kernel distance (Bińkowski et al. 2018, arXiv:1801.01401): the unbiased estimate of the squared
 * maximum mean discrepancy with k(a, b) = (a^T b / d + 1)^3, over seeded subsets without return. Where
 * one subset takes all rows of both sides, there is only that one.
 * @throws UserError for fewer than 2 rows, different columns, and numbers that are not finite
 */
export function kernelDistance({
  real,
  fake,
  subsets = 100,
  subsetSize = 1000,
  seed = 0,
}: KernelOptions): KernelDistance {
  checkPair({ real, fake }, { metric, leastRows: 2 });
  if (!(subsets >= 1 && subsetSize >= 2)) {
    throw new UserError(
      `${metric} needs at least 1 subset of at least 2 samples, not ${subsets} of ${subsetSize}.`,
    );
  }
  const n = Math.min(subsetSize, real.rows, fake.rows);
  const all = n === real.rows && n === fake.rows;
  const values = Array.from({ length: all ? 1 : subsets }, (_, counter) => {
    const draw = (which: string, matrix: Matrix) =>
      takeRows(matrix, drawRows({ n, of: matrix.rows, seed, purpose: `kernel ${which}`, counter }));
    return discrepancy(draw("real", real), draw("fake", fake));
  });
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / values.length;
  return {
    distance: mean,
    standardDeviation: Math.sqrt(variance),
    subsets: values.length,
    subsetSize: n,
  };
}

/** The unbiased estimate (Gretton et al. 2012, Eq. 3) for two sets of n rows. */
function discrepancy(x: Matrix, y: Matrix): number {
  const n = x.rows;
  const within = (sumWithin(x) + sumWithin(y)) / (n * (n - 1));
  let across = 0;
  forEachTile({ a: x, b: y, kernel: "dot" }, ({ values, stride, aRows, bRows }) => {
    for (let i = 0; i < aRows; i++) {
      for (let j = 0; j < bRows; j++) across += cubic(values[i * stride + j] ?? 0, x.cols);
    }
  });
  return within - (2 * across) / (n * n);
}

/** The sum of the kernel over all pairs of different rows, each pair both ways round. */
function sumWithin(x: Matrix): number {
  let sum = 0;
  forEachTile({ a: x, b: x, kernel: "dot", upper: true }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let i = 0; i < aRows; i++) {
      const from = aFrom === bFrom ? i + 1 : 0;
      for (let j = from; j < bRows; j++) sum += 2 * cubic(values[i * stride + j] ?? 0, x.cols);
    }
  });
  return sum;
}

function cubic(product: number, cols: number): number {
  const t = product / cols + 1;
  return t * t * t;
}
