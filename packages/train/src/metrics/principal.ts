import { spread } from "../data/dataset.ts";
import { takeRows, type Matrix } from "./matrix.ts";

/** The directions in which rows vary most, and where their middle lies. */
export interface PrincipalAxes {
  readonly mean: Float64Array;
  /** [k, cols], each of length 1, at right angles, the widest first. */
  readonly axes: Matrix;
  /** The variance along each axis, over n - 1. */
  readonly variances: Float64Array;
}

/** Above so many columns, as many rows, evenly spread, stand for all of them. */
const mostSide = 256;

/**
 * Principal axes: eigenvectors of the covariance of the rows, or, of more than 256 columns, those that
 * 256 rows span (from their products, which have the same eigenvalues). Axes along which nothing
 * varies but rounding are left out, so there may be fewer than `most`.
 */
export function principalAxes(matrix: Matrix, { most }: { readonly most: number }): PrincipalAxes {
  const few = matrix.cols > mostSide;
  const rows = few
    ? takeRows(matrix, spread(matrix.rows, Math.min(matrix.rows, mostSide)))
    : matrix;
  const { mean, data } = centred(rows);
  const [n, d] = [rows.rows, rows.cols];
  const side = few ? n : d;
  const { values, vectors } = symmetricEigen(few ? gram(data, n, d) : covariance(data, n, d), side);
  const order = Array.from(values.keys()).toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const widest = values[order[0] ?? 0] ?? 0;
  const kept = order
    .slice(0, most)
    .filter((i) => (values[i] ?? 0) > side * Number.EPSILON * widest);
  const axes = new Float64Array(kept.length * d);
  for (const [k, i] of kept.entries()) {
    const vector = vectors.subarray(i * side, (i + 1) * side);
    axes.set(few ? combined(data, vector, Math.sqrt(values[i] ?? 1)) : vector, k * d);
  }
  const variances = Float64Array.from(kept, (i) => (values[i] ?? 0) / (n - 1));
  return { mean, axes: { rows: kept.length, cols: d, data: axes }, variances };
}

/** Coordinates along the axes: [n, k]. */
export function project(matrix: Matrix, { mean, axes }: PrincipalAxes): Matrix {
  const { rows, cols } = matrix;
  const data = new Float32Array(rows * axes.rows);
  const row = new Float64Array(cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) row[j] = (matrix.data[i * cols + j] ?? 0) - (mean[j] ?? 0);
    for (let k = 0; k < axes.rows; k++) {
      let sum = 0;
      for (let j = 0; j < cols; j++) sum += (row[j] ?? 0) * (axes.data[k * cols + j] ?? 0);
      data[i * axes.rows + k] = sum;
    }
  }
  return { rows, cols: axes.rows, data };
}

function centred({ rows, cols, data }: Matrix): { mean: Float64Array; data: Float64Array } {
  const mean = new Float64Array(cols);
  for (let i = 0; i < data.length; i++) mean[i % cols] = (mean[i % cols] ?? 0) + (data[i] ?? 0);
  for (let j = 0; j < cols; j++) mean[j] = (mean[j] ?? 0) / rows;
  return { mean, data: Float64Array.from(data, (v, i) => v - (mean[i % cols] ?? 0)) };
}

/** X^T X, not divided by n - 1: it has the eigenvalues of X X^T. */
function covariance(x: Float64Array, n: number, d: number): Float64Array {
  const out = new Float64Array(d * d);
  for (let i = 0; i < n; i++)
    for (let a = 0; a < d; a++) {
      const v = x[i * d + a] ?? 0;
      for (let b = 0; b < d; b++) out[a * d + b] = (out[a * d + b] ?? 0) + v * (x[i * d + b] ?? 0);
    }
  return out;
}

/** X X^T */
function gram(x: Float64Array, n: number, d: number): Float64Array {
  const out = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = 0; b <= a; b++) {
      let sum = 0;
      for (let j = 0; j < d; j++) sum += (x[a * d + j] ?? 0) * (x[b * d + j] ?? 0);
      out[a * n + b] = sum;
      out[b * n + a] = sum;
    }
  return out;
}

/** X^T u / length: the axis that belongs to an eigenvector u of X X^T. */
function combined(x: Float64Array, u: Float64Array, length: number): Float64Array {
  const d = x.length / u.length;
  const axis = new Float64Array(d);
  for (const [i, v] of u.entries())
    for (let j = 0; j < d; j++) axis[j] = (axis[j] ?? 0) + (v * (x[i * d + j] ?? 0)) / length;
  return axis;
}

/**
 * Eigenvalues and eigenvectors (a row each, of length 1) of a symmetric matrix [n, n], by Jacobi's
 * rotations, row by row, until what lies beside the diagonal is rounding (Golub, Van Loan, "Matrix
 * Computations", 8.5).
 */
export function symmetricEigen(
  matrix: Float64Array,
  n: number,
): { values: Float64Array; vectors: Float64Array } {
  const a = Float64Array.from(matrix);
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  const size = Math.sqrt(a.reduce((sum, v) => sum + v * v, 0));
  for (let sweep = 0; ; sweep++) {
    let beside = 0;
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) beside = Math.max(beside, Math.abs(a[p * n + q] ?? 0));
    if (beside <= Number.EPSILON * size) break;
    if (sweep === 60) throw new RangeError("the eigenvalues do not converge");
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, vectors, n, p, q);
  }
  return { values: Float64Array.from({ length: n }, (_, i) => a[i * n + i] ?? 0), vectors };
}

/** One rotation of rows and columns p and q that makes a[p, q] 0. */
function rotate(a: Float64Array, vectors: Float64Array, n: number, p: number, q: number): void {
  const off = a[p * n + q] ?? 0;
  if (off === 0) return;
  const half = ((a[q * n + q] ?? 0) - (a[p * n + p] ?? 0)) / (2 * off);
  const t = (half < 0 ? -1 : 1) / (Math.abs(half) + Math.sqrt(half * half + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  const turn = (m: Float64Array, first: number, second: number, step: number): void => {
    for (let k = 0, i = first, j = second; k < n; k++, i += step, j += step) {
      const [x, y] = [m[i] ?? 0, m[j] ?? 0];
      m[i] = c * x - s * y;
      m[j] = s * x + c * y;
    }
  };
  turn(a, p, q, n); // columns
  turn(a, p * n, q * n, 1); // rows
  turn(vectors, p * n, q * n, 1);
  a[p * n + q] = 0;
  a[q * n + p] = 0;
}
