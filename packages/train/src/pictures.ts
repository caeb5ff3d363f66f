import type { HostTensor } from "@duelo/runtime";
import type { ImageField, Recipe } from "@duelo/zoo";
import type { Dataset } from "./data/dataset.ts";
import { readField } from "./feeder.ts";
import { imageGrid, toBytes, type Pixels } from "./report/grid.ts";
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

/** Groups of so many pictures in a row of a grid. */
export const groupsOf = (nPictures: number): number =>
  Math.max(1, Math.floor(nColumns / nPictures));

const rangeOf = (recipe: Recipe): ImageField["range"] | undefined =>
  Object.values(recipe.data).find((f): f is ImageField => f.domain === "image")?.range;

/** Samples as a PNG: a grid of images, each between the images it belongs to, or points over the real ones. */
export async function samplePicture(o: {
  recipe: Recipe;
  dataset: Dataset;
  samples: HostTensor;
  before?: readonly Pixels[];
  after?: readonly Pixels[];
}): Promise<Uint8Array> {
  const range = rangeOf(o.recipe);
  const pixels = Float32Array.from(o.samples.data);
  if (range === undefined) {
    const [nColumnsOfTable = 2] = o.samples.shape.slice(1);
    return pointPlot({ real: points(o.dataset), generated: pixels, nColumns: nColumnsOfTable });
  }
  const samples = { pixels, shape: fourOf(o.samples.shape), range };
  const sets = [...(o.before ?? []), samples, ...(o.after ?? [])];
  if (sets.length > 1) return besideGrid(sets);
  const labels = rowLabels(o.recipe, o.dataset, samples.shape[0] / nColumns);
  return imageGrid({ ...samples, columns: nColumns, ...labels });
}

/** Names of the rows, where the recipe is told the class. */
function rowLabels({ data }: Recipe, { classes }: Dataset, nRows: number) {
  if (classes === undefined || !Object.values(data).some((f) => f.domain === "label")) return {};
  const name = (row: number): string => classes[classWatched(row * nColumns, classes.length)] ?? "";
  return { rowLabels: Array.from({ length: nRows }, (_, row) => name(row)) };
}

/**
 * Sets of the same number of pictures as one PNG in which pictures number i of all sets stand side by
 * side. Smaller pictures are enlarged without smoothing, grey ones shown among coloured ones.
 */
export async function besideGrid(sets: readonly Pixels[]): Promise<Uint8Array> {
  const [first] = sets;
  if (first === undefined) throw new TypeError("no pictures");
  const columns = groupsOf(sets.length) * sets.length;
  if (sets.length === 1) return imageGrid({ ...first, columns });
  const largest = (axis: 1 | 2 | 3): number => Math.max(...sets.map((s) => s.shape[axis]));
  const shape = [largest(1), largest(2), largest(3)] as const;
  const nPictures = first.shape[0] * sets.length;
  const size = shape[0] * shape[1] * shape[2];
  const pixels = new Uint8Array(nPictures * size);
  for (const [k, set] of sets.entries()) {
    const bytes = toBytes(set.pixels, set.range);
    const own = bytes.length / set.shape[0];
    for (let i = 0; i < set.shape[0]; i++) {
      const picture = bytes.subarray(i * own, (i + 1) * own);
      pixels.set(enlarged(picture, set.shape, shape), (i * sets.length + k) * size);
    }
  }
  return imageGrid({ pixels, shape: [nPictures, ...shape], range: [0, 255], columns });
}

type Extent = readonly [channels: number, height: number, width: number];

/** One picture at another size, each pixel from the nearest; grey in all colours, alpha opaque. */
function enlarged(from: Uint8Array, [, c, h, w]: Pixels["shape"], to: Extent): Uint8Array {
  const [channels, height, width] = to;
  const out = new Uint8Array(channels * height * width);
  for (let i = 0; i < out.length; i++) {
    const channel = Math.floor(i / (height * width));
    const y = Math.floor(((Math.floor(i / width) % height) * h) / height);
    const x = Math.floor(((i % width) * w) / width);
    const opaque = channel === 3 && c < 4;
    out[i] = opaque ? 255 : (from[((channel % c) * h + y) * w + x] ?? 0);
  }
  return out;
}

/** Real records, spread evenly over the set, as a PNG. */
export async function realPicture(o: { recipe: Recipe; dataset: Dataset }): Promise<Uint8Array> {
  if (rangeOf(o.recipe) === undefined) {
    return pointPlot({ real: points(o.dataset), generated: new Float32Array() });
  }
  const places = spread(o.dataset.length, Math.min(nWatched(0), o.dataset.length));
  const { shape, data } = readField(o.dataset, "x", places);
  const pixels = Float32Array.from(data);
  return imageGrid({ pixels, shape: fourOf(shape), range: [0, 255], columns: nColumns });
}

const points = (dataset: Dataset): Float32Array =>
  Float32Array.from(
    readField(dataset, "x", spread(dataset.length, Math.min(nPoints, dataset.length))).data,
  );

/** `n` places, evenly over 0 to length - 1; some come twice where n is above the length. */
export const spread = (length: number, n: number): Int32Array =>
  Int32Array.from({ length: n }, (_, i) => Math.floor((i * length) / n));

function fourOf(shape: readonly number[]): readonly [number, number, number, number] {
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  return [n, c, h, w];
}
