import { UserError } from "@duelo/core";
import { factorOf } from "./cholesky.ts";
import { checkColumns, checkPair, checkRows, takeRows, type Matrix, type Pair } from "./matrix.ts";
import { columnMeans, momentsOf, type Moments } from "./moments.ts";
import { forEachTile } from "./pairwise.ts";
import { singularValues } from "./singular.ts";

const metric = "The Fréchet distance";
const leastRows = 2;

/**
 * The Fréchet distance of two Gaussians with the means and covariances of the rows,
 * |m_r - m_f|^2 + Tr(S_r + S_f - 2 (S_r S_f)^(1/2)) with S over n - 1 (Heusel et al. 2017,
 * arXiv:1706.08500). 0 or more, in squared units of the features.
 *
 * With S_r = A^T A and S_f = B^T B the trace of the root is the sum of the singular values of A B^T.
 * So no root of a matrix is taken, nothing is added to a diagonal, and nothing can become imaginary.
 * A set of no more rows than columns is its own factor; its covariance is never formed.
 *
 * The result falls as the sets grow: compare only results of equally many rows.
 * @throws UserError for fewer than 2 rows, different columns, and numbers that are not finite
 */
export function frechetDistance({ real, fake }: Pair): number {
  return frechetFrom(real)(fake);
}

/** The same from one set of real samples to any others, whose Gaussian is worked out once. */
export function frechetFrom(real: Matrix): (fake: Matrix) => number {
  let own: Gaussian | undefined;
  return (fake) => {
    checkPair({ real, fake }, { metric, leastRows });
    own ??= gaussianOf(real);
    return distance(own, gaussianOf(fake));
  };
}

/** The same from moments, which may have been merged from the parts of a long set. */
export function frechetOfMoments({ real, fake }: { real: Moments; fake: Moments }): number {
  checkMoments(real, "real");
  checkMoments(fake, "generated");
  checkColumns({ real: real.mean.length, fake: fake.mean.length }, { metric });
  return distance(gaussianOfMoments(real), gaussianOfMoments(fake));
}

function checkMoments({ rows, mean, scatter }: Moments, which: string): void {
  checkRows(rows, { metric, which, leastRows });
  if (mean.every(Number.isFinite) && scatter.every(Number.isFinite)) return;
  throw new UserError(
    `${metric} needs finite numbers, and the ${which} samples have others. A net that has diverged gives such numbers.`,
  );
}

export interface ClassPair extends Pair {
  /** The class of each real row, 0 to nClasses - 1. */
  readonly realLabels: ArrayLike<number>;
  readonly fakeLabels: ArrayLike<number>;
  readonly nClasses: number;
}

/**
 * The Fréchet distance within each class, and their mean: it sees a conditional generator that
 * ignores its label, which the distance of all together does not.
 * @throws UserError when a class has fewer than 2 rows on either side, or there are no labels
 */
export function frechetByClass(sets: ClassPair): { byClass: number[]; mean: number } {
  checkPair(sets, { metric, leastRows });
  const real = rowsByClass(sets.real.rows, sets.realLabels, sets.nClasses, "real");
  const fake = rowsByClass(sets.fake.rows, sets.fakeLabels, sets.nClasses, "generated");
  const byClass = real.map((rows, i) =>
    distance(gaussianOf(takeRows(sets.real, rows)), gaussianOf(takeRows(sets.fake, fake[i] ?? []))),
  );
  return { byClass, mean: byClass.reduce((a, b) => a + b, 0) / byClass.length };
}

function rowsByClass(
  rows: number,
  labels: ArrayLike<number>,
  nClasses: number,
  which: string,
): number[][] {
  if (labels.length !== rows) {
    throw new UserError(
      `The Fréchet distance by class needs a label for each sample, and there are ${labels.length} ` +
        `labels for ${rows} ${which} samples.`,
    );
  }
  const members = Array.from({ length: nClasses }, (): number[] => []);
  for (let i = 0; i < rows; i++) {
    const own = members[labels[i] ?? -1];
    if (own === undefined) {
      throw new UserError(
        `Sample ${i} of the ${which} ones has the label ${labels[i]}; classes are 0 to ${nClasses - 1}.`,
      );
    }
    own.push(i);
  }
  for (const [i, own] of members.entries()) {
    checkRows(own.length, { metric: `${metric} of class ${i}`, which, leastRows });
  }
  return members;
}

interface Gaussian {
  readonly mean: Float64Array; // [d]
  readonly trace: number;
  /** [rank or rows, d]: the covariance is factor^T factor. */
  readonly factor: Matrix;
}

function gaussianOf(matrix: Matrix): Gaussian {
  const { rows, cols, data } = matrix;
  if (rows > cols) return gaussianOfMoments(momentsOf(matrix));
  const mean = columnMeans(matrix);
  const root = Math.sqrt(rows - 1);
  const factor = Float64Array.from(data, (v, at) => (v - (mean[at % cols] ?? 0)) / root);
  const trace = factor.reduce((sum, v) => sum + v * v, 0);
  return { mean, trace, factor: { rows, cols, data: factor } };
}

function gaussianOfMoments({ rows, mean, scatter }: Moments): Gaussian {
  const d = mean.length;
  const covariance = scatter.map((v) => v / (rows - 1));
  let trace = 0;
  for (let i = 0; i < d; i++) trace += covariance[i * d + i] ?? 0;
  return { mean, trace, factor: factorOf(covariance, d) };
}

function distance(real: Gaussian, fake: Gaussian): number {
  const apart = real.mean.reduce((sum, m, j) => sum + (m - (fake.mean[j] ?? 0)) ** 2, 0);
  const common = singularValues(productOf(real.factor, fake.factor));
  const root = common.reduce((sum, v) => sum + v, 0);
  return Math.max(0, apart + real.trace + fake.trace - 2 * root); // below 0 by rounding alone
}

/** A B^T */
function productOf(a: Matrix, b: Matrix): Matrix {
  const data = new Float64Array(a.rows * b.rows);
  forEachTile({ a, b, kernel: "dot" }, ({ values, stride, aFrom, aRows, bFrom, bRows }) => {
    for (let i = 0; i < aRows; i++) {
      const row = values.subarray(i * stride, i * stride + bRows);
      data.set(row, (aFrom + i) * b.rows + bFrom);
    }
  });
  return { rows: a.rows, cols: b.rows, data };
}
