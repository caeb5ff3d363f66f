import { UserError } from "@duelo/core";
import { existsSync, realpathSync, statSync } from "node:fs";
import { basename, extname, join, sep } from "node:path";
import { PictureError, readHeader, toRecord, type Header, type Target } from "./data/decode.ts";
import {
  fileId,
  isPictureName,
  listFiles,
  pathError,
  pictureFormats,
  readEncoded,
} from "./data/files.ts";
import { leftOutLine, type Skipped } from "./data/source.ts";
import type { RunChoice } from "./export.ts";
import type { RunInfo } from "./run/runs.ts";
import { demandWritable } from "./writing.ts";

/** What a run is to make of pictures of the user's. */
export interface PictureRequest extends RunChoice {
  /** A picture, or a folder of them. */
  readonly input: string;
  /** A PNG for one picture; else a folder, in which each picture keeps its name, as PNG. */
  readonly out: string;
}

/** A picture of the user's and where what is made of it goes. */
export interface PictureJob {
  readonly path: string;
  readonly name: string;
  readonly out: string;
}

/**
 * Every picture of `input`, a file or a folder, and where it goes: each keeps its name, as PNG. Other files
 * of a folder are said to be skipped; what lies in `out` is not taken. Throws UserError, before anything is
 * made: also where a file to be written is one of those to be read.
 * @param beside extensions of what is written beside each PNG
 */
export function pictureJobs(
  input: string,
  out: string,
  beside: readonly string[] = [],
): { jobs: PictureJob[]; skipped: Skipped[] } {
  demandPng(out);
  demandWritable(out, extname(out).toLowerCase() === ".png" ? "file" : "folder");
  const { jobs, skipped, others } = jobsOf(input, out);
  demandKept({ jobs, beside, sources: [...jobs, ...others].map(({ path }) => path) });
  return { jobs, skipped };
}

/** Throws UserError where a file to be written is one of `sources`, by whatever name or link. */
export function demandKept(o: {
  readonly jobs: readonly PictureJob[];
  /** Extensions of what is written beside each PNG. */
  readonly beside: readonly string[];
  readonly sources: readonly string[];
}): void {
  const known = new Map(o.sources.map((path) => [fileId(path), path]));
  known.delete(undefined);
  for (const { out } of o.jobs)
    for (const path of [out, ...o.beside.map((extension) => withExtension(out, extension))]) {
      const source = known.get(fileId(path));
      if (source !== undefined)
        throw new UserError(`${source} would be written over. Choose another --out.`);
    }
}

/** Throws UserError for a place where no PNG can be made: one whose name does not end so, too. */
export function demandPlace(out: string): void {
  demandPng(out);
  demandWritable(out, "file");
  if (extname(out).toLowerCase() !== ".png")
    throw new UserError(`${out} is to be a picture. End its name with .png.`);
}

/** Throws UserError for a name of a picture in another format: only PNG is written. */
function demandPng(out: string): void {
  const extension = extname(out).toLowerCase();
  if (extension === ".png" || !isPictureName(out)) return;
  throw new UserError(
    `Pictures are written as PNG, and ${out} ends in ${extension}. End it with .png.`,
  );
}

/** `others`: files of a folder that are no pictures. */
function jobsOf(
  input: string,
  out: string,
): { jobs: PictureJob[]; skipped: Skipped[]; others: { path: string }[] } {
  const stats = (() => {
    try {
      return statSync(input);
    } catch (error) {
      throw pathError(input, error);
    }
  })();
  const isPng = extname(out).toLowerCase() === ".png";
  if (!stats.isDirectory()) {
    const name = basename(input);
    const job = { path: input, name, out: isPng ? out : join(out, pngName(name)) };
    return { jobs: [job], skipped: [], others: [] };
  }
  if (isPng)
    throw new UserError(`${input} is a folder, so --out is one too, and ${out} is a PNG's name.`);
  const isIn = (folder: string, path: string): boolean =>
    existsSync(path) && realpathSync(path).startsWith(`${realpathSync(folder)}${sep}`);
  const all = listFiles(input);
  const listed = isIn(input, out) ? all.filter(({ path }) => !isIn(out, path)) : all;
  const files = listed.filter((f) => isPictureName(f.name));
  const others = listed.filter((f) => !isPictureName(f.name));
  const skipped = others.map(({ name }) => ({
    file: name,
    reason: `by its name it is no ${pictureFormats.replace(" and ", " or ")}`,
  }));
  if (files.length === 0)
    throw new UserError(`The folder ${input} holds no pictures (${pictureFormats}).`);
  const taken = new Map<string, string>();
  const jobs = files.map(({ path, name }) => {
    const to = join(out, pngName(name));
    const other = taken.get(to);
    if (other !== undefined)
      throw new UserError(
        `${other} and ${name} would both be written as ${pngName(name)}. Rename one of them.`,
      );
    taken.set(to, name);
    return { path, name, out: to };
  });
  return { jobs, skipped, others };
}

/** Says which files were left out. */
export function tellSkipped(
  skipped: readonly Skipped[],
  note: ((line: string) => void) | undefined,
): void {
  for (const one of skipped) note?.(leftOutLine(one));
}

interface PictureHooks {
  progress?(done: number, total: number): void;
  note?(line: string): void;
  readonly signal?: AbortSignal;
}

/**
 * Works through pictures, one after the other. What cannot be used (a PictureError) is said and left out,
 * and so is that an animation has more than the frame that is taken. Throws UserError when none can be used.
 */
export async function eachPicture<T>(
  jobs: readonly PictureJob[],
  hooks: PictureHooks,
  work: (job: PictureJob, encoded: Uint8Array, header: Header) => Promise<T>,
): Promise<{ made: T[]; skipped: Skipped[] }> {
  const made: T[] = [];
  const skipped: Skipped[] = [];
  for (const [i, job] of jobs.entries()) {
    hooks.signal?.throwIfAborted();
    try {
      const encoded = await readEncoded(job.path);
      const header = await readHeader(encoded);
      const { frames } = header;
      if (frames > 1) hooks.note?.(`${job.name} has ${frames} frames; the first is taken.`);
      made.push(await work(job, encoded, header));
    } catch (error) {
      if (!(error instanceof PictureError)) throw error;
      const left = { file: job.name, reason: error.message };
      skipped.push(left);
      tellSkipped([left], hooks.note);
    }
    hooks.progress?.(i + 1, jobs.length);
  }
  const [first] = skipped;
  if (made.length === 0 && first !== undefined)
    throw new UserError(`${first.file} cannot be used: ${first.reason}. Nothing was written.`);
  return { made, skipped };
}

/** A path with another extension: `a/b.png` and `.npy` give `a/b.npy`. */
export const withExtension = (path: string, extension: string): string =>
  `${path.slice(0, path.length - extname(path).length)}${extension}`;

const pngName = (name: string): string => withExtension(name, ".png");

/** How pictures are fitted to a shape [C, H, W] as those of a run's data were. */
export function targetOf(info: RunInfo, shape: readonly number[]): Target {
  const [channels = 3, height = 1, width = 1] = shape;
  const settings = (info.options["dataSettings"] ?? {}) as Readonly<Record<string, unknown>>;
  return {
    height,
    width,
    channels: channels as Target["channels"],
    fit: (settings["fit"] ?? "crop") as Target["fit"],
    background: String(settings["background"] ?? "#ffffff"),
  };
}

/** A picture as a record of the data, [C, H, W]. Throws PictureError with the reason. */
export const readPicture = async (path: string, target: Target): Promise<Uint8Array> =>
  toRecord({ encoded: await readEncoded(path) }, target);
