import { suggestion, UserError } from "@duelo/core";
import { openData } from "../data/open.ts";
import type { Dataset } from "../data/dataset.ts";
import type { FeatureNet } from "../features/feature-net.ts";
import { readField } from "../feeder.ts";
import { drawRows } from "../metrics/draw.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import { targetOf } from "../picture-files.ts";
import { toBytes, type Pixels } from "../report/grid.ts";
import { plural } from "../report/words.ts";
import { balancedAccuracy, linearSvm, margins, type Plane } from "./linear-svm.ts";
import type { StyleRun } from "./style-run.ts";

/** Something that pictures have or have not, by labels of real pictures. */
export interface AttributeRequest {
  /** A named set, or a folder whose sub-folders are classes. */
  readonly data: string;
  /** Narrows a named set. */
  readonly select?: Readonly<Record<string, string>>;
  /** What has it and what has it not: two classes, or, where no class is called so, words of captions. */
  readonly between: readonly [positive: string, negative: string];
}

/** An attribute as a plane in the features of a network. */
export interface Attribute {
  readonly name: string;
  /** Real pictures on each side. */
  readonly nPositive: number;
  readonly nNegative: number;
  /** On the three tenths that it was not fitted to: the mean of both sides; 0.5 is guessing. */
  readonly accuracy: number;
  /** How many the three tenths are. */
  readonly nTested: number;
  /** How far each picture is on the positive side, from its features. */
  score(features: Matrix): Float64Array;
}

/** Fits a plane between the features of real pictures with and without something. Throws UserError. */
export async function fitAttribute(o: {
  request: AttributeRequest;
  run: StyleRun;
  net: FeatureNet;
  cacheDir: string;
  seed: number;
  stop: { readonly signal?: AbortSignal };
}): Promise<Attribute> {
  const { request, run, net, cacheDir, seed, stop } = o;
  const [positive, negative] = request.between;
  if (positive === negative)
    throw new UserError(`Both sides are "${positive}". Name two that differ.`);
  const { fit, background, height, width, channels } = targetOf(run.trained.info, run.shape);
  const { data: spec, select } = request;
  const asked = {
    spec,
    domain: "image",
    height,
    width,
    channels,
    fit,
    background,
    cacheDir,
  } as const;
  const dataset = await openData({ ...asked, ...(select === undefined ? {} : { select }) }, stop);
  try {
    const { positive: has, negative: hasNot } = sidesOf(dataset, request);
    const places = [...has, ...hasNot];
    const sides = { nPositive: has.length, nNegative: hasNot.length };
    const x = readField(dataset, "x", places);
    const pixels = Uint8Array.from(x.data);
    const { features } = await net.extract({
      ...stop,
      pixels,
      shape: [places.length, channels, height, width],
    });
    return attributeBetween({ name: `${positive} against ${negative}`, features, sides, seed });
  } finally {
    dataset.close();
  }
}

/** An attribute from the features of pictures that have it, followed by those of pictures that have not. */
export function attributeBetween(o: {
  name: string;
  features: Matrix;
  sides: Sides;
  seed: number;
}): Attribute {
  const { name, features, sides, seed } = o;
  const { fit, test, sideOf } = split(sides, seed);
  const scale = scaleOf(takeRows(features, fit));
  const of = (rows: readonly number[]) => ({
    x: standard(takeRows(features, rows), scale),
    y: rows.map(sideOf),
  });
  const plane = linearSvm({ ...of(fit), seed });
  const { x, y } = of(test);
  return {
    ...{ name, ...sides, accuracy: balancedAccuracy(plane, x, y), nTested: test.length },
    score: (seen) => margins(plane, standard(seen, scale)),
  };
}

interface Scale {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** Rows with something come first, those without after them. */
export interface Sides {
  readonly nPositive: number;
  readonly nNegative: number;
}

/** Of each side seven tenths to fit to and three to test on, by chance; of two and more one at least for both. */
function split({ nPositive, nNegative }: Sides, seed: number) {
  const halves = [
    { n: nPositive, from: 0 },
    { n: nNegative, from: nPositive },
  ].map(({ n, from }) => {
    const order = Array.from(drawRows({ n, of: n, seed, purpose: "attribute" }), (i) => from + i);
    const nFit = Math.min(Math.round(0.7 * n), n - 1);
    return { fit: order.slice(0, nFit), test: order.slice(nFit) };
  });
  return {
    fit: halves.flatMap((half) => half.fit),
    test: halves.flatMap((half) => half.test),
    sideOf: (i: number): number => (i < nPositive ? 1 : -1),
  };
}

function scaleOf({ rows, cols, data }: Matrix): Scale {
  const mean = new Float64Array(cols);
  const square = new Float64Array(cols);
  for (let i = 0; i < data.length; i++)
    mean[i % cols] = (mean[i % cols] ?? 0) + (data[i] ?? 0) / rows;
  for (let i = 0; i < data.length; i++)
    square[i % cols] = (square[i % cols] ?? 0) + ((data[i] ?? 0) - (mean[i % cols] ?? 0)) ** 2;
  return { mean, deviation: square.map((s) => Math.sqrt(s / rows) || 1) };
}

const standard = ({ rows, cols, data }: Matrix, { mean, deviation }: Scale): Matrix => ({
  rows,
  cols,
  data: Float64Array.from(data, (v, i) => (v - (mean[i % cols] ?? 0)) / (deviation[i % cols] ?? 1)),
});

const fewest = 10;

function sidesOf(
  dataset: Dataset,
  { between }: AttributeRequest,
): { positive: number[]; negative: number[] } {
  const { classes = [], captions = [] } = dataset;
  const n = dataset.length;
  const labels = dataset.fields["y"] === undefined ? undefined : labelsOf(dataset);
  const having = (what: string): number[] => {
    const index = classes.indexOf(what);
    const has = (i: number): boolean =>
      index >= 0 ? labels?.[i] === index : hasWords(captions[i % captions.length] ?? "", what);
    return Array.from({ length: n }, (_, i) => i).filter(has);
  };
  const [positive, negative] = between.map(having);
  if (positive === undefined || negative === undefined) throw new TypeError("two sides");
  const both = new Set(positive.filter((i) => negative.includes(i)));
  const sides = [positive, negative].map((side) => side.filter((i) => !both.has(i)));
  for (const [k, side] of sides.entries()) {
    const what = between[k] ?? "";
    if (side.length >= fewest) continue;
    const known = classes.length === 0 ? "" : ` Classes: ${classes.join(", ")}.`;
    throw new UserError(
      `${dataset.name} has ${plural(side.length, "picture")} of "${what}"${both.size === 0 ? "" : ` that are not of the other side too (${both.size} are)`}, and an attribute takes ${fewest} and more on each side.${suggestion(what, classes)}${known}`,
    );
  }
  return { positive: sides[0] ?? [], negative: sides[1] ?? [] };
}

const labelsOf = (dataset: Dataset): ArrayLike<number> =>
  readField(
    dataset,
    "y",
    Int32Array.from({ length: dataset.length }, (_, i) => i),
  ).data;

/**
 * Whether a caption has these words, whole and in a row: "dark skin tone" is not in "medium-dark skin
 * tone". Words may be joined by hyphens: dark-skin-tone.
 */
export function hasWords(caption: string, words: string): boolean {
  const text = caption.toLowerCase().replaceAll(/[,;:.!?()\s]+/g, " ");
  const asked = words.toLowerCase().trim();
  return [asked, asked.replaceAll("-", " ")].some((w) => ` ${text} `.includes(` ${w} `));
}

/** What a network sees in pictures of a generator. */
export async function featuresOfPictures(
  pictures: Pixels,
  net: FeatureNet,
  stop: { readonly signal?: AbortSignal } = {},
): Promise<Matrix> {
  const pixels = toBytes(pictures.pixels, pictures.range);
  return (await net.extract({ ...stop, pixels, shape: pictures.shape })).features;
}

/** A plane in W between rows of w that have something and rows that have not. */
export interface Boundary {
  readonly plane: Plane;
  /** On the three tenths that it was not fitted to. */
  readonly accuracy: number;
  /** How many the three tenths are. */
  readonly nTested: number;
}

/**
 * The plane in W between what has an attribute and what has not (InterFaceGAN: Shen et al. 2019,
 * arXiv:1907.10786, Section 3): of the rows the tenth with the highest and that with the lowest score.
 */
export function boundaryOf(o: { w: Matrix; scores: ArrayLike<number>; seed: number }): Boundary {
  const { w, scores, seed } = o;
  const order = Array.from({ length: w.rows }, (_, i) => i).toSorted(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0),
  );
  const nSide = Math.max(2, Math.floor(w.rows / 10));
  const positive = takeRows(w, order.slice(0, nSide));
  const negative = takeRows(w, order.slice(-nSide));
  return planeBetween({ positive, negative, seed });
}

/** The plane between two sets of w, and how well it divides those it was not fitted to. */
export function planeBetween(o: { positive: Matrix; negative: Matrix; seed: number }): Boundary {
  const { positive, negative, seed } = o;
  const all = Float64Array.from([...positive.data, ...negative.data]);
  const sides = { nPositive: positive.rows, nNegative: negative.rows };
  const w = { rows: positive.rows + negative.rows, cols: positive.cols, data: all };
  const { fit, test, sideOf } = split(sides, seed);
  const plane = linearSvm({ x: takeRows(w, fit), y: fit.map(sideOf), seed });
  const accuracy = balancedAccuracy(plane, takeRows(w, test), test.map(sideOf));
  return { plane, accuracy, nTested: test.length };
}
