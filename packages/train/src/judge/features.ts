import { UserError } from "@duelo/core";
import { keptFeatures } from "../features/cache.ts";
import type { FeatureNet, FeatureRequest, Features as Seen } from "../features/feature-net.ts";
import { featureNet, featureNets, isNetworkFile, noFeatures } from "../features/named-net.ts";
import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";
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
  /** Whether it is the network of published FID. */
  readonly isClassic?: boolean;
  /** Whether it gives probabilities of classes too. */
  readonly classifies?: boolean;
  /** One row a sample. `progress` counts samples. */
  of(side: Side, hooks?: Pick<FeatureRequest, "progress" | "signal">): Promise<Seen>;
  /** What some layers make of pictures from 0 to 255; only of networks that show them. */
  activations?(pictures: Pictures): Promise<readonly Pictures[]>;
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
  of: async (side) => ({ features: pixelFeatures(side) }),
};

/** The numbers of a row as they are. */
const raw: Features = {
  ...none,
  name: "raw",
  about: "the numbers of points and tables as they are",
  resizer: "none",
  of: async (side) => ({ features: rowsOf(side) }),
};

/** Of samples that are compared with what each should be, pixel by pixel. */
export const pixelByPixel: Features = {
  ...none,
  name: "none",
  about: "each picture is compared with the one that it should be",
  resizer: "pixel by pixel",
  of: async ({ n }) => ({ features: { rows: n, cols: 0, data: new Float32Array() } }),
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
 * The features that were asked for, by name or by the path of a network; `defaultFeatures` unless asked.
 * @throws UserError with the nearest name, or when they do not fit the samples
 */
export async function openFeatures(request: {
  readonly name?: string | undefined;
  readonly cacheDir: string;
  /** What they are to fit: the reference. */
  readonly samples: Side;
}): Promise<Features> {
  const { samples, cacheDir, name = defaultFeatures(samples) } = request;
  const fitting = areImages(samples) ? pixels : raw;
  if (name === fitting.name) return fitting;
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

const emojiSets = new Set(["emoji", "openmoji", "emoji-google", "emoji-twitter"]);

/**
 * What samples are compared by unless something else is asked for, in training, in tuning and in `eval`:
 * a classifier of their own where Duelo has one, else the plain features of their kind.
 */
export function defaultFeatures({ name, shape }: Pick<Side, "name" | "shape">): string {
  if (shape.length !== 3) return raw.name;
  if (name === "fashion-mnist" && shape[0] === 1) return "fashion-classifier";
  if (emojiSets.has(name) && (shape[0] === 1 || shape[0] === 3)) return "emoji-classifier";
  return pixels.name;
}

const classicAbout =
  "2,048 features of the Inception network of 2015, that of published FID: compare equal counts of images and the same reference only";

/** What a network sees; of sets, not of what a generator made, it is kept. */
function ofNet(net: FeatureNet, o: { about: string; cacheDir: string }): Features {
  const { cacheDir } = o;
  return {
    name: net.name,
    about: net.isClassic === true ? classicAbout : o.about,
    digest: net.digest,
    resizer: net.resizer,
    isClassic: net.isClassic ?? false,
    classifies: net.classifies,
    async of({ data, shape, n, step, key }, hooks = {}) {
      const [c = 1, h = 1, w = 1] = shape;
      if (!(data instanceof Uint8Array)) throw new TypeError("images are bytes");
      const make = () => net.extract({ pixels: data, shape: [n, c, h, w], ...hooks });
      return step === undefined ? keptFeatures({ key, n, net, cacheDir }, make) : make();
    },
    ...(net.hasLayers
      ? {
          activations: ({ data, shape }) =>
            net.activations({ pixels: Float32Array.from(data), shape }),
        }
      : {}),
    close: () => net.close(),
  };
}

/** Coordinates along the principal axes of the reference. */
function principalOf(reference: Side): Features {
  const axes = principalAxes(numbersOf(reference), { most: nPrincipal });
  return {
    ...{ ...none, ...principal, resizer: "none" },
    of: async (side) => ({ features: project(numbersOf(side), axes) }),
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
