import { UserError } from "@duelo/core";
import { keptFeatures } from "../features/cache.ts";
import type { FeatureNet } from "../features/feature-net.ts";
import { featureNet, featureNets, isNetworkFile, noFeatures } from "../features/named-net.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { principalAxes, project } from "../metrics/principal.ts";
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

const nPrincipal = 64;

const principal = {
  name: "pca",
  about: `up to ${nPrincipal} principal components of the reference: of images, of their pixels from 0 to 1, and those that 256 images span`,
};

/** Every kind of features that a name can ask for. */
export const featureKinds: readonly Pick<Features, "name" | "about">[] = [
  pixels,
  raw,
  principal,
  ...featureNets,
];

/**
 * The features that were asked for, by name or by the path of a network, or the plain ones for the kind
 * of samples.
 * @throws UserError with the nearest name, or when they do not fit the samples
 */
export async function openFeatures(request: {
  readonly asked?: { readonly name: string; readonly cacheDir: string } | undefined;
  /** What they are to fit: the reference. */
  readonly samples: Side;
}): Promise<Features> {
  const { asked, samples } = request;
  const fitting = areImages(samples) ? pixels : raw;
  if (asked === undefined || asked.name === fitting.name) return fitting;
  const { name, cacheDir } = asked;
  if (name === principal.name) return principalOf(samples);
  const names = featureKinds.map((f) => f.name);
  if (!isNetworkFile(name) && !names.includes(name)) noFeatures(name, names);
  if (!areImages(samples) || name === raw.name) {
    const what = areImages(samples) ? "images" : "points";
    throw new UserError(`Features ${name} are not for ${what}. Leave --features out.`);
  }
  const about = featureNets.find((net) => net.name === name)?.about ?? "a network of a file";
  return ofNet(await featureNet({ name, cacheDir }), { about, cacheDir });
}

/** What `eval` compares by unless told otherwise; undefined for the plain ones. */
export const defaultFeatures = ({ name, shape }: Side): string | undefined =>
  name === "fashion-mnist" && shape.join("x") === "1x28x28" ? "fashion-classifier" : undefined;

/** What a network sees; of sets, not of what a generator made, it is kept. */
function ofNet(net: FeatureNet, o: { about: string; cacheDir: string }): Features {
  return {
    name: net.name,
    about: o.about,
    digest: net.digest,
    resizer: net.resizer,
    async of({ data, shape, n, step, key }, progress) {
      const [c = 1, h = 1, w = 1] = shape;
      if (!(data instanceof Uint8Array)) throw new TypeError("images are bytes");
      const reports = progress === undefined ? {} : { progress };
      const make = () => net.extract({ pixels: data, shape: [n, c, h, w], ...reports });
      const made =
        step === undefined
          ? await keptFeatures({ key, n, net, cacheDir: o.cacheDir }, make)
          : await make();
      return made.features;
    },
    close: () => net.close(),
  };
}

/** Coordinates along the principal axes of the reference. */
function principalOf(reference: Side): Features {
  const axes = principalAxes(numbersOf(reference), { most: nPrincipal });
  return {
    ...{ ...none, ...principal, resizer: "none" },
    of: async (side) => project(numbersOf(side), axes),
  };
}

/** Points as they are, pixels from 0 to 1. */
function numbersOf(side: Side): Matrix {
  const { rows, cols, data } = rowsOf(side);
  return areImages(side) ? { rows, cols, data: data.map((v) => v / 255) } : { rows, cols, data };
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
