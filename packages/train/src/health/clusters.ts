import { fillUniform, streamOf } from "../random.ts";

/** The squared Euclidean distance of row i of `a` and row j of `b`, rows of `dim` numbers. */
export function squaredDistance(
  a: Float32Array,
  i: number,
  b: Float32Array,
  j: number,
  dim: number,
): number {
  let sum = 0;
  for (let k = 0, p = i * dim, q = j * dim; k < dim; k++) {
    const d = (a[p + k] ?? 0) - (b[q + k] ?? 0);
    sum += d * d;
  }
  return sum;
}

const nRounds = 20;
const nCandidates = 4;

/**
 * Centres of `k` clusters of `points` [n, dim], as [k, dim]: Lloyd's rounds from a greedy k-means++
 * beginning (Arthur and Vassilvitskii 2007, Section 5: the best of a few candidates each time).
 */
export function kMeans(o: {
  points: Float32Array;
  dim: number;
  k: number;
  seed: number;
}): Float32Array {
  const { points, dim } = o;
  const n = points.length / dim;
  const k = Math.min(o.k, n);
  let centres = spreadOut({ points, dim, k, seed: o.seed });
  for (let round = 0; round < nRounds; round++) {
    const sums = new Float64Array(k * dim);
    const counts = new Float64Array(k);
    const nearest = nearestCentres({ points, centres, dim });
    for (let i = 0; i < n; i++) {
      const c = nearest[i] ?? 0;
      counts[c] = (counts[c] ?? 0) + 1;
      for (let j = 0; j < dim; j++)
        sums[c * dim + j] = (sums[c * dim + j] ?? 0) + (points[i * dim + j] ?? 0);
    }
    const before = centres;
    centres = before.map((old, at) => {
      const count = counts[Math.floor(at / dim)] ?? 0;
      return count > 0 ? (sums[at] ?? 0) / count : old;
    });
    if (centres.every((v, at) => v === before[at])) break;
  }
  return centres;
}

/** The number of the centre nearest to each point. */
export function nearestCentres(o: {
  points: Float32Array;
  centres: Float32Array;
  dim: number;
}): Int32Array {
  const { points, centres, dim } = o;
  const k = centres.length / dim;
  return Int32Array.from({ length: points.length / dim }, (_, i) => {
    let [best, least] = [0, Infinity];
    for (let c = 0; c < k; c++) {
      const d = squaredDistance(points, i, centres, c, dim);
      if (d < least) [best, least] = [c, d];
    }
    return best;
  });
}

/** k points far from each other: each drawn in proportion to its squared distance to those before. */
function spreadOut(o: {
  points: Float32Array;
  dim: number;
  k: number;
  seed: number;
}): Float32Array {
  const { points, dim, k } = o;
  const n = points.length / dim;
  const draws = new Float32Array(1 + k * nCandidates);
  fillUniform(draws, { seed: o.seed, stream: streamOf("health clusters"), counter: 0 });
  const row = (i: number): Float32Array => points.subarray(i * dim, (i + 1) * dim);
  const centres = new Float32Array(k * dim);
  const closer = (to: number, least: Float64Array): Float64Array =>
    least.map((d, i) => Math.min(d, squaredDistance(points, i, points, to, dim)));
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  const first = Math.min(n - 1, Math.floor((draws[0] ?? 0) * n));
  centres.set(row(first));
  let least = closer(first, new Float64Array(n).fill(Infinity));
  for (let c = 1; c < k; c++) {
    const total = sum(least);
    let best = { at: 0, least, total: Infinity };
    for (let t = 0; t < nCandidates; t++) {
      const at = drawn(least, total * (draws[c * nCandidates + t - nCandidates + 1] ?? 0));
      const then = closer(at, least);
      const left = sum(then);
      if (left < best.total) best = { at, least: then, total: left };
    }
    centres.set(row(best.at), c * dim);
    least = best.least;
  }
  return centres;
}

/** The first place at which the running sum of `weights` passes `target`. */
function drawn(weights: Float64Array, target: number): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i] ?? 0;
    if (sum > target) return i;
  }
  return weights.length - 1;
}
