import { UserError } from "@duelo/core";
import { featureNet } from "../features/named-net.ts";
import type { FeatureNet } from "../features/feature-net.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import { demandPlace } from "../picture-files.ts";
import { writeWhole } from "../writing.ts";
import { demandGrid, imageGrid, type Pixels } from "../report/grid.ts";
import {
  featuresOfPictures,
  fitAttribute,
  type Attribute,
  type AttributeRequest,
} from "./attribute.ts";
import {
  attributeOfLatents,
  directionFor,
  samplesFor,
  surveyed,
  twoFolders,
  type Direction,
  type DirectionRequest,
} from "./direction.ts";
import { readLatents } from "./latent-file.ts";
import { checkLayers } from "./layers.ts";
import { everyLayer, openStyleRun, stacked, type StyleRun } from "./style-run.ts";
import { sideBySide } from "./tables.ts";
import type { RunChoice } from "../export.ts";

export interface EditRequest extends RunChoice, DirectionRequest {
  /** The PNG to write: a table with a row a sample and a column a strength. */
  readonly out: string;
  /** Numbers of the samples to edit, as `sampleRun` counts them; 0 to 4 unless said otherwise. */
  readonly numbers?: readonly number[];
  /** A .npy file of `projectRun`, or a folder of them, to edit in place of samples. */
  readonly latents?: string;
  /** Where w is changed; all unless said otherwise. */
  readonly layers?: readonly number[];
  /** The strongest edit, in standard deviations of w along the direction, both ways, to 1,000; 3 unless said otherwise. */
  readonly strength?: number;
  /** Samples by which change and identity are measured; 64 unless said otherwise. */
  readonly nMeasured?: number;
  /** A feature network by name or file, by which they are measured; `emoji-classifier` unless said otherwise. */
  readonly features?: string;
  readonly label?: string;
  /** Draws w towards its average: 1 not at all, 0 altogether. */
  readonly truncation?: number;
  /** 0 unless said otherwise. */
  readonly seed?: number;
  /** Where decoded data and converted networks are kept. */
  readonly cacheDir: string;
}

/** What an edit of one strength does, over the samples measured. */
export interface Effect {
  /** In standard deviations. */
  readonly strength: number;
  /** Mean cosine between the features of edited and unedited pictures, both less the mean unedited one: 1 is the same, 0 as alike as any two. */
  readonly identity: number;
  /** Share of pictures on the attribute's positive side, and the mean of how far. */
  readonly attribute?: { readonly share: number; readonly score: number };
}

export interface Edited {
  readonly dir: string;
  readonly out: string;
  readonly direction: Omit<Direction, "apply">;
  readonly layers: readonly number[];
  /** What it was measured by; nothing is measured in a survey. */
  readonly features?: string;
  readonly attribute?: Omit<Attribute, "score">;
  /** One for each column of the table; none in a survey. */
  readonly effects: readonly Effect[];
}

interface Hooks {
  progress?(done: number, total: number): void;
  note?(line: string): void;
  readonly signal?: AbortSignal;
}

const nSteps = 3; // each way

/**
 * Moves samples along a direction of W, or changes one channel of a style, and draws a table of it; says
 * how far that changes an attribute and how far it keeps what the picture is of. Without a direction's
 * number it draws the first five of its kind. Throws UserError.
 */
export async function editRun(request: EditRequest, hooks: Hooks = {}): Promise<Edited> {
  const { seed = 0, cacheDir, features = "emoji-classifier", threads, strength = 3 } = request;
  if (!(strength > 0 && strength <= 1000))
    throw new UserError(`A strength of ${strength} is none; take a number above 0, to 1,000.`);
  demandPlace(request.out);
  demandOneWay(request, hooks.note);
  const run = await openStyleRun(request, hooks);
  let opened: Promise<FeatureNet> | undefined;
  const net = (): Promise<FeatureNet> =>
    (opened ??= featureNet({
      ...{ name: features, cacheDir },
      ...(threads === undefined ? {} : { threads }),
    }));
  try {
    const layers = checkLayers(request.layers ?? allLayers(run), run);
    const stop = hooks.signal === undefined ? {} : { signal: hooks.signal };
    const attributeOf = async (of: AttributeRequest): Promise<Attribute> =>
      fitAttribute({ request: of, run, net: await net(), cacheDir, seed, stop });
    let latents: ReturnType<typeof twoFolders> | undefined;
    const folders = () => (latents ??= twoFolders({ ...request, run }));
    const attribute =
      request.attribute === undefined && request.by === "latents"
        ? await attributeOfLatents({ ...request, run, folders, net: await net(), seed, stop })
        : request.attribute && (await attributeOf(request.attribute));
    const { nSamples = 2000, label } = request;
    const samples = samplesFor({ run, net, nSamples, seed, label, stop });
    const found = { attribute, attributeOf, samples, folders };
    const o = { ...request, ...found, strength, run, layers, seed, hooks };
    const common = { dir: run.trained.info.dir, out: request.out, layers };
    const several = await surveyed(o);
    if (several !== undefined) {
      await draw(o, several);
      return { ...common, direction: { name: several.name }, effects: [] };
    }
    const direction = await directionFor(o);
    await draw(o, { each: [direction] });
    const by = await net();
    const effects = await measured(o, direction, by);
    const { apply: _, ...said } = direction;
    return {
      ...{ ...common, direction: said, features: by.name, effects },
      ...(attribute === undefined ? {} : { attribute: saidOf(attribute) }),
    };
  } finally {
    await opened?.then(
      (one) => one.close(),
      () => undefined, // said where it was asked for
    );
    await run.close();
  }
}

/** Throws UserError for options that would have no effect beside others. */
function demandOneWay(request: EditRequest, note: Hooks["note"]): void {
  const { by, direction, numbers, latents, attribute, keep = [] } = request;
  const surveys = direction === undefined && (by === "sefa" || by === "pca");
  if (numbers !== undefined && latents !== undefined)
    throw new UserError("Samples and latents were both named. Choose which are edited.");
  if (surveys && keep.length > 0)
    throw new UserError("Say out of which --direction --keep is to be taken.");
  if (surveys && attribute !== undefined)
    throw new UserError("Say which --direction the attribute is to be measured along.");
  if (surveys && (request.nMeasured ?? request.features) !== undefined)
    throw new UserError(
      `The first directions are drawn and not measured. Leave out ${request.features === undefined ? "--measure" : "--features"}, or name a --direction.`,
    );
  if (surveys && latents !== undefined && request.truncation !== undefined)
    throw new UserError("Latents of a file are as they are. Leave out --truncation.");
  if (direction !== undefined && (by === "labels" || by === "latents"))
    throw new UserError(`There is one direction by ${by}. Leave out --direction.`);
  if (surveys && (latents !== undefined || (numbers !== undefined && numbers.length > 1)))
    note?.(
      `The first directions are drawn on ${latents === undefined ? `sample ${numbers?.[0]}` : "the first latent"} alone; name a --direction for all.`,
    );
}

const allLayers = (run: StyleRun): number[] => Array.from({ length: run.nLayers }, (_, i) => i);

const saidOf = ({ score: _score, ...rest }: Attribute): Omit<Attribute, "score"> => rest;

interface Editing extends Omit<EditRequest, "run" | "attribute"> {
  readonly strength: number;
  readonly seed: number;
  readonly run: StyleRun;
  readonly layers: readonly number[];
  readonly attribute: Attribute | undefined;
  readonly hooks: Hooks;
}

/** -strength … 0 … strength. */
const strengths = ({ strength }: Editing): number[] =>
  Array.from({ length: 2 * nSteps + 1 }, (_, i) => (strength * (i - nSteps)) / nSteps);

/** A table of the samples by one direction, or of the first sample by several. */
async function draw(
  o: Editing,
  what: { readonly each: readonly Direction[]; readonly rows?: readonly string[] },
): Promise<void> {
  const base = await subjects(o);
  const { run, layers } = o;
  const [nRows, nColumns] = [(what.rows ?? base.names).length, strengths(o).length];
  demandGrid({ shape: [nRows * nColumns, ...run.shape], columns: nColumns });
  const columns: Pixels[] = [];
  const [first] = base.numbers;
  const row = takeRows(base.ws, [0]);
  for (const strength of strengths(o)) {
    if (what.rows === undefined) {
      const [direction] = what.each;
      if (direction === undefined) throw new TypeError("one direction");
      const moved = direction.apply({ ws: base.ws, strength, layers });
      columns.push(await run.synthesize(moved.ws, { ...base, ...moved }));
      continue;
    }
    const moved = what.each.map((d) => d.apply({ ws: row, strength, layers }));
    const ws = stacked(moved.map((m) => m.ws));
    const numbers = moved.map(() => first ?? 0);
    columns.push(await run.synthesize(ws, { numbers, seed: o.seed }));
  }
  const rowLabels = what.rows ?? base.names;
  const columnLabels = strengths(o).map((s) => `${s > 0 ? "+" : ""}${Number(s.toFixed(2))}`);
  const grid = await imageGrid({
    ...sideBySide(columns),
    ...{ columns: columns.length, rowLabels, columnLabels },
  });
  await writeWhole(o.out, grid);
}

interface Subjects {
  readonly ws: Matrix;
  readonly names: readonly string[];
  readonly numbers: readonly number[];
  readonly seed: number;
}

/** What is edited: samples, or latents of files. */
async function subjects(o: Editing): Promise<Subjects> {
  const { run, latents, numbers = [0, 1, 2, 3, 4], seed } = o;
  if (latents !== undefined) {
    const read = await readLatents(latents, run);
    const ws = stacked(read.map((l) => l.ws));
    return { ws, names: read.map((l) => l.name), numbers: read.map(() => 0), seed };
  }
  return { ws: await mapped(o, numbers), names: numbers.map(String), numbers, seed };
}

async function mapped(o: Editing, numbers: readonly number[]): Promise<Matrix> {
  const { run, seed, label, truncation: psi } = o;
  return everyLayer(await run.map({ numbers, seed, label, psi }), run.nLayers);
}

async function measured(o: Editing, direction: Direction, net: FeatureNet): Promise<Effect[]> {
  const { run, layers, attribute, seed, nMeasured = 64 } = o;
  const stop = o.hooks.signal === undefined ? {} : { signal: o.hooks.signal };
  const numbers = Array.from({ length: nMeasured }, (_, i) => i);
  const ws = await mapped(o, numbers);
  const seen = async (strength: number): Promise<Matrix> => {
    const moved = direction.apply({ ws, strength, layers });
    const made = await run.synthesize(moved.ws, { ...moved, numbers, seed });
    return featuresOfPictures(made, net, stop);
  };
  const unedited = await seen(0);
  const effects: Effect[] = [];
  for (const strength of strengths(o)) {
    const edited = strength === 0 ? unedited : await seen(strength);
    const scores = attribute?.score(edited);
    effects.push({
      strength,
      identity: meanCosine(unedited, edited),
      ...(scores === undefined ? {} : { attribute: shareOf(scores) }),
    });
    o.hooks.progress?.(effects.length, 2 * nSteps + 1);
  }
  return effects;
}

function shareOf(scores: Float64Array): { share: number; score: number } {
  const n = scores.length;
  return {
    share: scores.filter((s) => s > 0).length / n,
    score: scores.reduce((a, b) => a + b, 0) / n,
  };
}

/** The mean cosine of rows i of a and of b, both less the mean row of a. */
function meanCosine(a: Matrix, b: Matrix): number {
  const { rows, cols } = a;
  const mean = new Float64Array(cols);
  a.data.forEach((v, i) => (mean[i % cols] = (mean[i % cols] ?? 0) + v / rows));
  let sum = 0;
  for (let i = 0; i < rows; i++) {
    let [dot, ofA, ofB] = [0, 0, 0];
    for (let j = 0; j < cols; j++) {
      const x = (a.data[i * cols + j] ?? 0) - (mean[j] ?? 0);
      const y = (b.data[i * cols + j] ?? 0) - (mean[j] ?? 0);
      [dot, ofA, ofB] = [dot + x * y, ofA + x * x, ofB + y * y];
    }
    sum += dot / (Math.sqrt(ofA * ofB) || 1);
  }
  return sum / rows;
}
