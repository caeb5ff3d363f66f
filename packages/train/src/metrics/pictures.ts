import { UserError } from "@duelo/core";
import { bicubicResizer } from "../bicubic.ts";

/** Pictures as the runtime gives them. */
export interface Pictures {
  readonly shape: readonly [n: number, channels: number, height: number, width: number];
  /** [n, channels, height, width] */
  readonly data: Float32Array | Float64Array | Uint8Array;
}

/** Pictures to compare one by one. */
export interface PicturePair {
  readonly a: Pictures;
  readonly b: Pictures;
  /** The largest pixel value less the smallest: 255 for bytes, 2 for [-1, 1]. It changes the result. */
  readonly range: number;
}

/** Throws UserError unless both hold pictures of one size, equally many, with finite pixels. */
export function checkPictures({ a, b, range }: PicturePair, metric: string): void {
  const size = (p: Pictures) => p.shape.join(" x ");
  if (size(a) !== size(b)) {
    throw new UserError(
      `${metric} compares pictures pair by pair, and these are ${size(a)} and ${size(b)} ` +
        "(pictures x channels x height x width).",
    );
  }
  if (a.shape[0] < 1) throw new UserError(`${metric} needs at least 1 pair of pictures.`);
  if (!(range > 0 && Number.isFinite(range))) {
    throw new UserError(`${metric} needs the range of the pixels, above 0; it is ${range}.`);
  }
  for (const { data, shape } of [a, b]) {
    if (data.length !== shape.reduce((x, y) => x * y, 1)) {
      throw new RangeError(`${size({ data, shape })} pictures have ${data.length} numbers`);
    }
    const bad = data.findIndex((v) => !Number.isFinite(v));
    if (bad < 0) continue;
    const picture = Math.floor(bad / (data.length / shape[0]));
    throw new UserError(
      `${metric} needs finite pixels, and picture ${picture} has ${data[bad]}. A net that has diverged gives such pixels.`,
    );
  }
}

/** One channel of one picture in float64, [height, width]. */
export function plane({ shape, data }: Pictures, picture: number, channel: number): Float64Array {
  const [, channels, height, width] = shape;
  const from = (picture * channels + channel) * height * width;
  return Float64Array.from(data.subarray(from, from + height * width));
}

/** Some of the pictures, in the order named. */
export function takePictures({ shape, data }: Pictures, rows: ArrayLike<number>): Pictures {
  const [n, ...rest] = shape;
  const size = data.length / n;
  const taken =
    data instanceof Uint8Array
      ? new Uint8Array(rows.length * size)
      : new Float64Array(rows.length * size);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * size;
    taken.set(data.subarray(from, from + size), i * size);
  }
  return { shape: [rows.length, ...rest], data: taken };
}

/** Pictures with so many channels: grey in every colour, opaque where alpha is asked for, without it where not. */
export function inChannels({ shape, data }: Pictures, channels: number): Pictures {
  const [n, given, height, width] = shape;
  if (given === channels) return { shape, data };
  const plane = height * width;
  const nColours = channels - ((channels + 1) % 2);
  const out = new Uint8Array(n * channels * plane).fill(255);
  for (let i = 0; i < n * nColours; i++) {
    const [picture, colour] = [Math.floor(i / nColours), i % nColours];
    const from = (picture * given + (given < 3 ? 0 : colour)) * plane;
    out.set(data.subarray(from, from + plane), (picture * channels + colour) * plane);
  }
  return { shape: [n, channels, height, width], data: out };
}

/** Pictures of pixels 0 to 255 at another size, by the bicubic filter, as bytes. */
export function resizedBicubic(
  { shape: [n, channels, height, width], data }: Pictures,
  size: { readonly height: number; readonly width: number },
): Pictures & { readonly data: Uint8Array } {
  const resize = bicubicResizer({ height, width }, size);
  const [area, newArea] = [height * width, size.height * size.width];
  const out = new Uint8Array(n * channels * newArea);
  for (let i = 0; i < n * channels; i++)
    out.set(resize(data.subarray(i * area, (i + 1) * area)), i * newArea);
  return { shape: [n, channels, size.height, size.width], data: out };
}

/**
 * Mean absolute difference of the pixels of each pair, in parts of `range`.
 * @throws UserError as `psnr` does
 */
export function l1Distance({ a, b, range }: PicturePair): Float64Array {
  checkPictures({ a, b, range }, "The L1 distance");
  const size = a.data.length / a.shape[0];
  return Float64Array.from({ length: a.shape[0] }, (_, i) => {
    let sum = 0;
    for (let at = i * size; at < (i + 1) * size; at++)
      sum += Math.abs((a.data[at] ?? 0) - (b.data[at] ?? 0));
    return sum / size / range;
  });
}

/** What equal pictures count as, in decibels. */
export const mostDecibels = 100;

/**
 * Peak signal-to-noise ratio of each pair, 10 log10(range^2 / mean squared error), in decibels;
 * Infinity for equal pictures.
 * @throws UserError for different shapes, pixels that are not finite, and a range that is not above 0
 */
export function psnr({ a, b, range }: PicturePair): Float64Array {
  checkPictures({ a, b, range }, "The signal-to-noise ratio");
  const size = a.data.length / a.shape[0];
  return Float64Array.from({ length: a.shape[0] }, (_, i) => {
    let square = 0;
    for (let at = i * size; at < (i + 1) * size; at++) {
      square += ((a.data[at] ?? 0) - (b.data[at] ?? 0)) ** 2;
    }
    return 10 * Math.log10(range ** 2 / (square / size));
  });
}
