import { suggestion, UserError } from "@duelo/core";
import type { Matrix } from "../metrics/matrix.ts";
import { areImages, rowsOf, type Side } from "./side.ts";

/** What turns samples into the numbers that most metrics compare. */
export interface Features {
  /** Every result is named after it. */
  readonly name: string;
  /** What it is, in one line. */
  readonly about: string;
  /** Digest of the network's file; left out where there is no network. */
  readonly digest?: string;
  /** What happens to an image before it, such as `area to 8x8`. */
  readonly resizer: string;
  /** One row a sample. `progress` counts samples. */
  of(side: Side, progress?: (done: number, total: number) => void): Promise<Matrix>;
  close(): Promise<void>;
}

const pixelSide = 8;

const none = { close: async () => {} };

/** Pixels themselves: no network, so no judge of content; colours and rough shapes only. */
const pixels: Features = {
  ...none,
  name: `pixels-${pixelSide}`,
  about: `means of the pixels over an ${pixelSide} x ${pixelSide} grid, 0 to 1: colours and rough shapes, no content`,
  resizer: `area to ${pixelSide}x${pixelSide}`,
  of: async (side) => pixelFeatures(side),
};

/** The numbers of a row as they are. */
const raw: Features = {
  ...none,
  name: "raw",
  about: "the numbers of points and tables as they are",
  resizer: "none",
  of: async (side) => rowsOf(side),
};

/** Every kind of features that a name can ask for. */
export const featureKinds: readonly Pick<Features, "name" | "about">[] = [pixels, raw];

/**
 * The features of that name, or the default for the kind of samples.
 * @throws UserError with the nearest name, or when they do not fit the samples
 */
export async function openFeatures(request: {
  readonly name?: string | undefined;
  readonly samples: Side;
}): Promise<Features> {
  const { name, samples } = request;
  const fitting = areImages(samples) ? pixels : raw;
  if (name === undefined || name === fitting.name) return fitting;
  const names = featureKinds.map((f) => f.name);
  if (names.includes(name)) {
    const what = areImages(samples) ? "images" : "points";
    throw new UserError(`Features ${name} are not for ${what}. Leave --features out.`);
  }
  throw new UserError(
    `There are no features "${name}".${suggestion(name, names)} Features: ${names.join(", ")}.`,
  );
}

/** Means over the cells of a grid of at most 8 x 8, each channel for itself: [n, C * 8 * 8]. */
function pixelFeatures({ n, shape, data }: Side): Matrix {
  const [c = 1, h = 1, w = 1] = shape;
  const [gridH, gridW] = [Math.min(pixelSide, h), Math.min(pixelSide, w)];
  const cols = c * gridH * gridW;
  const out = new Float32Array(n * cols);
  const counts = new Float32Array(gridH * gridW);
  const cell = (y: number, x: number): number =>
    Math.floor((y * gridH) / h) * gridW + Math.floor((x * gridW) / w);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) counts[cell(y, x)] = (counts[cell(y, x)] ?? 0) + 1;
  for (let plane = 0; plane < n * c; plane++) {
    const to = plane * gridH * gridW;
    for (let y = 0; y < h; y++) {
      for (let x = 0; x < w; x++) {
        const at = to + cell(y, x);
        out[at] = (out[at] ?? 0) + (data[(plane * h + y) * w + x] ?? 0);
      }
    }
    for (let k = 0; k < counts.length; k++)
      out[to + k] = (out[to + k] ?? 0) / (255 * (counts[k] ?? 1));
  }
  return { rows: n, cols, data: out };
}
