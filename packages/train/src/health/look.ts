import { nearestCentres, squaredDistance } from "./clusters.ts";
import type { Reference } from "./reference.ts";

/**
 * What the samples of a moment say, held against the reference. All distances are Euclidean between
 * features, and shares are 0 to 1.
 */
export type Look = {
  /** Mean distance between two samples, over that between two real records: 1 is as varied. */
  readonly diversity: number;
  /** Clusters of the reference that are nearest to some sample. */
  readonly clusters: number;
  /** The same for as many real records. */
  readonly clustersReal: number;
  /**
   * The energy distance of samples and reference over the mean distance of real records (Székely and
   * Rizzo 2013, Eq. 2.1): 0 when they are alike; 1 when all samples lie on one typical record.
   */
  readonly distance: number;
  /** Median distance of samples to their nearest record, over that of records to their nearest other. */
  readonly nearness: number;
  /** The share of samples that are three times nearer to a record than that is to any other. */
  readonly copies: number;
  /** Share of the training records in the reference. */
  readonly known: number;
};

const copyFactor = 3;

/** `samples`: features [n, dim]. */
export function lookAt(samples: Float32Array, reference: Reference): Look {
  const { points, n: nReal, centres, neighbours, spread } = reference;
  const { dim } = reference.features;
  const n = samples.length / dim;
  const nearest: number[] = [];
  let [cross, within, nCopies] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    let [least, at] = [Infinity, 0];
    for (let j = 0; j < nReal; j++) {
      const d = squaredDistance(samples, i, points, j, dim);
      cross += Math.sqrt(d);
      if (d < least) [least, at] = [d, j];
    }
    nearest.push(Math.sqrt(least));
    if (copyFactor * Math.sqrt(least) < (neighbours[at] ?? 0)) nCopies++;
    for (let j = 0; j < i; j++) within += Math.sqrt(squaredDistance(samples, i, samples, j, dim));
  }
  const between = within / ((n * (n - 1)) / 2);
  return {
    diversity: between / spread,
    clusters: new Set(nearestCentres({ points: samples, centres, dim })).size,
    clustersReal: reference.clustersOf(n),
    distance: ((2 * cross) / (n * nReal) - between - spread) / spread,
    nearness: median(nearest) / median(Array.from(neighbours)),
    copies: nCopies / n,
    known: reference.share,
  };
}

/** Mean distance between the same samples at two moments, over that between real records. */
export function driftOf(o: {
  before: Float32Array;
  now: Float32Array;
  reference: Reference;
}): number {
  const { dim } = o.reference.features;
  const n = o.now.length / dim;
  let sum = 0;
  for (let i = 0; i < n; i++) sum += Math.sqrt(squaredDistance(o.before, i, o.now, i, dim));
  return sum / n / o.reference.spread;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const at = sorted.length / 2;
  return ((sorted[Math.ceil(at - 1)] ?? Number.NaN) + (sorted[Math.floor(at)] ?? Number.NaN)) / 2;
};
