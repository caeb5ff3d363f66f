import type { HostTensor } from "@duelo/runtime";
import type { ImageField, Recipe } from "@duelo/zoo";
import type { Dataset } from "./data/dataset.ts";
import { readField } from "./feeder.ts";
import { imageGrid } from "./report/grid.ts";
import { pointPlot } from "./report/points.ts";

/** Samples in a row of a grid. */
export const nColumns = 8;
/** Samples in a grid: 64, or with classes a row for each of up to 16. */
export const nWatched = (nClasses: number): number =>
  nColumns * Math.min(Math.max(nClasses, 8), 16);
/** The class of a sample in a grid: 0, 0, …, 1, 1, …, again from the first after the last. */
export const classWatched = (i: number, nClasses: number): number =>
  Math.floor(i / nColumns) % nClasses;
const nPoints = 2000;

const rangeOf = (recipe: Recipe): ImageField["range"] | undefined =>
  Object.values(recipe.data).find((f): f is ImageField => f.domain === "image")?.range;

/** Samples as a PNG: a grid of images, or points over the real ones. */
export async function samplePicture(o: {
  recipe: Recipe;
  dataset: Dataset;
  samples: HostTensor;
}): Promise<Uint8Array> {
  const range = rangeOf(o.recipe);
  const pixels = Float32Array.from(o.samples.data);
  if (range === undefined) {
    const [nColumnsOfTable = 2] = o.samples.shape.slice(1);
    return pointPlot({ real: points(o.dataset), generated: pixels, nColumns: nColumnsOfTable });
  }
  const shape = fourOf(o.samples.shape);
  const labels = rowLabels(o.recipe, o.dataset, shape[0] / nColumns);
  return imageGrid({ pixels, shape, range, columns: nColumns, ...labels });
}

/** Names of the rows, where the recipe is told the class. */
function rowLabels({ data }: Recipe, { classes }: Dataset, nRows: number) {
  if (classes === undefined || !Object.values(data).some((f) => f.domain === "label")) return {};
  const name = (row: number): string => classes[classWatched(row * nColumns, classes.length)] ?? "";
  return { rowLabels: Array.from({ length: nRows }, (_, row) => name(row)) };
}

/** Real records, spread evenly over the set, as a PNG. */
export async function realPicture(o: { recipe: Recipe; dataset: Dataset }): Promise<Uint8Array> {
  if (rangeOf(o.recipe) === undefined) {
    return pointPlot({ real: points(o.dataset), generated: new Float32Array() });
  }
  const { shape, data } = readField(o.dataset, "x", spread(o.dataset.length, nWatched(0)));
  const pixels = Float32Array.from(data);
  return imageGrid({ pixels, shape: fourOf(shape), range: [0, 255], columns: nColumns });
}

const points = (dataset: Dataset): Float32Array =>
  Float32Array.from(readField(dataset, "x", spread(dataset.length, nPoints)).data);

/** At most `n` places, evenly over 0 to length - 1. */
function spread(length: number, n: number): Int32Array {
  const count = Math.min(n, length);
  return Int32Array.from({ length: count }, (_, i) => Math.floor((i * length) / count));
}

function fourOf(shape: readonly number[]): readonly [number, number, number, number] {
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  return [n, c, h, w];
}
