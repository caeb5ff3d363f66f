import { fillNormal, streamOf } from "../../random.ts";
import type { Matrix } from "../matrix.ts";

/** Rows of N(mean, sigma^2) in every column, in float32. */
export function normalRows({
  rows,
  cols,
  seed,
  mean = 0,
  sigma = 1,
}: {
  rows: number;
  cols: number;
  seed: number;
  mean?: number;
  sigma?: number;
}): Matrix & { readonly data: Float32Array } {
  const data = new Float32Array(rows * cols);
  fillNormal(data, { seed, stream: streamOf("metrics test"), counter: 0 });
  return { rows, cols, data: data.map((v) => mean + sigma * v) };
}

/** A matrix from its rows. */
export function matrixOf(...rows: number[][]): Matrix {
  return { rows: rows.length, cols: rows[0]?.length ?? 0, data: Float64Array.from(rows.flat()) };
}
