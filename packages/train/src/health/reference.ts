import { sizeOf } from "@duelo/core";
import type { Recipe } from "@duelo/zoo";
import { spread, type Dataset } from "../data/dataset.ts";
import { readField } from "../feeder.ts";
import { kMeans, nearestCentres, squaredDistance } from "./clusters.ts";
import { pictureFeatures, vectorFeatures, type Features } from "./features.ts";

/** Records of a reference, at most; and its clusters: the modes of `grid25`, and few enough to be reached by a hundred samples. */
const nMost = 512;
const nClusters = 25;

/** What samples are held against: real records as features, seen once at the beginning. */
export interface Reference {
  readonly features: Features;
  /** [n, dim] */
  readonly points: Float32Array;
  readonly n: number;
  /** [k, dim] */
  readonly centres: Float32Array;
  /** From each record to the nearest that differs; a record may be there twice. */
  readonly neighbours: Float32Array;
  /** Mean distance between two records. */
  readonly spread: number;
  /** The share of the training records that stand here. */
  readonly share: number;
  /** Clusters that as many real records as there are samples reach. */
  clustersOf(nSamples: number): number;
}

/** Undefined when the recipe's samples are nothing that can be held against the data's `x`. */
export function openReference(o: {
  recipe: Recipe;
  dataset: Dataset;
  seed: number;
}): Reference | undefined {
  const { dataset, seed } = o;
  const field = dataset.fields["x"];
  if (field === undefined || dataset.length < 2) return undefined;
  const chosen = spread(dataset.length, nMost);
  const raw = readField(dataset, "x", chosen).data;
  const shape = field.shape;
  const isPicture = shape.length === 3;
  if (!isPicture && shape.length !== 1) return undefined;
  const points = isPicture
    ? pictureFeatures({ shape, range: [0, 255], seed }).of(raw, chosen.length)
    : vectorFeatures({ shape, reals: raw, seed }).of(raw, chosen.length);
  const range = Object.values(o.recipe.data).find((f) => f.domain === "image")?.range ?? [0, 1];
  const features = isPicture
    ? pictureFeatures({ shape, range, seed })
    : vectorFeatures({ shape, reals: raw, seed });
  const { dim } = features;
  const n = points.length / dim;
  const centres = kMeans({ points, dim, k: Math.min(nClusters, Math.ceil(n / 4)), seed });
  const homes = nearestCentres({ points, centres, dim });
  return {
    features,
    points,
    n,
    centres,
    ...distances(points, dim),
    share: n / dataset.length,
    clustersOf: (nSamples) => new Set(spread(n, nSamples).map((i) => homes[i])).size,
  };
}

/** Distances from each point to the nearest that differs, and the mean of all. */
function distances(
  points: Float32Array,
  dim: number,
): { neighbours: Float32Array; spread: number } {
  const n = points.length / dim;
  const neighbours = new Float32Array(n).fill(Infinity);
  let sum = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < i; j++) {
      const d = Math.sqrt(squaredDistance(points, i, points, j, dim));
      sum += d;
      if (d === 0) continue;
      if (d < (neighbours[i] ?? 0)) neighbours[i] = d;
      if (d < (neighbours[j] ?? 0)) neighbours[j] = d;
    }
  }
  return { neighbours, spread: sum / ((n * (n - 1)) / 2) };
}

/** Whether samples of this shape [n, ...] can be held against records of `shape`. */
export const comparable = (samples: readonly number[], shape: readonly number[]): boolean =>
  sizeOf(samples.slice(1)) === sizeOf(shape);
