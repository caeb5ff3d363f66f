import { UserError } from "@duelo/core";
import { fillNormal, streamOf } from "../random.ts";
import { drawRows, drawRowsAgain } from "./draw.ts";
import type { Matrix } from "./matrix.ts";
import { forEachTile } from "./pairwise.ts";
import { plane, takePictures, type Pictures } from "./pictures.ts";

const metric = "The sliced Wasserstein distance";
const patch = 7; // pixels a side
const leastSide = 16; // of the coarsest level

export interface SlicedOptions {
  readonly real: Pictures;
  readonly fake: Pictures;
  /** How many pictures of each set are looked at: 512, or all of the smaller set, unless said otherwise. */
  readonly pictures?: number;
  /** Patches of each picture and level; 32 unless said otherwise (the authors take 128 of 16,384 pictures). */
  readonly patches?: number;
  /** Directions that patches are projected onto; 512 unless said otherwise. */
  readonly projections?: number;
  readonly seed?: number;
  /** Draws the generated pictures again so often for `standardError`; not at all unless said. */
  readonly resamples?: number;
}

export interface SlicedDistance {
  /** By level, from full size down to 16 pixels; times 1,000, as it is published. */
  readonly levels: readonly { readonly side: number; readonly distance: number }[];
  /** Their mean. */
  readonly mean: number;
  /** How many pictures of each set were looked at. */
  readonly pictures: number;
  /** Of the mean, over which generated pictures were drawn, from some of the projections. */
  readonly standardError?: number;
}

/**
 * Sliced Wasserstein distance of patches of a Laplacian pyramid (Karras et al. 2018,
 * arXiv:1710.10196, Section 5): 7 x 7 patches at random places, each channel of each set brought to
 * mean 0 and variance 1, projected onto random directions and sorted. Each level sees structure of
 * its own size. 0 or more; compare only results of equally many pictures and patches.
 * @throws UserError for pictures of different sizes or below 16 x 16, and pixels that are not finite
 */
export function slicedDistance({
  real,
  fake,
  pictures = 512,
  patches = 32,
  projections = 512,
  seed = 0,
  resamples = 0,
}: SlicedOptions): SlicedDistance {
  check(real, fake);
  const n = Math.min(pictures, real.shape[0], fake.shape[0]);
  const some = (of: Pictures, which: string) =>
    laplacian(takePictures(of, drawRows({ n, of: of.shape[0], seed, purpose: `sliced ${which}` })));
  const [reals, fakes] = [some(real, "real"), some(fake, "fake")];
  const again = Array.from({ length: resamples }, (_, counter) =>
    drawRowsAgain({ n, of: n, seed, purpose: "sliced again", counter }),
  );
  const levels = reals.map((level, i) => {
    const other = fakes[i] ?? level;
    const cut = (of: Pictures, which: string) =>
      descriptors(of, { patches, seed, purpose: `sliced patches ${which}`, counter: i });
    const [a, b] = [cut(level, "real"), cut(other, "fake")];
    const found = sliced({ a, b }, { projections, seed, level: i, again, patches });
    return { side: level.shape[2], ...found };
  });
  const meanOf = (value: (level: (typeof levels)[number]) => number): number =>
    levels.reduce((sum, level) => sum + value(level), 0) / levels.length;
  const others = again.map((_, r) => meanOf((level) => level.again[r] ?? 0));
  return {
    levels: levels.map(({ side, distance }) => ({ side, distance })),
    mean: meanOf((level) => level.distance),
    pictures: n,
    ...(resamples > 1 ? { standardError: deviation(others) } : {}),
  };
}

function deviation(values: readonly number[]): number {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1));
}

function check(real: Pictures, fake: Pictures): void {
  const size = ({ shape: [, ...rest] }: Pictures) => rest.join(" x ");
  if (size(real) !== size(fake)) {
    throw new UserError(
      `${metric} compares pictures of one size, and the real ones are ${size(real)}, the generated ` +
        `ones ${size(fake)} (channels x height x width).`,
    );
  }
  const [n, , height, width] = real.shape;
  if (Math.min(height, width) < leastSide) {
    throw new UserError(
      `${metric} needs pictures of at least ${leastSide} x ${leastSide}, not ${height} x ${width}.`,
    );
  }
  if (Math.min(n, fake.shape[0]) < 1)
    throw new UserError(`${metric} needs pictures on both sides.`);
  if (real.data.every(Number.isFinite) && fake.data.every(Number.isFinite)) return;
  throw new UserError(`${metric} needs finite pixels. A net that has diverged gives others.`);
}

/** The levels of a Laplacian pyramid, from the finest; the last is the low-pass rest. */
export function laplacian(pictures: Pictures): Pictures[] {
  const levels = [pictures];
  for (let last = pictures; Math.min(last.shape[2], last.shape[3]) >= 2 * leastSide;) {
    const smaller = reduce(last);
    const back = expand(smaller, { height: last.shape[2], width: last.shape[3] });
    const data = Float64Array.from(last.data, (v, i) => v - (back.data[i] ?? 0));
    levels[levels.length - 1] = { shape: last.shape, data };
    levels.push(smaller);
    last = smaller;
  }
  return levels;
}

/** Blurred, and every second pixel of that. */
function reduce(pictures: Pictures): Pictures {
  const [, , height, width] = pictures.shape;
  const half = { height: Math.ceil(height / 2), width: Math.ceil(width / 2) };
  return eachPlane(pictures, half, (x) => {
    const soft = blur(x, height, width);
    return (i, j) => soft[2 * i * width + 2 * j] ?? 0;
  });
}

/** Zeros between the pixels, blurred, times 4. */
function expand(pictures: Pictures, to: { height: number; width: number }): Pictures {
  const width = pictures.shape[3];
  return eachPlane(pictures, to, (x) => {
    const wide = new Float64Array(to.height * to.width);
    for (let at = 0; at < x.length; at++) {
      wide[2 * Math.floor(at / width) * to.width + 2 * (at % width)] = 4 * (x[at] ?? 0);
    }
    const soft = blur(wide, to.height, to.width);
    return (i, j) => soft[i * to.width + j] ?? 0;
  });
}

/** New planes of another size, pixel by pixel. */
function eachPlane(
  pictures: Pictures,
  { height, width }: { height: number; width: number },
  pixels: (plane: Float64Array) => (i: number, j: number) => number,
): Pictures {
  const [n, channels] = pictures.shape;
  const data = new Float64Array(n * channels * height * width);
  for (let p = 0; p < n * channels; p++) {
    const at = pixels(plane(pictures, Math.floor(p / channels), p % channels));
    for (let i = 0; i < height; i++) {
      for (let j = 0; j < width; j++) data[(p * height + i) * width + j] = at(i, j);
    }
  }
  return { shape: [n, channels, height, width], data };
}

/** 1 4 6 4 1 both ways; beyond the border the picture is mirrored at its last pixel. */
function blur(x: Float64Array, height: number, width: number): Float64Array {
  const across = new Float64Array(x.length);
  const out = new Float64Array(x.length);
  const [columns, rows] = [reach(width, 1), reach(height, width)];
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++) across[at++] = tapped(x, i * width, columns, 5 * j);
  }
  for (let i = 0, at = 0; i < height; i++) {
    for (let j = 0; j < width; j++) out[at++] = tapped(across, j, rows, 5 * i);
  }
  return out;
}

/** Where the five taps of each place along an axis of `n` lie, `stride` apart. */
const reach = (n: number, stride: number): Int32Array =>
  Int32Array.from(
    { length: 5 * n },
    (_, k) => stride * mirrored(Math.floor(k / 5) + (k % 5) - 2, n),
  );

function tapped(x: Float64Array, from: number, places: Int32Array, k: number): number {
  const value = (t: number): number => x[from + (places[k + t] ?? 0)] ?? 0;
  return (value(0) + value(4) + 4 * (value(1) + value(3)) + 6 * value(2)) / 16;
}

function mirrored(i: number, n: number): number {
  if (i < 0) return -i;
  return i < n ? i : 2 * (n - 1) - i;
}

/** Patches at random places, [n * patches, channels * 49], each channel to mean 0 and variance 1. */
function descriptors(
  { shape: [n, channels, height, width], data }: Pictures,
  draw: { patches: number; seed: number; purpose: string; counter: number },
): Matrix {
  const rows = n * draw.patches;
  const cols = channels * patch * patch;
  const drawn = (of: number, axis: string) =>
    drawRowsAgain({ ...draw, n: rows, of, purpose: `${draw.purpose} ${axis}` });
  const [top, left] = [drawn(height - patch + 1, "y"), drawn(width - patch + 1, "x")];
  const out = new Float32Array(rows * cols);
  for (let p = 0; p < rows; p++) {
    for (let t = 0; t < cols; t++) {
      const [c, y, x] = [Math.floor(t / patch / patch), Math.floor(t / patch) % patch, t % patch];
      const line = (Math.floor(p / draw.patches) * channels + c) * height + (top[p] ?? 0) + y;
      out[p * cols + t] = data[line * width + (left[p] ?? 0) + x] ?? 0;
    }
  }
  for (let c = 0; c < channels; c++) standardise({ rows, cols, data: out }, c * patch * patch);
  return { rows, cols, data: out };
}

/** Brings the 49 columns from `from`, taken together, to mean 0 and variance 1; constants to 0. */
function standardise({ rows, cols, data }: Matrix, from: number): void {
  const n = rows * patch * patch;
  const sumOf = (value: (v: number) => number) => {
    let sum = 0;
    for (let p = 0; p < rows; p++) {
      for (let t = from; t < from + patch * patch; t++) sum += value(data[p * cols + t] ?? 0);
    }
    return sum;
  };
  const mean = sumOf((v) => v) / n;
  const deviation = Math.sqrt(sumOf((v) => (v - mean) ** 2) / n);
  for (let p = 0; p < rows; p++) {
    for (let t = from; t < from + patch * patch; t++) {
      data[p * cols + t] = deviation > 0 ? ((data[p * cols + t] ?? 0) - mean) / deviation : 0;
    }
  }
}

const directionsAtOnce = 128; // rows of a tile of products
const directionsAgain = 32; // that the pictures drawn again are seen from

/**
 * The mean over random directions of the mean distance between sorted projections, times 1,000; and the
 * same from the first directions alone for the pictures drawn again, `again[r]` of them at a time.
 */
function sliced(
  { a, b }: { a: Matrix; b: Matrix },
  o: { projections: number; seed: number; level: number; again: Int32Array[]; patches: number },
): { distance: number; again: number[] } {
  let total = 0;
  const again = o.again.map(() => 0);
  for (let from = 0; from < o.projections; from += directionsAtOnce) {
    const directions = directionsFrom(from, { ...o, cols: a.cols });
    const [real, fake] = [projected(a, directions), projected(b, directions)];
    for (const line of real) line.sort();
    if (from === 0) {
      for (const [r, pictures] of o.again.entries()) {
        const some = fake.slice(0, directionsAgain);
        const drawn = some.map((line) => drawAgain(line, pictures, o.patches).toSorted());
        again[r] = (1e3 * sumOfGaps(drawn, real)) / drawn.length;
      }
    }
    for (const line of fake) line.sort();
    total += sumOfGaps(real, fake);
  }
  return { distance: (1e3 * total) / o.projections, again };
}

/** Sums over directions of the mean distance between two sorted lines. */
function sumOfGaps(a: readonly Float32Array[], b: readonly Float32Array[]): number {
  let total = 0;
  for (const [d, x] of a.entries()) {
    const y = b[d] ?? x;
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += Math.abs((x[i] ?? 0) - (y[i] ?? 0));
    total += sum / x.length;
  }
  return total;
}

/** The projections of the patches of some pictures, each with all of its patches. */
function drawAgain(line: Float32Array, pictures: Int32Array, patches: number): Float32Array {
  const drawn = new Float32Array(line.length);
  for (const [i, picture] of pictures.entries())
    drawn.set(line.subarray(picture * patches, (picture + 1) * patches), i * patches);
  return drawn;
}

/** Unit vectors, [directions, cols]; each depends on its number alone. */
function directionsFrom(
  from: number,
  o: { projections: number; seed: number; level: number; cols: number },
): Matrix {
  const { seed, cols } = o;
  const stream = streamOf(`metric sliced directions ${o.level}`);
  const rows = Math.min(directionsAtOnce, o.projections - from);
  const data = new Float64Array(rows * cols);
  const direction = new Float32Array(cols);
  for (let i = 0; i < rows; i++) {
    fillNormal(direction, { seed, stream, counter: from + i });
    const norm = Math.sqrt(direction.reduce((sum, v) => sum + v * v, 0));
    for (let j = 0; j < cols; j++) data[i * cols + j] = (direction[j] ?? 0) / norm;
  }
  return { rows, cols, data };
}

/** The rows along each direction: a line of `rows` numbers a direction. */
function projected(patches: Matrix, directions: Matrix): Float32Array[] {
  const lines = Array.from({ length: directions.rows }, () => new Float32Array(patches.rows));
  forEachTile({ a: patches, b: directions, kernel: "dot" }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let j = 0; j < bRows; j++) {
      const line = lines[bFrom + j];
      if (line === undefined) continue;
      for (let i = 0; i < aRows; i++) line[aFrom + i] = values[i * stride + j] ?? 0;
    }
  });
  return lines;
}
