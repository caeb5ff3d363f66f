import { sizeOf, UserError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { Recipe } from "@duelo/zoo";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import type { DataRequest, Dataset, Part } from "../data/dataset.ts";
import { spread } from "../data/dataset.ts";
import { domainOf } from "../data/locate.ts";
import { namedSets } from "../data/named.ts";
import { openData } from "../data/open.ts";
import type { Hooks } from "../data/source.ts";
import { isToy, toys, type Toy } from "../data/toy.ts";
import { readField } from "../feeder.ts";
import { contextOf, recipeOf } from "../export.ts";
import { openFunction, type FunctionRequest, type OpenFunction } from "../open-function.ts";
import { toBytes } from "../report/grid.ts";
import { keepsData, keptApart, openRunData } from "../run-data.ts";
import { firstOf, streamName } from "../streams.ts";
import { findRun, type RunInfo } from "../run/runs.ts";
import { samplesOf, samplesShape, type Samples } from "../sample.ts";
import { inChannels, resizedBicubic } from "../metrics/pictures.ts";
import { picturesOf, sameClasses, shapeText, type Side } from "./side.ts";

/** What is to be judged, and against what. */
export interface SidesRequest {
  /** Folder of run folders. */
  readonly runs: string;
  /** A run by number, name, `latest` or path; or a folder, file or named set of samples. */
  readonly judged: string;
  /** A named set, folder or file; a run's own training data unless said otherwise. */
  readonly against?: string;
  /** Pixels to bring all images to; a run's own, or the images' own, unless said otherwise. */
  readonly height?: number;
  readonly width?: number;
  readonly channels?: 1 | 3 | 4;
  /** Samples to make with a run's generator, or to take of a set; see `defaultCount`. */
  readonly n?: number;
  readonly seed?: number;
  /** The best checkpoint of a run in place of the last. */
  readonly best?: boolean;
  readonly cacheDir: string;
  /** The recipe, when it is not one of the zoo. */
  readonly recipe?: Recipe;
}

export interface Sides {
  readonly generated: Side;
  readonly reference: Side;
  readonly heldOut?: Side;
  readonly mixture?: Toy;
  /** The run that made the samples, where one did. */
  readonly run?: RunInfo;
  /** Opens its generator, where that makes samples of noise. */
  readonly maker?: FunctionRequest;
  /** Each sample should be the record of the same place; what it was made of, where that is a picture of its size or can be enlarged to it. */
  readonly pairs?: { readonly given?: Side };
}

/** Records of a reference that are looked at, or as many as there are samples: the metrics' cost grows with them. */
const mostReference = 10_000;
const nMixture = 2500; // PacGAN's and VEEGAN's protocol
/** Samples of one side are held in memory: at most so many bytes. */
const mostBytes = 2 ** 30;

/** As many samples as there are references, 1,000 to 10,000; for a known mixture 2,500. */
function defaultCount(reference: Side, mixture: Toy | undefined): number {
  return mixture ? nMixture : Math.min(Math.max(reference.n, 1000), mostReference);
}

/**
 * Opens what is judged and what it is held against.
 * @throws UserError when there is no such run or set, when they do not fit each other, or when the
 * reference is missing
 */
export async function openSides(request: SidesRequest, hooks: Hooks): Promise<Sides> {
  const run = await findJudgedRun(request);
  const sides = await (run ? sidesOfRun(run, request, hooks) : sidesOfSets(request, hooks));
  demandSameShape(sides);
  if (sides.pairs === undefined) demandDifferences(sides.reference);
  return sides;
}

async function findJudgedRun({ runs, judged }: SidesRequest): Promise<RunInfo | undefined> {
  try {
    return await findRun({ root: runs, run: judged });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (existsSync(judged) || namedSets.some((set) => set.name === judged)) return undefined;
    throw new UserError(`${error.message} Nor is there a folder or file of that name.`);
  }
}

async function sidesOfRun(info: RunInfo, request: SidesRequest, hooks: Hooks): Promise<Sides> {
  if ((request.height ?? request.width ?? request.channels) !== undefined) {
    throw new UserError(
      `Run ${info.name} makes its samples in one size and colour; leave out --size and --channels.`,
    );
  }
  const { runs, seed = 0, recipe, cacheDir, best = false, against } = request;
  const known = recipe === undefined ? {} : { recipe };
  const maker = { runs, run: info.dir, best, ...known };
  const generator = await openFunction(maker);
  try {
    const { inputs } = generator.card;
    const ofImages = inputs.some((i) => i.kind === "image");
    if (!keepsData(info)) demandOtherData(info, { ofImages, against });
    if (against === undefined && inputs.some((i) => i.ofRecord !== undefined))
      return await heldOutPairs(info, generator, request, hooks);
    const shape = samplesShape(generator);
    const { reference, heldOut } =
      against === undefined
        ? await ownReference(info, request, hooks)
        : { reference: await otherReference(against, shape, request, hooks) };
    const mixture = mixtureOf(reference.name);
    const n = atMost(request.n ?? defaultCount(reference, mixture), sizeOf(reference.shape));
    const made = await samplesOf(generator, {
      ...{ n, seed, cacheDir, ...classesLike(reference, n, info) },
      ...(hooks.signal && { signal: hooks.signal }),
      progress: (done, total) => hooks.progress?.(done, total, "making samples"),
    });
    return {
      generated: sideOf(made, `${info.name}${best ? ", best" : ""}`),
      reference,
      ...(heldOut ? { heldOut } : {}),
      ...(mixture ? { mixture } : {}),
      run: info,
      ...(ofImages ? {} : { maker }),
    };
  } finally {
    await generator.close();
  }
}

/** Throws UserError where a run without data of its own cannot be judged as it was asked. */
function demandOtherData(
  { name }: RunInfo,
  o: { ofImages: boolean; against: string | undefined },
): void {
  if (o.ofImages)
    throw new UserError(
      `Run ${name} keeps no data to make samples from, as imported runs do. Make a folder of pictures with it, and judge that: duelo eval FOLDER --against SET.`,
    );
  if (o.against === undefined)
    throw new UserError(
      `Run ${name} keeps no data to be judged by, as imported runs do. Name some with --against.`,
    );
}

/** What a run makes of each picture that was held out, and what it should be. */
async function heldOutPairs(
  info: RunInfo,
  generator: OpenFunction,
  request: SidesRequest,
  hooks: Hooks,
): Promise<Sides> {
  const { seed = 0, cacheDir, best = false, n = mostReference } = request;
  const pair = pairOf(info, generator, request);
  const made = generator.card.inputs.some((i) => i.kind === "image") ? "images" : "records";
  const all = `Run ${info.name} makes its samples from other ${made}`;
  if (pair === undefined)
    throw new UserError(`${all}. Name what they should be like with --against.`);
  if (!keptApart(info))
    throw new UserError(
      `${all}, none of which were held out. Train with --hold-out 0.1, or name what they should be like with --against.`,
    );
  const { input, from, wanted, low } = pair;
  const dataset = firstOf(await openRunData({ info, cacheDir, part: "heldOut" }, hooks));
  try {
    const sizes = [from, wanted].map((half) => sizeOf(dataset.fields[half]?.shape ?? []));
    const asked = { part: "heldOut", most: atMost(n, Math.max(...sizes)) } as const;
    const reference = readSide(dataset, { ...asked, half: wanted });
    const before = from === wanted ? reference : readSide(dataset, { ...asked, half: from });
    const shape = [before.n, ...before.shape];
    const feed: HostTensor = { dtype: "uint8", shape, data: before.data };
    const samples = await samplesOf(generator, {
      ...{ n: reference.n, seed, records: { [input]: feed } },
      ...(hooks.signal && { signal: hooks.signal }),
      progress: (done, total) => hooks.progress?.(done, total, "making samples"),
    });
    const given = low ? enlargedFrom(low, reference) : inShapeOf(before, reference.shape);
    return {
      generated: sideOf(samples, `${info.name}${best ? ", best" : ""}`),
      reference,
      run: info,
      pairs: given === undefined ? {} : { given },
    };
  } finally {
    dataset.close();
  }
}

interface RecordPair {
  /** The generator's. */
  readonly input: string;
  readonly from: "x" | "pair";
  readonly wanted: "x" | "pair";
  /** Shape [N, C, H, W] of what it is made into first, where the run makes pictures larger. */
  readonly low?: readonly number[];
}

/**
 * Of a run that makes pictures from those of its one set: the input, which picture of a record it is, and
 * which one the sample should be: the other of a pair, or itself where the run makes pictures larger.
 */
function pairOf(
  info: RunInfo,
  { card }: OpenFunction,
  request: SidesRequest,
): RecordPair | undefined {
  const [input, another] = card.inputs.filter((i) => i.ofRecord !== undefined);
  if (input?.kind !== "image" || another !== undefined) return undefined;
  const recipe = recipeOf(request, info);
  if (recipe === undefined) return undefined;
  const images = Object.values(recipe.data).filter((field) => field.domain === "image");
  if (new Set(images.map(streamName)).size > 1) return undefined; // two sets without pairs
  const from = input.ofRecord?.field === "pair" ? "pair" : "x";
  if (images.length === 2) return { input: input.name, from, wanted: from === "x" ? "pair" : "x" };
  const context = contextOf(recipe, info);
  const { low } = recipe.takes(context);
  if (low === undefined || !Object.hasOwn(recipe.functions(context), "upscale")) return undefined;
  return { input: input.name, from, wanted: from, low };
}

/** What a run that makes pictures larger starts from, enlarged by a filter in its place. */
function enlargedFrom([, , height = 1, width = 1]: readonly number[], side: Side): Side {
  const small = resizedBicubic(picturesOf(side), { height, width });
  const [, h = 1, w = 1] = side.shape;
  const { data } = resizedBicubic(small, { height: h, width: w });
  return { ...side, data, resizer: `from ${height}x${width} by the bicubic filter` };
}

/** Pictures in a shape of the same size; undefined where they have another, or fewer channels than the pictures. */
function inShapeOf(side: Side, shape: readonly number[]): Side | undefined {
  const [[c = 0, h, w], [to = 0, toH, toW]] = [side.shape, shape];
  if (h !== toH || w !== toW || colours(c) > colours(to)) return undefined;
  return { ...side, shape, data: Uint8Array.from(inChannels(picturesOf(side), to).data) };
}

const colours = (channels: number): number => (channels < 3 ? 1 : 3);

/** Samples of a generator as a side. */
function sideOf(made: Samples, name: string): Side {
  const { pixels, range, labels, classes } = made;
  const data = range === undefined ? pixels : toBytes(pixels, range);
  return {
    name,
    step: made.step,
    shape: made.shape.slice(1),
    n: made.shape[0] ?? 0,
    data,
    ...(labels === undefined ? {} : { labels }),
    classes,
    key: digestOf(data),
    resizer: "none: as the generator makes them",
  };
}

/** Classes for samples of a run as often as the reference has them, so that they do not tell the two apart. */
function classesLike(
  { labels, classes, n }: Side,
  count: number,
  info: RunInfo,
): { labels?: Int32Array } {
  const own = info.options["classes"];
  const same = Array.isArray(own) && sameClasses(own as string[], classes);
  if (labels === undefined || !same) return {};
  return {
    labels: Int32Array.from({ length: count }, (_, i) => labels[Math.floor((i * n) / count)] ?? 0),
  };
}

/** No more samples of so many numbers than fit into memory. */
const atMost = (n: number, size: number): number =>
  Math.min(n, Math.max(1, Math.floor(mostBytes / (4 * size))));

/** A set in the shape of a run's samples. */
function otherReference(
  spec: string,
  [channels, height, width]: readonly number[],
  request: SidesRequest,
  hooks: Hooks,
): Promise<Side> {
  const isImage = height !== undefined && width !== undefined;
  const own = isImage ? { height, width, channels: channels as 1 | 3 | 4 } : {};
  const domain = isImage ? "image" : "vector";
  const asked = { spec, domain, cacheDir: request.cacheDir, ...own } as const;
  return readSet(asked, { most: mostOf(request), hooks });
}

async function ownReference(
  info: RunInfo,
  request: SidesRequest,
  hooks: Hooks,
): Promise<{ reference: Side; heldOut?: Side }> {
  const { cacheDir } = request;
  const part = async (which: Part): Promise<Side> => {
    const dataset = firstOf(await openRunData({ info, cacheDir, part: which }, hooks));
    return readAndClose(dataset, { part: which, most: mostOf(request) });
  };
  const reference = { ...(await part("train")), trainedOn: true };
  return keptApart(info) ? { reference, heldOut: await part("heldOut") } : { reference };
}

async function sidesOfSets(request: SidesRequest, hooks: Hooks): Promise<Sides> {
  const { judged, against, height, width, channels, cacheDir, n } = request;
  if (request.best === true)
    throw new UserError(`${judged} is no run, so it has no best checkpoint. Leave out --best.`);
  if (against === undefined) {
    throw new UserError(
      `${judged} is no run, so it is not known what to hold it against. Name the real data with --against.`,
    );
  }
  const domain = domainOf(against);
  const asked = {
    ...{ domain, cacheDir },
    ...(height === undefined ? {} : { height }),
    ...(width === undefined ? {} : { width }),
    ...(channels === undefined ? {} : { channels }),
  };
  const most = mostOf(request);
  const reference = await readSet({ ...asked, spec: against }, { most, hooks });
  const generated = await readSet({ ...asked, spec: judged }, { most: n ?? most, hooks });
  const mixture = mixtureOf(against);
  return { generated, reference, ...(mixture ? { mixture } : {}) };
}

const mixtureOf = (name: string): Toy | undefined => (isToy(name) ? toys[name] : undefined);

const mostOf = ({ n = 0 }: SidesRequest): number => Math.max(n, mostReference);

async function readSet(request: DataRequest, o: { most: number; hooks: Hooks }): Promise<Side> {
  const dataset = await openData({ ...request, labels: "use" }, o.hooks);
  return readAndClose(dataset, { part: undefined, most: o.most });
}

function readAndClose(dataset: Dataset, o: { part: Part | undefined; most: number }): Side {
  try {
    return readSide(dataset, o);
  } finally {
    dataset.close();
  }
}

/** At most `most` records of a set, spread evenly over it; of pairs one half of each, none of them mirrored. */
export function readSide(
  dataset: Dataset,
  { part, most, half }: { part: Part | undefined; most: number; half?: "x" | "pair" },
): Side {
  const { settings, fields } = dataset;
  const field = half ?? "x";
  const shape = fields[field]?.shape ?? [];
  const size = shape.reduce((a, b) => a * b, 1);
  const fitting = Math.max(1, Math.floor(mostBytes / size));
  const length =
    half !== undefined && settings["flip"] === true ? dataset.length / 2 : dataset.length;
  const indices = spread(length, Math.min(most, fitting));
  const x = readField(dataset, field, indices).data;
  const data = x instanceof Uint8Array || x instanceof Float32Array ? x : Float32Array.from(x);
  const y = fields["y"] && readField(dataset, "y", indices).data;
  const split = settings["split"] === undefined ? undefined : `split=${String(settings["split"])}`;
  const named = part === "heldOut" ? (split ?? "held out") : (split ?? part);
  return {
    name: dataset.name,
    shape,
    n: indices.length,
    of: length,
    data,
    ...(y instanceof Int32Array ? { labels: y } : {}),
    classes: dataset.classes ?? [],
    key: digestOf(data),
    resizer: shape.length === 3 ? `${String(settings["fit"])} to ${shape[1]}x${shape[2]}` : "none",
    ...(named === undefined ? {} : { split: named }),
  };
}

const digestOf = (data: Uint8Array | Float32Array): string =>
  createHash("sha256").update(data).digest("hex");

/** Throws UserError for images of two sizes or colours, or rows of two lengths. */
function demandSameShape({ generated, reference }: Sides): void {
  const [a, b] = [generated.shape, reference.shape];
  if (a.length === b.length && a.every((size, i) => size === b[i])) return;
  const texts = [generated, reference].map((s) => `those of ${s.name} are ${shapeText(s.shape)}`);
  const remedy =
    a.length !== 3 || b.length !== 3
      ? "Compare images with images, and rows with rows of the same columns."
      : a[0] === b[0]
        ? `Bring both to one size, such as --size ${b[1]}x${b[2]}.`
        : `Bring both to one kind, such as --channels ${Math.max(a[0] ?? 1, b[0] ?? 1)}.`;
  throw new UserError(`The two sides do not fit each other: ${texts.join(", ")}. ${remedy}`);
}

/** Throws UserError when all records are the same. */
function demandDifferences({ name, data, n }: Side): void {
  const size = data.length / n;
  for (let i = size; i < data.length; i++) if (data[i] !== data[i % size]) return;
  throw new UserError(
    `All ${n} records of ${name} are the same, so nothing can be held against them. Name a set of records that differ.`,
  );
}
