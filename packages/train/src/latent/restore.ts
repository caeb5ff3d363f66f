import { UserError } from "@duelo/core";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { PictureError, readHeader, toPlanes, type Target } from "../data/decode.ts";
import { readEncoded } from "../data/files.ts";
import type { Skipped } from "../data/source.ts";
import { mostDecibels, psnr } from "../metrics/pictures.ts";
import {
  demandKept,
  pictureJobs,
  readPicture,
  targetOf,
  tellSkipped,
  type PictureJob,
} from "../picture-files.ts";
import { writeWhole } from "../writing.ts";
import { labOf, recoloured } from "../recolour.ts";
import { encodeImages, toBytes } from "../report/grid.ts";
import { degradationOf, factorOf, greyOf, type Degraded } from "./degradation.ts";
import {
  descend,
  groups,
  keepLatent,
  openProjectorFor,
  readJobs,
  type ProjectHooks,
  type ProjectRequest,
  type ReadJob,
  type Way,
} from "./project.ts";
import { openStyleRun, type StyleRun } from "./style-run.ts";

export interface RestoreRequest extends Omit<ProjectRequest, "film" | "features"> {
  /** What was done to the pictures: `grey`, `small`, or `mask=FILE`, where the file is white where nothing is known. */
  readonly degraded: string;
  /**
   * How much an unusual w costs, against the distance of what is known: what is lost has to come from what
   * is usual. 0.1 unless said otherwise; 0 leaves w free. See `Prior`.
   */
  readonly prior?: number;
  /** What they were before, a file or a folder with the same names, to say how far the result is from it. */
  readonly truth?: string;
}

export interface Restoration {
  readonly name: string;
  /** The picture put right; beside it lies the latent (.npy, with .json). */
  readonly picture: string;
  readonly latent: string;
  /** Distance between what is known and the same of the picture found, at the first step and in the end. */
  readonly before: number;
  readonly after: number;
  /** Of the picture given and of the picture put right, against the truth, in decibels; equal ones count as 100. */
  readonly truth?: { readonly given: number; readonly restored: number };
}

export interface Restored {
  readonly dir: string;
  readonly restorations: readonly Restoration[];
  readonly skipped: readonly Skipped[];
}

/**
 * Puts pictures right that were made grey, small, or lost a part: finds the w whose picture, made worse in
 * the same way, comes closest (as in Menon et al. 2020, arXiv:2003.03808, by the projector of StyleGAN2). A
 * grey picture keeps its lightness and a masked one what is known. Throws UserError.
 */
export async function restoreRun(
  request: RestoreRequest,
  hooks: ProjectHooks = {},
): Promise<Restored> {
  const beside = [".npy", ".json"];
  const { jobs, skipped: others } = pictureJobs(request.input, request.out, beside);
  const truthOf = truths(request, jobs);
  const sources = [maskIn(request.degraded), ...jobs.map(truthOf)].filter((s) => s !== undefined);
  demandKept({ jobs, beside, sources });
  tellSkipped(others, hooks.note);
  const run = await openStyleRun(request, hooks);
  try {
    const degraded = await degradedOf(request.degraded, jobs, run);
    const { pictures, skipped } = await readJobs(jobs, run, hooks, givenShape(degraded, run));
    const known = await knownTruths(pictures, truthOf, run);
    const { prior = 0.1 } = request;
    if (!(prior >= 0 && Number.isFinite(prior)))
      throw new UserError(`A prior of ${prior} is none; take 0 or a number above it.`);
    const how = { ...request, features: "none", prior, degradation: degradationOf(degraded) };
    const projector = await openProjectorFor(run, how, pictures.length);
    try {
      const restorations: Restoration[] = [];
      for (const group of groups(pictures, projector.batch)) {
        const progress = (step: number): void => {
          const steps = projector.steps * pictures.length;
          hooks.progress?.(projector.steps * restorations.length + step * group.length, steps);
        };
        const seen = group.map(({ job, pixels }) => ({ job, pixels: knownOf(pixels, degraded) }));
        const way = await descend(run, projector, seen, { ...hooks, progress });
        for (const [i, given] of group.entries()) {
          const truth = known.get(given.job);
          restorations.push(await keep({ run, request, given, degraded, way, i, truth }));
        }
      }
      return { dir: run.trained.info.dir, restorations, skipped: [...others, ...skipped] };
    } finally {
      await projector.close();
    }
  } finally {
    await run.close();
  }
}

const maskIn = (degraded: string): string | undefined => /^mask=(.+)$/.exec(degraded)?.[1];

/** Reads what was done to the pictures. Throws UserError. */
async function degradedOf(
  text: string,
  jobs: readonly PictureJob[],
  run: StyleRun,
): Promise<Degraded> {
  const [c, h, w] = run.shape;
  if (text === "grey") {
    if (c === 3) return { kind: "grey" };
    throw new UserError(
      `Run ${run.trained.info.name} makes pictures of ${c} channels; colours are brought back by one that makes them in RGB.`,
    );
  }
  if (text === "small") return { kind: "small", factor: await commonFactor(jobs, run) };
  const mask = maskIn(text);
  if (mask === undefined)
    throw new UserError(
      `--degraded is "${text}"; it is grey, small, or mask=FILE with a picture that is white where nothing is known.`,
    );
  // cut or padded as the pictures are, and what is padded is known
  const target = { ...targetOf(run.trained.info, [1, h, w]), background: "#000000" };
  const pixels = await readPicture(mask, target).catch((error: unknown) => {
    if (!(error instanceof PictureError)) throw error;
    throw new UserError(`The mask ${mask} cannot be read: ${error.message}.`);
  });
  const known = Float32Array.from(pixels, (v) => (v < 128 ? 1 : 0));
  if (known.every((v) => v === known[0]))
    throw new UserError(
      `The mask ${mask} is ${known[0] === 1 ? "black" : "white"} all over: make it white where nothing is known and black elsewhere.`,
    );
  return { kind: "mask", known };
}

/** By how much all pictures are smaller. Those that cannot be read are said later. */
async function commonFactor(jobs: readonly PictureJob[], run: StyleRun): Promise<number> {
  const factors = new Map<number, string>();
  for (const { path, name } of jobs) {
    const header = await readEncoded(path)
      .then(readHeader)
      .catch((error: unknown) => {
        if (error instanceof PictureError) return undefined;
        throw error;
      });
    if (header !== undefined) factors.set(factorOf(name, header, run.shape), name);
  }
  const [[factor = 2, name] = [], [, other] = []] = [...factors];
  if (factors.size > 1)
    throw new UserError(
      `${name} and ${other} are of different sizes. Restore each size by itself.`,
    );
  return factor;
}

const givenShape = (degraded: Degraded, { shape: [c, h, w] }: StyleRun): readonly number[] =>
  degraded.kind === "small" ? [c, h / degraded.factor, w / degraded.factor] : [c, h, w];

const knownOf = (pixels: Uint8Array, degraded: Degraded): Uint8Array =>
  degraded.kind === "grey" ? greyOf(pixels) : pixels;

/** Where the truth of each picture lies, if it is asked for. Throws UserError when it is not there. */
function truths(
  { truth, input }: RestoreRequest,
  jobs: readonly PictureJob[],
): (job: PictureJob) => string | undefined {
  if (truth === undefined) return () => undefined;
  const isFolder = (place: string): boolean => existsSync(place) && statSync(place).isDirectory();
  const inFolder = isFolder(truth);
  if (existsSync(truth) && inFolder !== isFolder(input)) {
    const kinds = inFolder ? ["folder", "picture"] : ["picture", "folder"];
    throw new UserError(
      `The truth ${truth} is a ${kinds[0]}, and ${input} is a ${kinds[1]}. Give two pictures, or two folders with the same names.`,
    );
  }
  const path = (job: PictureJob): string => (inFolder ? join(truth, job.name) : truth);
  const missing = jobs.find((job) => !existsSync(path(job)));
  if (missing !== undefined)
    throw new UserError(
      `There is no ${path(missing)}. The truth of a picture is a picture, that of a folder a folder with the same names.`,
    );
  return path;
}

interface Found {
  readonly run: StyleRun;
  readonly request: RestoreRequest;
  readonly given: ReadJob;
  readonly degraded: Degraded;
  readonly way: Way;
  /** Which of the group. */
  readonly i: number;
  /** What the picture was before, as a picture of the run. */
  readonly truth: Uint8Array | undefined;
}

/** Writes what was found for a picture. */
async function keep(found: Found): Promise<Restoration> {
  const { run, given, way, i } = found;
  const { job } = given;
  const pixels = putTogether(found);
  const numbers = { before: way.before[i] ?? NaN, after: way.after[i] ?? NaN };
  const latent = await keepLatent({
    ...found,
    job,
    said: { degraded: found.request.degraded, ...numbers },
  });
  const [bytes] = await encodeImages({ pixels, shape: [1, ...run.shape], range: [0, 255] });
  if (bytes === undefined) throw new TypeError("one picture gives one PNG");
  await writeWhole(job.out, bytes);
  const truth =
    found.truth === undefined ? {} : { truth: await against(found, pixels, found.truth) };
  return { name: job.name, picture: job.out, latent, ...numbers, ...truth };
}

/** The picture found, with all that is known of the one given; bytes [C, H, W]. */
function putTogether({ run, given, degraded, way, i }: Found): Uint8Array {
  const [c, h, w] = run.shape;
  const size = c * h * w;
  const found = toBytes(way.pictures.subarray(i * size, (i + 1) * size), run.range);
  if (degraded.kind === "small") return found;
  if (degraded.kind === "mask")
    return found.map((v, at) => (degraded.known[at % (h * w)] === 1 ? (given.pixels[at] ?? 0) : v));
  const data = greyOf(given.pixels);
  const colours = { ab: coloursOf(found), height: h, width: w };
  return toPlanes(recoloured({ picture: { data, height: h, width: w, channels: 1 }, colours }));
}

/** a* then b* of bytes [3, H, W]. */
function coloursOf(pixels: Uint8Array): Float32Array {
  const area = pixels.length / 3;
  const out = new Float32Array(2 * area);
  const value = (i: number): number => (pixels[i] ?? 0) / 255;
  for (let i = 0; i < area; i++) {
    const [, a, b] = labOf([value(i), value(area + i), value(2 * area + i)]);
    out[i] = a;
    out[area + i] = b;
  }
  return out;
}

/** The truths of pictures, before any work is done. Throws UserError for one that cannot be read. */
async function knownTruths(
  pictures: readonly ReadJob[],
  truthOf: (job: PictureJob) => string | undefined,
  run: StyleRun,
): Promise<Map<PictureJob, Uint8Array>> {
  const target = targetOf(run.trained.info, run.shape);
  const known = new Map<PictureJob, Uint8Array>();
  for (const { job } of pictures) {
    const path = truthOf(job);
    if (path === undefined) continue;
    const truth = await readPicture(path, target).catch((error: unknown) => {
      if (!(error instanceof PictureError)) throw error;
      throw new UserError(`The truth ${path} cannot be read: ${error.message}.`);
    });
    known.set(job, truth);
  }
  return known;
}

/** How far the picture given, shown at full size, and the one put right are from the truth. */
async function against(
  { run, given, degraded }: Found,
  restored: Uint8Array,
  truth: Uint8Array,
): Promise<{ given: number; restored: number }> {
  const target = targetOf(run.trained.info, run.shape);
  const shape = [1, ...run.shape] as const;
  const decibels = (data: Uint8Array): number =>
    Math.min(
      psnr({ a: { shape, data }, b: { shape, data: truth }, range: 255 })[0] ?? NaN,
      mostDecibels,
    );
  const shown = await asGiven(given, degraded, target);
  return { given: decibels(shown), restored: decibels(restored) };
}

/** The picture given at full size: enlarged by Lanczos' filter, grey in all colours, grey where nothing is known. */
async function asGiven(
  { job, pixels }: ReadJob,
  degraded: Degraded,
  target: Target,
): Promise<Uint8Array> {
  if (degraded.kind === "small") return readPicture(job.path, { ...target, fit: "stretch" });
  if (degraded.kind === "mask")
    return pixels.map((v, at) => (degraded.known[at % degraded.known.length] === 1 ? v : 128));
  const grey = greyOf(pixels);
  return pixels.map((_, at) => grey[at % grey.length] ?? 0);
}
