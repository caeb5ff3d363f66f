import { suggestion, UserError } from "@duelo/core";
import { featureNames, type FeatureName } from "@duelo/zoo";
import { toRecord } from "../data/decode.ts";
import type { Skipped } from "../data/source.ts";
import { psnr } from "../metrics/pictures.ts";
import {
  eachPicture,
  pictureJobs,
  targetOf,
  tellSkipped,
  withExtension,
  type PictureJob,
  type PictureRequest,
} from "../picture-files.ts";
import { writeWhole } from "../writing.ts";
import { encodeImages, imageGrid, toBytes } from "../report/grid.ts";
import { shapeOf, whiteningOf } from "./directions.ts";
import { encodeFilm } from "./film.ts";
import { writeLatent } from "./latent-file.ts";
import { openProjector, statisticsOf, type Degradation, type Projector } from "./projector.ts";
import { openStyleRun, type StyleRun } from "./style-run.ts";

export interface ProjectRequest extends PictureRequest {
  /** `w`: one w for all layers (the default); `w+`: one for each: closer, but worse to edit. */
  readonly space?: "w" | "w+";
  /** 1000 unless said otherwise. */
  readonly steps?: number;
  /** Of the z that the mean w is taken over, one class for all; every class in turn unless said otherwise. */
  readonly label?: string;
  /** The network whose maps are compared beside pixels, or `none`; `emoji-classifier` unless said otherwise. */
  readonly features?: string;
  /** Whether a film of the way is written too; it is unless said otherwise. */
  readonly film?: boolean;
  /** 0 unless said otherwise. */
  readonly seed?: number;
}

export interface Projection {
  readonly name: string;
  /** The reconstruction; beside it lie the latent (.npy, with .json) and the film (.webp). */
  readonly picture: string;
  readonly latent: string;
  readonly film?: string;
  /** Distance at the first step, of the mean w with noise, and in the end. */
  readonly before: number;
  readonly after: number;
  /** Of the reconstruction, in decibels. */
  readonly psnr: number;
}

export interface Projected {
  /** Folder of the run. */
  readonly dir: string;
  readonly projections: readonly Projection[];
  /** Pictures that could not be read, and why. */
  readonly skipped: readonly Skipped[];
}

export interface ProjectHooks {
  progress?(done: number, total: number): void;
  note?(line: string): void;
  readonly signal?: AbortSignal;
}

/** Samples over which the mean w is taken (Karras et al. 2019b, App. D). */
const nStatistics = 10_000;
const mostAtOnce = 8;
const nFilmFrames = 40;

/**
 * Finds the w whose picture comes closest to each picture given (Karras et al. 2019b, App. D), and
 * writes the latent, its picture, and a film of the way; each file whole or not at all. Throws UserError.
 */
export async function projectRun(
  request: ProjectRequest,
  hooks: ProjectHooks = {},
): Promise<Projected> {
  const beside = [".npy", ".json", ...(request.film === false ? [] : [".webp"])];
  const { jobs, skipped: others } = pictureJobs(request.input, request.out, beside);
  tellSkipped(others, hooks.note);
  const run = await openStyleRun(request, hooks);
  try {
    const { pictures, skipped } = await readJobs(jobs, run, hooks);
    const how = { ...request, features: request.features ?? "emoji-classifier" };
    const projector = await openProjectorFor(run, how, pictures.length);
    try {
      const projections: Projection[] = [];
      for (const group of groups(pictures, projector.batch)) {
        const progress = (step: number): void => {
          const steps = projector.steps * pictures.length;
          hooks.progress?.(projector.steps * projections.length + step * group.length, steps);
        };
        const film = request.film !== false;
        const way = await descend(run, projector, group, { ...hooks, progress, film });
        for (const [i, { job }] of group.entries())
          projections.push(await keep({ run, request, job, way, i }));
      }
      return { dir: run.trained.info.dir, projections, skipped: [...others, ...skipped] };
    } finally {
      await projector.close();
    }
  } finally {
    await run.close();
  }
}

export interface ReadJob {
  readonly job: PictureJob;
  /** Bytes [C, H, W]. */
  readonly pixels: Uint8Array;
}

/** The pictures that can be read; the others are said. Throws UserError when there are none. */
export async function readJobs(
  jobs: readonly PictureJob[],
  run: StyleRun,
  { note, signal }: Pick<ProjectHooks, "note" | "signal">,
  shape: readonly number[] = run.shape,
): Promise<{ pictures: ReadJob[]; skipped: Skipped[] }> {
  const target = targetOf(run.trained.info, shape);
  const hooks = { ...(note && { note }), ...(signal && { signal }) };
  const { made, skipped } = await eachPicture(jobs, hooks, async (job, encoded) => ({
    job,
    pixels: await toRecord({ encoded }, target),
  }));
  return { pictures: made, skipped };
}

type Projecting = Projector & { readonly batch: number; readonly steps: number };

/** A projector for some pictures of a run, with the statistics of its w. */
export async function openProjectorFor(
  run: StyleRun,
  o: Pick<ProjectRequest, "space" | "steps" | "label" | "seed" | "threads"> & {
    readonly features: string;
    readonly degradation?: Degradation;
    /** Weight of the cost of an unusual w; 0 unless said otherwise. */
    readonly prior?: number;
  },
  nPictures: number,
): Promise<Projecting> {
  const { space = "w", steps = 1000, seed = 0, label, threads, degradation, prior = 0 } = o;
  if (!(Number.isInteger(steps) && steps >= 1))
    throw new UserError(`${steps} steps lead nowhere; ask for at least 1.`);
  const features = featuresOf(o.features);
  const batch = Math.min(mostAtOnce, nPictures);
  const numbers = Int32Array.from({ length: nStatistics }, (_, i) => i);
  const w = await run.map({ numbers, seed, label });
  const statistics = statisticsOf(w);
  const { nLayers, wDim, range } = run;
  const projector = await openProjector(run.trained, {
    ...{ batch, nLayers, wDim, range, space, steps, statistics, seed, features },
    ...(threads === undefined ? {} : { threads }),
    ...(degradation === undefined ? {} : { degradation }),
    ...(prior > 0 ? { prior: { weight: prior, whitening: whiteningOf(shapeOf(w)) } } : {}),
  });
  return { ...projector, batch, steps };
}

/** Throws UserError with the nearest name. */
function featuresOf(name: string): FeatureName {
  const found = featureNames.find((f) => f === name);
  if (found !== undefined) return found;
  throw new UserError(
    `There are no features ${name} to compare by.${suggestion(name, featureNames)} There are ${featureNames.join(", ")}.`,
  );
}

/** Groups of at most `size`. */
export const groups = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  );

/** Bytes as values of the generator's range. */
export const valuesOf = (bytes: Uint8Array, [low, high]: StyleRun["range"]): Float32Array =>
  Float32Array.from(bytes, (v) => low + ((high - low) * v) / 255);

/** How some pictures were projected. */
export interface Way {
  /** What they were compared with, one after the other. */
  readonly targets: Float32Array;
  readonly before: Float32Array;
  readonly after: Float32Array;
  /** [batch, nLayers * wDim] */
  readonly latents: Float32Array;
  /** [batch, C, H, W] */
  readonly pictures: Float32Array;
  /** The pictures on the way, where a film was asked for. */
  readonly frames: readonly Float32Array[];
}

/** Projects up to `batch` pictures; the last stands in for those that are not there. */
export async function descend(
  run: StyleRun,
  projector: Projecting,
  group: readonly ReadJob[],
  hooks: {
    progress?(step: number): void;
    readonly signal?: AbortSignal;
    readonly film?: boolean;
  },
): Promise<Way> {
  const size = group[0]?.pixels.length ?? 0;
  const targets = new Float32Array(projector.batch * size);
  for (let i = 0; i < projector.batch; i++) {
    const { pixels } = group[Math.min(i, group.length - 1)] ?? { pixels: new Uint8Array(size) };
    targets.set(valuesOf(pixels, run.range), i * size);
  }
  const frames: Float32Array[] = [];
  const every = Math.max(1, Math.floor(projector.steps / nFilmFrames));
  let before = new Float32Array();
  let after = new Float32Array();
  await projector.run(targets, {
    signal: hooks.signal,
    async step(step, distances) {
      if (step === 1) before = Float32Array.from(distances);
      after = Float32Array.from(distances);
      if (hooks.film === true && step % every === 0) frames.push(await projector.pictures());
      hooks.progress?.(step);
    },
  });
  const [latents, pictures] = [await projector.latents(), await projector.pictures()];
  return { targets, before, after, latents, pictures, frames };
}

/** Writes what was found for picture `i` of a group. */
async function keep(o: {
  run: StyleRun;
  request: ProjectRequest;
  job: PictureJob;
  way: Way;
  i: number;
}): Promise<Projection> {
  const { run, request, job, way, i } = o;
  const size = run.shape.reduce((a, b) => a * b, 1);
  const one = (all: Float32Array): Float32Array => all.subarray(i * size, (i + 1) * size);
  const shape = [1, ...run.shape] as const;
  const [bytes] = await encodeImages({ pixels: one(way.pictures), shape, range: run.range });
  if (bytes === undefined) throw new TypeError("one picture gives one PNG");
  const numbers = { before: way.before[i] ?? NaN, after: way.after[i] ?? NaN };
  const pair = [way.pictures, way.targets].map((p) => toBytes(one(p), run.range));
  const [a = new Uint8Array(), b = a] = pair;
  const [decibels = NaN] = psnr({ a: { shape, data: a }, b: { shape, data: b }, range: 255 });
  const latent = await keepLatent({ ...o, said: { ...numbers, psnr: decibels } });
  await writeWhole(job.out, bytes);
  const film = withExtension(job.out, ".webp");
  if (request.film !== false) await writeWhole(film, await filmOf(run, way, one));
  const kept = { name: job.name, picture: job.out, latent };
  return { ...kept, ...(request.film === false ? {} : { film }), ...numbers, psnr: decibels };
}

/** Writes the latent of picture `i` of a group beside its picture; gives its path. */
export async function keepLatent(o: {
  run: StyleRun;
  request: Pick<ProjectRequest, "space" | "seed">;
  job: PictureJob;
  way: Way;
  i: number;
  /** What else the file beside it says. */
  said: Readonly<Record<string, unknown>>;
}): Promise<string> {
  const { run, job, way, i } = o;
  const { info, recipe, step } = run.trained;
  const size = run.nLayers * run.wDim;
  const { space = "w", seed = 0 } = o.request;
  const path = withExtension(job.out, ".npy");
  await writeLatent({
    ...{ path, ws: way.latents.slice(i * size, (i + 1) * size), shape: [run.nLayers, run.wDim] },
    card: {
      ...{ run: info.name, recipe: recipe.name, step, weights: run.digest() },
      ...{ of: job.name, space, seed, ...o.said },
    },
  });
  return path;
}

/** The picture given beside what was found so far, again and again. */
async function filmOf(
  run: StyleRun,
  way: Way,
  one: (all: Float32Array) => Float32Array,
): Promise<Uint8Array> {
  const [c, h, w] = run.shape;
  const scale = Math.max(1, Math.round(128 / Math.max(h, w)));
  const frames: Uint8Array[] = [];
  for (const frame of way.frames) {
    const pixels = new Float32Array(2 * c * h * w);
    pixels.set(one(way.targets));
    pixels.set(one(frame), c * h * w);
    frames.push(
      await imageGrid({ pixels, shape: [2, c, h, w], range: run.range, columns: 2, scale }),
    );
  }
  return encodeFilm({ frames, format: "webp", framesPerSecond: 12 });
}
