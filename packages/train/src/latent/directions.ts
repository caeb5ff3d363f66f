import { UserError } from "@duelo/core";
import type { Matrix } from "../metrics/matrix.ts";
import { symmetricEigen } from "../metrics/principal.ts";
import type { Affine } from "./affines.ts";

/** Directions in W, a row each of length 1, the strongest first, and how strong each is. */
export interface Directions {
  readonly vectors: Matrix;
  readonly strengths: Float64Array;
}

/**
 * Directions without samples (SeFa: Shen, Zhou 2020, arXiv:2007.06600, Eq. 6 to 8): eigenvectors of
 * A^T A, where A [channels, wDim] holds the style weights of the chosen layers, each row of it brought to
 * length 1 as the authors' code does. The maps of colours are left out.
 */
export function factorised(affines: readonly Affine[]): Directions {
  const inner = affines.filter((a) => !a.ofColours);
  const [first] = inner;
  if (first === undefined)
    throw new UserError("These layers have no style but that of the colours. Choose others.");
  const d = first.weight.cols;
  const product = new Float64Array(d * d);
  for (const { weight } of inner)
    for (let row = 0; row < weight.rows; row++) {
      const values = Float64Array.from(weight.data.subarray(row * d, (row + 1) * d));
      const square = values.reduce((sum, v) => sum + v * v, 0);
      if (square > 0) addOuter(product, values, 1 / square);
    }
  return descending(product, d);
}

/** The principal axes of w (GANSpace: Härkönen et al. 2020, arXiv:2004.02546) with their variances. */
export const principal = (w: WShape): Directions => descending(w.covariance, w.mean.length);

/** How w is spread. */
export interface WShape {
  readonly mean: Float64Array;
  /** [wDim, wDim], over n - 1. */
  readonly covariance: Float64Array;
}

export function shapeOf({ rows, cols, data }: Matrix): WShape {
  const mean = new Float64Array(cols);
  for (let i = 0; i < data.length; i++)
    mean[i % cols] = (mean[i % cols] ?? 0) + (data[i] ?? 0) / rows;
  const covariance = new Float64Array(cols * cols);
  for (let i = 0; i < rows; i++) {
    const row = Float64Array.from(mean, (m, j) => (data[i * cols + j] ?? 0) - m);
    addOuter(covariance, row, 1 / (rows - 1));
  }
  return { mean, covariance };
}

/**
 * The matrix, [wDim, wDim], that takes w less its mean to parts without correlation of deviation 1: each
 * principal axis over its deviation. Axes along which w hardly varies count as a thousandth of the widest.
 */
export function whiteningOf(shape: WShape): Float64Array {
  const { vectors, strengths } = principal(shape);
  const least = 1e-6 * (strengths[0] ?? 1);
  const { cols, data } = vectors;
  return Float64Array.from(data, (v, i) => {
    const variance = Math.max(strengths[Math.floor(i / cols)] ?? 0, least);
    return v / Math.sqrt(variance);
  });
}

/** m += factor v v^T */
function addOuter(m: Float64Array, v: Float64Array, factor: number): void {
  const d = v.length;
  for (let a = 0; a < d; a++) {
    const scaled = factor * (v[a] ?? 0);
    if (scaled === 0) continue;
    for (let b = 0; b < d; b++) m[a * d + b] = (m[a * d + b] ?? 0) + scaled * (v[b] ?? 0);
  }
}

/** Standard deviation of w along a direction, or of a style whose weights it is: sqrt(v^T C v). */
export function deviation(v: ArrayLike<number>, { covariance }: WShape): number {
  const d = v.length;
  let sum = 0;
  for (let a = 0; a < d; a++)
    for (let b = 0; b < d; b++) sum += (v[a] ?? 0) * (covariance[a * d + b] ?? 0) * (v[b] ?? 0);
  return Math.sqrt(Math.max(sum, 0));
}

function descending(matrix: Float64Array, d: number): Directions {
  const { values, vectors } = symmetricEigen(matrix, d);
  const order = Array.from(values.keys()).toSorted((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const data = new Float64Array(d * d);
  order.forEach((from, to) => {
    const vector = vectors.subarray(from * d, (from + 1) * d);
    data.set(sameSign(vector), to * d);
  });
  return {
    vectors: { rows: d, cols: d, data },
    strengths: Float64Array.from(order, (i) => values[i] ?? 0),
  };
}

/** An eigenvector may point either way: the largest part of it is made positive. */
function sameSign(v: Float64Array): Float64Array {
  const largest = v.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  return largest < 0 ? v.map((x) => -x) : v;
}

export const unit = (v: Float64Array): Float64Array => {
  const length = Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
  return v.map((x) => x / length);
};

/**
 * A direction without what it has of others (InterFaceGAN: Shen et al. 2019, arXiv:1907.10786, Section
 * 2.3): less its projection on their span, of length 1. Throws UserError when nothing is left.
 */
export function without(direction: Float64Array, others: readonly Float64Array[]): Float64Array {
  const dot = (a: Float64Array, b: Float64Array): number =>
    a.reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
  const less = (v: Float64Array, base: readonly Float64Array[]): Float64Array =>
    base.reduce((rest, b) => rest.map((x, i) => x - dot(rest, b) * (b[i] ?? 0)), v);
  const base: Float64Array[] = [];
  for (const other of others) {
    const rest = less(unit(other), base);
    if (dot(rest, rest) > 1e-12) base.push(unit(rest));
  }
  const left = less(unit(direction), base);
  if (dot(left, left) > 1e-12) return unit(left);
  throw new UserError("The direction is the same as what is to be kept, so nothing of it is left.");
}
