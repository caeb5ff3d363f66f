import { UserError } from "@duelo/core";
import { drawPairs, type RowPairs } from "./draw.ts";
import { checkPictures, plane, takePictures, type PicturePair, type Pictures } from "./pictures.ts";

const side = 11; // of the window, with a Gaussian of sigma 1.5 (Wang et al. 2004)
const window = gaussian(side, 1.5);
const [k1, k2] = [0.01, 0.03];
// Of scales 1 (full size) to 5: Wang, Simoncelli, Bovik 2003, Section 3.2.
const scaleWeights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333] as const;

/**
 * Structural similarity of each pair, -1 to 1 and 1 for equal pictures (Wang et al. 2004): an 11 x 11
 * Gaussian window of sigma 1.5 where it fits whole, C1 = (0.01 range)^2, C2 = (0.03 range)^2, the mean
 * over places and then channels.
 * @throws UserError for pictures smaller than 11 x 11, different shapes, and pixels that are not finite
 */
export function ssim({ a, b, range }: PicturePair): Float64Array {
  checkPair({ a, b, range }, "SSIM");
  return overPairs(a, (i, c) => {
    const [, , height, width] = a.shape;
    return similarity(plane(a, i, c), plane(b, i, c), { height, width, range }).whole;
  });
}

/**
 * Structural similarity over several scales (Wang, Simoncelli, Bovik 2003): the product of contrast
 * and structure at each scale and of the whole at the last, each to the power of its weight; a scale
 * halves the one before by means of 2 x 2. Pictures whose fifth scale would be smaller than the window
 * (below 176 pixels) take fewer scales, whose weights are made to sum to 1: say how many. A negative
 * factor counts as 0. 0 to 1.
 * @throws UserError as `ssim`
 */
export function msSsim({ a, b, range }: PicturePair): Float64Array {
  checkPair({ a, b, range }, "MS-SSIM");
  const nScales = scalesOf(a);
  const weights = scaleWeights.slice(0, nScales);
  const total = weights.reduce((x, y) => x + y, 0);
  return overPairs(a, (i, c) => {
    let [, , height, width] = a.shape;
    let [x, y] = [plane(a, i, c), plane(b, i, c)];
    let product = 1;
    for (const [scale, weight] of weights.entries()) {
      const { whole, structure } = similarity(x, y, { height, width, range });
      const factor = scale + 1 === nScales ? whole : structure;
      product *= Math.max(0, factor) ** (weight / total);
      [x, y] = [halved(x, height, width), halved(y, height, width)];
      [height, width] = [height >> 1, width >> 1];
    }
    return product;
  });
}

/** How many of the five scales such pictures have. */
export function scalesOf({ shape: [, , height, width] }: Pictures): number {
  const least = Math.min(height, width);
  return scaleWeights.filter((_, scale) => least >> scale >= side).length;
}

/**
 * Diversity of a set: the mean MS-SSIM of random pairs of its pictures, a picture never with itself
 * (Odena et al. 2017, arXiv:1610.09585, Section 4.2). Lower is more diverse; compare with the same of
 * real pictures.
 * @returns the mean, the value of each pair and which pictures it is of, for an interval
 * @throws UserError for fewer than 2 pictures, and as `ssim`
 */
export function msSsimDiversity({
  pictures,
  range,
  pairs = 1000,
  seed = 0,
}: {
  pictures: Pictures;
  range: number;
  pairs?: number;
  seed?: number;
}): { mean: number; values: Float64Array; scales: number } & RowPairs {
  const of = pictures.shape[0];
  if (of < 2) {
    throw new UserError(`The diversity of pictures needs at least 2 of them, and there are ${of}.`);
  }
  const { first, second } = drawPairs({ pairs, of, seed });
  const values = new Float64Array(pairs);
  const atOnce = Math.max(1, Math.floor((numbersAtOnce * of) / pictures.data.length));
  for (let from = 0; from < pairs; from += atOnce) {
    const some = (rows: Int32Array) => takePictures(pictures, rows.subarray(from, from + atOnce));
    values.set(msSsim({ a: some(first), b: some(second), range }), from);
  }
  const mean = values.reduce((x, y) => x + y, 0) / values.length;
  return { mean, values, scales: scalesOf(pictures), first, second };
}

const numbersAtOnce = 2 ** 22; // of each side of the pairs that are held together

function checkPair(pair: PicturePair, metric: string): void {
  checkPictures(pair, metric);
  const [, , height, width] = pair.a.shape;
  if (Math.min(height, width) >= side) return;
  throw new UserError(
    `${metric} looks through a window of ${side} x ${side} pixels, and these pictures have ${height} x ${width}.`,
  );
}

function overPairs(
  { shape: [n, channels] }: Pictures,
  value: (picture: number, channel: number) => number,
): Float64Array {
  return Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += value(i, c);
    return sum / channels;
  });
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** The mean of (luminance x contrast x structure), and of contrast x structure alone. */
function similarity(
  x: Float64Array,
  y: Float64Array,
  { height, width, range }: Size & { range: number },
): { whole: number; structure: number } {
  const [c1, c2] = [(k1 * range) ** 2, (k2 * range) ** 2];
  const size = { height, width };
  const meanX = filtered(x, size);
  const meanY = filtered(y, size);
  // Around the windows' means float64 loses nothing that shows; var = E[x^2] - E[x]^2 as in the paper.
  const squareX = filtered(x.map((v) => v * v), size); // prettier-ignore
  const squareY = filtered(y.map((v) => v * v), size); // prettier-ignore
  const product = filtered(x.map((v, i) => v * (y[i] ?? 0)), size); // prettier-ignore
  let [whole, structure] = [0, 0];
  for (let i = 0; i < meanX.length; i++) {
    const [mx, my] = [meanX[i] ?? 0, meanY[i] ?? 0];
    const spread = (squareX[i] ?? 0) - mx * mx + (squareY[i] ?? 0) - my * my;
    const both = (product[i] ?? 0) - mx * my;
    const s = (2 * both + c2) / (spread + c2);
    structure += s;
    whole += (s * (2 * mx * my + c1)) / (mx * mx + my * my + c1);
  }
  return { whole: whole / meanX.length, structure: structure / meanX.length };
}

/** The window's mean at each place where it fits, rows first, then columns. */
function filtered(x: Float64Array, { height, width }: Size): Float64Array {
  const [rows, cols] = [height - side + 1, width - side + 1];
  const across = new Float64Array(height * cols);
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let t = 0; t < side; t++) sum += (window[t] ?? 0) * (x[i * width + j + t] ?? 0);
      across[i * cols + j] = sum;
    }
  }
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) {
      let sum = 0;
      for (let t = 0; t < side; t++) sum += (window[t] ?? 0) * (across[(i + t) * cols + j] ?? 0);
      out[i * cols + j] = sum;
    }
  }
  return out;
}

/** Means of 2 x 2 pixels; a last odd row or column is left out. */
function halved(x: Float64Array, height: number, width: number): Float64Array {
  const [rows, cols] = [height >> 1, width >> 1];
  return Float64Array.from({ length: rows * cols }, (_, at) => {
    const from = 2 * Math.floor(at / cols) * width + 2 * (at % cols);
    const upper = (x[from] ?? 0) + (x[from + 1] ?? 0);
    return (upper + (x[from + width] ?? 0) + (x[from + width + 1] ?? 0)) / 4;
  });
}

function gaussian(length: number, sigma: number): Float64Array {
  const middle = (length - 1) / 2;
  const bell = Float64Array.from({ length }, (_, i) =>
    Math.exp(-((i - middle) ** 2) / 2 / sigma ** 2),
  );
  const sum = bell.reduce((a, b) => a + b, 0);
  return bell.map((v) => v / sum);
}
