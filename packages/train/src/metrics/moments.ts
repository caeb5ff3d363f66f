import type { Matrix } from "./matrix.ts";
import { forEachTile } from "./pairwise.ts";

/** Mean and centred products of a set of rows, in float64: enough for a Fréchet distance. */
export interface Moments {
  readonly rows: number;
  /** [d] */
  readonly mean: Float64Array;
  /** [d, d]: the sum over rows of (x - mean)(x - mean)^T, symmetric. */
  readonly scatter: Float64Array;
}

const rowsAtOnce = 256;

/**
 * The moments of a matrix of at least one row. Two passes: the mean first, then products of what is
 * left, so that a mean far from 0 costs no digits.
 */
export function momentsOf(matrix: Matrix): Moments {
  const { rows, cols, data } = matrix;
  const mean = columnMeans(matrix);
  const scatter = new Float64Array(cols * cols);
  const columns = new Float64Array(cols * rowsAtOnce);
  for (let from = 0; from < rows; from += rowsAtOnce) {
    const count = Math.min(rowsAtOnce, rows - from);
    columns.fill(0);
    for (let i = 0; i < count; i++) {
      for (let j = 0; j < cols; j++) {
        columns[j * rowsAtOnce + i] = (data[(from + i) * cols + j] ?? 0) - (mean[j] ?? 0);
      }
    }
    addProducts({ rows: cols, cols: rowsAtOnce, data: columns }, scatter);
  }
  mirror(scatter, cols);
  return { rows, mean, scatter };
}

/** The mean of each column, [cols]. */
export function columnMeans({ rows, cols, data }: Matrix): Float64Array {
  const mean = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) mean[j] = (mean[j] ?? 0) + (data[i * cols + j] ?? 0);
  }
  return mean.map((sum) => sum / rows);
}

/** Adds the products of all pairs of rows to the tiles of `sums` on and above the diagonal. */
function addProducts(a: Matrix, sums: Float64Array): void {
  forEachTile({ a, b: a, kernel: "dot", upper: true }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let i = 0; i < aRows; i++) {
      const at = (aFrom + i) * a.rows + bFrom;
      for (let j = 0; j < bRows; j++) {
        sums[at + j] = (sums[at + j] ?? 0) + (values[i * stride + j] ?? 0);
      }
    }
  });
}

function mirror(square: Float64Array, size: number): void {
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < i; j++) square[i * size + j] = square[j * size + i] ?? 0;
  }
}

/**
 * The moments of two sets of rows together, so that a long set can be read in parts:
 * S = S1 + S2 + (m2 - m1)(m2 - m1)^T n1 n2 / n (Chan, Golub, LeVeque 1979).
 */
export function mergeMoments(a: Moments, b: Moments): Moments {
  const d = a.mean.length;
  if (b.mean.length !== d) throw new RangeError(`moments of ${d} and ${b.mean.length} columns`);
  const rows = a.rows + b.rows;
  const shift = b.mean.map((v, j) => v - (a.mean[j] ?? 0));
  const weight = (a.rows * b.rows) / rows;
  const mean = a.mean.map((v, j) => v + ((shift[j] ?? 0) * b.rows) / rows);
  const scatter = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    const scaled = weight * (shift[i] ?? 0);
    for (let at = i * d, j = 0; j < d; j++, at++) {
      scatter[at] = (a.scatter[at] ?? 0) + (b.scatter[at] ?? 0) + scaled * (shift[j] ?? 0);
    }
  }
  return { rows, mean, scatter };
}
