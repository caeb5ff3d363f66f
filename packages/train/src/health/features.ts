import { sizeOf, type Shape } from "@duelo/core";
import { fillNormal, streamOf } from "../random.ts";

/** Short vectors in which distances between records mean something and cost little. */
export interface Features {
  /** Numbers in a vector. */
  readonly dim: number;
  /** Vectors of `n` records of `shape` each, one after the other: [n, dim]. */
  of(values: ArrayLike<number>, n: number): Float32Array;
}

/** The longer side of a picture as the probes see it, in pixels. */
const side = 8;
const maxDim = 32;

/**
 * Pictures [C, H, W] with values in `range` become means over at most 8 x 8 cells, from 0 to 1. Longer
 * vectors than 32 numbers are projected at random (Gaussian entries of variance 1/32), which keeps
 * distances to about one part in eight: Johnson and Lindenstrauss 1984.
 */
export function pictureFeatures(o: {
  shape: Shape;
  range: readonly [number, number];
  seed: number;
}): Features {
  const [c = 1, h = 1, w = 1] = o.shape;
  const [low, high] = o.range;
  const [rows, columns] = [Math.min(side, h), Math.min(side, w)];
  const cells = c * rows * columns;
  const cellOf = Int32Array.from({ length: c * h * w }, (_, i) => {
    const [x, y, channel] = [i % w, Math.floor(i / w) % h, Math.floor(i / (h * w))];
    const row = Math.floor((y * rows) / h);
    return (channel * rows + row) * columns + Math.floor((x * columns) / w);
  });
  const counts = new Float32Array(cells);
  for (const cell of cellOf) counts[cell] = (counts[cell] ?? 0) + 1;
  const cellsOf = (values: ArrayLike<number>, at: number): Float32Array => {
    const sums = new Float32Array(cells);
    for (let i = 0; i < cellOf.length; i++) {
      const cell = cellOf[i] ?? 0;
      sums[cell] = (sums[cell] ?? 0) + (values[at * cellOf.length + i] ?? 0);
    }
    return sums.map((sum, cell) => (sum / (counts[cell] ?? 1) - low) / (high - low));
  };
  return projected(cells, cellsOf, o.seed);
}

/** Points and rows of tables: each column less its mean and over its deviation among `reals`. */
export function vectorFeatures(o: {
  shape: Shape;
  /** [N, D] */
  reals: ArrayLike<number>;
  seed: number;
}): Features {
  const d = sizeOf(o.shape);
  const n = o.reals.length / d;
  const mean = new Float64Array(d);
  const scale = new Float64Array(d);
  for (let j = 0; j < d; j++) {
    let [sum, squares] = [0, 0];
    for (let i = 0; i < n; i++) sum += o.reals[i * d + j] ?? 0;
    for (let i = 0; i < n; i++) squares += ((o.reals[i * d + j] ?? 0) - sum / n) ** 2;
    mean[j] = sum / n;
    scale[j] = 1 / Math.sqrt(squares / n) || 0; // a constant column tells nothing
    if (!Number.isFinite(scale[j] ?? 0)) scale[j] = 0;
  }
  const one = (values: ArrayLike<number>, at: number): Float32Array =>
    Float32Array.from(
      { length: d },
      (_, j) => ((values[at * d + j] ?? 0) - (mean[j] ?? 0)) * (scale[j] ?? 0),
    );
  return projected(d, one, o.seed);
}

function projected(
  from: number,
  one: (values: ArrayLike<number>, at: number) => Float32Array,
  seed: number,
): Features {
  const dim = Math.min(from, maxDim);
  const matrix = new Float32Array(from > maxDim ? from * dim : 0); // [from, dim]
  fillNormal(matrix, { seed, stream: streamOf("health projection"), counter: 0 });
  const project = (long: Float32Array, out: Float32Array): void => {
    for (let i = 0; i < from; i++) {
      const value = (long[i] ?? 0) / Math.sqrt(dim);
      for (let j = 0; j < dim; j++) out[j] = (out[j] ?? 0) + value * (matrix[i * dim + j] ?? 0);
    }
  };
  return {
    dim,
    of(values, n) {
      const all = new Float32Array(n * dim);
      for (let i = 0; i < n; i++) {
        const out = all.subarray(i * dim, (i + 1) * dim);
        if (from > maxDim) project(one(values, i), out);
        else out.set(one(values, i));
      }
      return all;
    },
  };
}
