import { UserError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { FeatureNet } from "../features/feature-net.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { affinesOf, type Affine } from "./affines.ts";
import {
  attributeBetween,
  boundaryOf,
  featuresOfPictures,
  planeBetween,
  type Attribute,
  type AttributeRequest,
  type Boundary,
} from "./attribute.ts";
import {
  deviation,
  factorised,
  principal,
  shapeOf,
  unit,
  without,
  type Directions,
  type WShape,
} from "./directions.ts";
import { readLatents } from "./latent-file.ts";
import { bestChannel } from "./style-channels.ts";
import { plural } from "../report/words.ts";
import { everyLayer, stacked, type StyleRun } from "./style-run.ts";

export interface DirectionRequest {
  /**
   * How a direction is found. `sefa`: from the style weights of the chosen layers. `pca`: the axes along
   * which w varies most. `labels`: between w whose pictures have an attribute and w whose have not.
   * `latents`: between the latents of two folders. `channel`: one channel of a style.
   */
  readonly by: "sefa" | "pca" | "labels" | "latents" | "channel";
  /**
   * Which one: a number from 0 of `sefa` and `pca`; `LAYER.CHANNEL` of `channel`. Without it, the first
   * five of `sefa` and `pca` are drawn, and the channel is the one that says most of the attribute.
   */
  readonly direction?: string;
  /** What `labels` goes along, and what any edit is measured by; of `latents` the pictures of both folders unless said otherwise. */
  readonly attribute?: AttributeRequest;
  /** Attributes that are to stay: what the direction has of theirs is taken out of it. */
  readonly keep?: readonly AttributeRequest[];
  /** Folders of latents of `projectRun`, for `latents`. */
  readonly positive?: string;
  readonly negative?: string;
  /** Samples by which directions are found; 2000 unless said otherwise. */
  readonly nSamples?: number;
}

/** A way to change pictures. */
export interface Direction {
  readonly name: string;
  /** The standard deviation of w, or of the style, along it: what a strength of 1 is; not said of several. */
  readonly deviation?: number;
  /** How well its plane divides the `nTested` samples or latents that it was not fitted to, where it has one; 0.5 is guessing. */
  readonly plane?: Pick<Boundary, "accuracy" | "nTested">;
  /** Rows [n, nLayers * wDim] after an edit, and what else of the generator is changed. */
  apply(o: { ws: Matrix; strength: number; layers: readonly number[] }): {
    ws: Matrix;
    changed?: Readonly<Record<string, HostTensor>>;
  };
}

interface Finding extends Omit<DirectionRequest, "attribute" | "nSamples"> {
  readonly run: StyleRun;
  readonly layers: readonly number[];
  readonly attribute: Attribute | undefined;
  readonly attributeOf: (request: AttributeRequest) => Promise<Attribute>;
  readonly samples: DirectionSamples;
  /** The latents of `positive` and of `negative`. */
  readonly folders: () => Promise<LatentFolders>;
  readonly seed: number;
}

/** The samples by which directions are found; made when they are first asked for, and kept. */
export interface DirectionSamples {
  /** [nSamples, wDim] */
  w(): Promise<Matrix>;
  /** What the network sees in their pictures. */
  features(): Promise<Matrix>;
}

/** Samples 0 to `nSamples` - 1 of a seed. */
export function samplesFor(o: {
  run: StyleRun;
  net: () => Promise<FeatureNet>;
  nSamples: number;
  seed: number;
  label: string | undefined;
  stop: { readonly signal?: AbortSignal };
}): DirectionSamples {
  const { run, net, nSamples, seed, label, stop } = o;
  const numbers = Array.from({ length: nSamples }, (_, i) => i);
  let [w, features]: [w?: Promise<Matrix>, features?: Promise<Matrix>] = [];
  const ofW = (): Promise<Matrix> => (w ??= run.map({ numbers, seed, label }));
  const look = async (): Promise<Matrix> => {
    const ws = everyLayer(await ofW(), run.nLayers);
    return featuresOfPictures(await run.synthesize(ws, { numbers, seed }), await net(), stop);
  };
  return { w: ofW, features: () => (features ??= look()) };
}

const nSurveyed = 5;

/** The first directions of a kind that has an order, where none was named; undefined elsewhere. */
export async function surveyed(
  o: Finding,
): Promise<{ name: string; each: Direction[]; rows: string[] } | undefined> {
  if (o.direction !== undefined || (o.by !== "sefa" && o.by !== "pca")) return undefined;
  const shape = await wShape(o);
  const found = ordered(o, shape);
  const n = Math.min(nSurveyed, found.vectors.rows);
  const each = Array.from({ length: n }, (_, i) => alongW(`${o.by} ${i}`, rowOf(found, i), shape));
  return { name: `${o.by} 0 to ${n - 1}`, each, rows: each.map((d) => d.name) };
}

/** The direction that a request names. Throws UserError. */
export async function directionFor(o: Finding): Promise<Direction> {
  const shape = await wShape(o);
  if (o.by === "channel") return channelDirection(o, shape);
  if (o.by === "sefa" || o.by === "pca") {
    const found = ordered(o, shape);
    const index = numberOf(o.direction ?? "0", found.vectors.rows, o.by);
    return keeping(o, shape, `${o.by} ${index}`, rowOf(found, index));
  }
  const { plane, accuracy, nTested } =
    o.by === "labels" ? await labelled(o) : await betweenLatents(o);
  const name = o.by === "labels" ? o.attribute?.name : `${o.positive} against ${o.negative}`;
  const along = await keeping(o, shape, name ?? "", unit(plane.weight));
  return { ...along, plane: { accuracy, nTested } };
}

function ordered(o: Finding, shape: WShape): Directions {
  if (o.by === "pca") return principal(shape);
  return factorised(affinesOf(o.run.trained).filter((a) => o.layers.includes(a.layer)));
}

function numberOf(text: string, n: number, by: string): number {
  if (/^\d+$/.test(text) && Number(text) < n) return Number(text);
  throw new UserError(`There is no ${by} direction "${text}": this run has 0 to ${n - 1}.`);
}

const rowOf = ({ vectors: { cols, data } }: Directions, i: number): Float64Array =>
  Float64Array.from(data.subarray(i * cols, (i + 1) * cols));

const wShape = async (o: Finding): Promise<WShape> => shapeOf(await o.samples.w());

/** A direction of W, of length 1. */
function alongW(name: string, vector: Float64Array, shape: WShape): Direction {
  const size = deviation(vector, shape);
  const d = vector.length;
  return {
    name,
    deviation: size,
    apply({ ws, strength, layers }) {
      const data = Float32Array.from(ws.data);
      for (let row = 0; row < ws.rows; row++)
        for (const layer of layers)
          for (let j = 0; j < d; j++) {
            const at = row * ws.cols + layer * d + j;
            data[at] = (data[at] ?? 0) + strength * size * (vector[j] ?? 0);
          }
      return { ws: { ...ws, data } };
    },
  };
}

/** A direction of W without what it has of the attributes that are to stay. */
async function keeping(
  o: Finding,
  shape: WShape,
  name: string,
  vector: Float64Array,
): Promise<Direction> {
  const others: Float64Array[] = [];
  const names: string[] = [];
  for (const request of o.keep ?? []) {
    const attribute = await o.attributeOf(request);
    names.push(attribute.name);
    others.push(unit((await boundary(o, attribute)).plane.weight));
  }
  if (others.length === 0) return alongW(name, vector, shape);
  return alongW(`${name}, keeping ${names.join(" and ")}`, without(vector, others), shape);
}

async function labelled(o: Finding): Promise<Boundary> {
  if (o.attribute !== undefined) return boundary(o, o.attribute);
  throw new UserError(
    "A direction by labels needs an attribute: data with labels, and two classes or words of captions.",
  );
}

async function boundary(o: Finding, attribute: Attribute): Promise<Boundary> {
  const { w, scores } = await scored(o, attribute);
  return boundaryOf({ w, scores, seed: o.seed });
}

/** w of samples, and how much their pictures have of an attribute. */
const scored = async (
  { samples }: Finding,
  attribute: Attribute,
): Promise<{ w: Matrix; scores: Float64Array }> => ({
  w: await samples.w(),
  scores: attribute.score(await samples.features()),
});

async function betweenLatents({ folders, run, seed }: Finding): Promise<Boundary> {
  const { positive, negative } = await folders();
  return planeBetween({
    positive: meanOverLayers(positive, run),
    negative: meanOverLayers(negative, run),
    seed,
  });
}

/** Latents, a row of [nLayers * wDim] each. */
interface LatentFolders {
  readonly positive: Matrix;
  readonly negative: Matrix;
}

/** Reads the latents of both folders. Throws UserError. */
export async function twoFolders({
  positive,
  negative,
  run,
}: Pick<Finding, "positive" | "negative" | "run">): Promise<LatentFolders> {
  if (positive === undefined || negative === undefined)
    throw new UserError(
      "A direction between latents needs two folders of them, one for each side. Make them with duelo project.",
    );
  const [has, hasNot] = [await folderOf(positive, run), await folderOf(negative, run)];
  return { positive: has, negative: hasNot };
}

async function folderOf(folder: string, run: StyleRun): Promise<Matrix> {
  const latents = await readLatents(folder, run);
  if (latents.length < 4)
    throw new UserError(
      `${folder} holds ${plural(latents.length, "latent")}; a plane takes 4 and more on each side.`,
    );
  return stacked(latents.map((l) => l.ws));
}

function meanOverLayers(ws: Matrix, { wDim, nLayers }: StyleRun): Matrix {
  const data = new Float64Array(ws.rows * wDim);
  ws.data.forEach((v, i) => {
    const at = Math.floor(i / ws.cols) * wDim + (i % wDim);
    data[at] = (data[at] ?? 0) + v / nLayers;
  });
  return { rows: ws.rows, cols: wDim, data };
}

/** What tells the pictures of the latents of one folder from those of the other. Throws UserError. */
export async function attributeOfLatents(
  o: Pick<Finding, "positive" | "negative" | "run" | "folders" | "seed"> & {
    readonly net: FeatureNet;
    readonly stop: { readonly signal?: AbortSignal };
  },
): Promise<Attribute> {
  const { run, net, seed, stop } = o;
  const { positive, negative } = await o.folders();
  const ws = stacked([positive, negative]);
  const numbers = Array.from({ length: ws.rows }, () => 0);
  const features = await featuresOfPictures(await run.synthesize(ws, { numbers, seed }), net, stop);
  const sides = { nPositive: positive.rows, nNegative: negative.rows };
  return attributeBetween({ name: `${o.positive} against ${o.negative}`, features, sides, seed });
}

/** One channel of a style (StyleSpace: Wu et al. 2020, arXiv:2011.12799), by name or the best for an attribute. */
async function channelDirection(o: Finding, shape: WShape): Promise<Direction> {
  if ((o.keep ?? []).length > 0)
    throw new UserError(
      "A single channel has no part that could be taken out of it. Leave out --keep.",
    );
  const affines = affinesOf(o.run.trained).filter(
    (a) => !a.ofColours && o.layers.includes(a.layer),
  );
  const chosen = o.direction === undefined ? await best(o, affines, shape) : named(o, affines);
  const { affine, channel, score } = chosen;
  const towards = score < 0 ? -1 : 1; // what has it
  const { cols, data } = affine.weight;
  const size = deviation(data.subarray(channel * cols, (channel + 1) * cols), shape);
  return {
    name: `channel ${affine.layer}.${channel}`,
    deviation: size,
    apply: ({ ws, strength }) => ({
      ws,
      changed: shifted(o.run, affine, channel, towards * strength * size),
    }),
  };
}

/** The bias of a style with one channel moved: the same as moving that channel of every style. */
function shifted(
  run: StyleRun,
  { bias }: Affine,
  channel: number,
  by: number,
): Readonly<Record<string, HostTensor>> {
  const value = run.trained.state[bias.entry];
  if (value === undefined) throw new TypeError(`no state entry "${bias.entry}"`);
  const data = Float32Array.from(value.data);
  data[channel] = (data[channel] ?? 0) + by / bias.gain;
  return { [bias.entry]: { ...value, data } };
}

interface Chosen {
  readonly affine: Affine;
  readonly channel: number;
  /** See `bestChannel`; 0 of one that was named. */
  readonly score: number;
}

function named(o: Finding, affines: readonly Affine[]): Chosen {
  const [, layer, channel] = /^(\d+)\.(\d+)$/.exec(o.direction ?? "") ?? [];
  const affine = affines.find((a) => a.layer === Number(layer));
  if (affine !== undefined && Number(channel) < affine.weight.rows)
    return { affine, channel: Number(channel), score: 0 };
  const known = affines.map((a) => `${a.layer}.0 to ${a.layer}.${a.weight.rows - 1}`);
  throw new UserError(
    `There is no channel "${o.direction}" in these layers. A channel is LAYER.CHANNEL: ${known.join(", ")}.`,
  );
}

async function best(o: Finding, affines: readonly Affine[], shape: WShape): Promise<Chosen> {
  if (o.attribute === undefined)
    throw new UserError(
      "Name a channel (--direction LAYER.CHANNEL), or an attribute, of which the channel is found that says most.",
    );
  const { w, scores } = await scored(o, o.attribute);
  return bestChannel({ affines, shape, w, scores });
}
