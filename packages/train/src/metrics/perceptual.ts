import { UserError } from "@duelo/core";
import { lerp, slerp } from "../between.ts";
import { fillUniform, streamOf } from "../random.ts";
import { checkMatrix, type Matrix } from "./matrix.ts";
import type { Pictures } from "./pictures.ts";

/** What one layer of a feature network makes of two sets of pictures. */
export interface LayerPair {
  readonly a: Pictures;
  readonly b: Pictures;
  /** One weight a channel, 0 or more, learned from what people find alike; 1 each where there are none. */
  readonly weights?: ArrayLike<number>;
}

/**
 * Perceptual distance of each pair of pictures from the activations of some layers, as in LPIPS (Zhang
 * et al. 2018, arXiv:1801.03924, Eq. 1): the channels at each place brought to length 1, squared
 * differences weighted and summed over channels, the mean over places, the sum over layers. Without
 * LPIPS's own network and weights it must not be called LPIPS; its values depend on the network. 0 for
 * equal pictures.
 * @throws UserError for layers of different shapes, and activations that are not finite
 */
export function perceptualDistance(layers: readonly LayerPair[]): Float64Array {
  const n = layers[0]?.a.shape[0] ?? 0;
  if (n < 1) throw new UserError("The perceptual distance needs at least 1 layer of 1 pair.");
  const total = new Float64Array(n);
  for (const [index, layer] of layers.entries()) {
    const shapes = [layer.a, layer.b].map((p) => p.shape.join(" x "));
    if (shapes[0] !== shapes[1] || layer.a.shape[0] !== n) {
      throw new UserError(
        `The perceptual distance compares activations of one shape, and layer ${index} has ${shapes.join(" and ")}.`,
      );
    }
    for (let i = 0; i < n; i++) total[i] = (total[i] ?? 0) + layerDistance(layer, i);
  }
  const bad = total.findIndex((v) => !Number.isFinite(v));
  if (bad < 0) return total;
  throw new UserError(
    `The perceptual distance needs finite activations, and those of pair ${bad} are not. A net that has diverged gives others.`,
  );
}

function layerDistance({ a, b, weights }: LayerPair, picture: number): number {
  const [, channels, height, width] = a.shape;
  const places = height * width;
  const from = picture * channels * places;
  const [lengthsA, lengthsB] = [a, b].map(({ data }) => lengthsOf(data, from, channels, places));
  if (lengthsA === undefined || lengthsB === undefined) return Number.NaN;
  let total = 0;
  for (let c = 0, at = from; c < channels; c++) {
    let sum = 0;
    for (let p = 0; p < places; p++, at++) {
      const off = (a.data[at] ?? 0) / (lengthsA[p] ?? 1) - (b.data[at] ?? 0) / (lengthsB[p] ?? 1);
      sum += off * off;
    }
    total += (weights?.[c] ?? 1) * sum;
  }
  return total / places;
}

/** The length of the channels at each place. */
function lengthsOf(
  data: Pictures["data"],
  from: number,
  channels: number,
  places: number,
): Float64Array {
  const lengths = new Float64Array(places);
  for (let c = 0, at = from; c < channels; c++) {
    for (let p = 0; p < places; p++, at++) lengths[p] = (lengths[p] ?? 0) + (data[at] ?? 0) ** 2;
  }
  return lengths.map((square) => Math.sqrt(square) + 1e-10); // the authors' guard against 0 / 0
}

export interface PathOptions {
  /** [n, d]: where the paths begin and end. */
  readonly from: Matrix;
  readonly to: Matrix;
  /** `slerp` on the sphere, for normal z; `lerp` on the straight line, for w. */
  readonly along: "slerp" | "lerp";
  /** `full`: a random place on each path; `end`: its beginning. */
  readonly sampling: "full" | "end";
  /** 1e-4 unless said otherwise. */
  readonly epsilon?: number;
  readonly seed?: number;
  /** Squared perceptual distances between the pictures of two sets of latents, with the same noise for both. */
  readonly distance: (a: Matrix, b: Matrix) => Promise<ArrayLike<number>>;
}

/**
 * Perceptual path length (Karras et al. 2019, arXiv:1812.04948, Section 4.1): the mean of
 * d(G(at t), G(at t + epsilon)) / epsilon^2, without what lies below the 1st and above the 99th
 * percentile (`kept`). Small where pictures change evenly. It depends on the perceptual network and on the space.
 * @throws UserError for latents of different shapes, and distances that are not finite
 */
export async function pathLength(
  options: PathOptions,
): Promise<{ mean: number; values: Float64Array; kept: Float64Array }> {
  const { from, to, along, sampling, epsilon = 1e-4, seed = 0, distance } = options;
  const metric = "The path length";
  checkMatrix(from, { metric, which: "starting", leastRows: 1 });
  checkMatrix(to, { metric, which: "ending", leastRows: 1 });
  if (from.rows !== to.rows || from.cols !== to.cols) {
    throw new UserError(
      `${metric} goes from one latent to another, and there are ${from.rows} x ${from.cols} and ${to.rows} x ${to.cols}.`,
    );
  }
  const t = new Float32Array(from.rows);
  if (sampling === "full") fillUniform(t, { seed, stream: streamOf("metric path"), counter: 0 });
  const at = (shift: number) => pointsBetween({ from, to, along, t, shift });
  const distances = await distance(at(0), at(epsilon));
  const values = Float64Array.from(distances, (d) => d / epsilon ** 2);
  const bad = values.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) {
    throw new UserError(
      `${metric} needs finite distances, and that of path ${bad} is ${values[bad]}.`,
    );
  }
  const rising = values.toSorted();
  // From the value at or below the 1st percentile to the one at or above the 99th.
  const last = rising.length - 1;
  const kept = rising.slice(Math.floor(0.01 * last), Math.ceil(0.99 * last) + 1);
  return { mean: kept.reduce((a, b) => a + b, 0) / kept.length, values, kept };
}

/** The points at t + shift of the way, in float64: epsilon is lost in float32. */
export function pointsBetween({
  from,
  to,
  along,
  t,
  shift,
}: Pick<PathOptions, "from" | "to" | "along"> & { t: ArrayLike<number>; shift: number }): Matrix {
  const { rows, cols } = from;
  const data = new Float64Array(rows * cols);
  const between = along === "lerp" ? lerp : slerp;
  for (let i = 0; i < rows; i++) {
    const [start, end] = [i * cols, (i + 1) * cols];
    const [a, b] = [from.data.subarray(start, end), to.data.subarray(start, end)];
    data.set(between(a, b, (t[i] ?? 0) + shift), start);
  }
  return { rows, cols, data };
}
