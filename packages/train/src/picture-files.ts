import { UserError } from "@duelo/core";
import { statSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { toRecord, type Target } from "./data/decode.ts";
import { isPictureName, listFiles, pathError, pictureFormats } from "./data/files.ts";
import type { RunChoice } from "./export.ts";
import { onDisk } from "./run/disk-failure.ts";
import { commitFile, nodeFileSystem, writeAll } from "./run/file-system.ts";
import type { RunInfo } from "./run/runs.ts";

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
 * Every picture of `input`, a file or a folder, and where it goes: each keeps its name, as PNG. Throws
 * UserError, before anything is made.
 */
export function pictureJobs(input: string, out: string): PictureJob[] {
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
    return [{ path: input, name, out: isPng ? out : join(out, pngName(name)) }];
  }
  if (isPng)
    throw new UserError(`${input} is a folder, so --out is one too, and ${out} is a PNG's name.`);
  const files = listFiles(input).filter((f) => isPictureName(f.name));
  if (files.length === 0)
    throw new UserError(`The folder ${input} holds no pictures (${pictureFormats}).`);
  const taken = new Map<string, string>();
  return files.map(({ path, name }) => {
    const to = join(out, pngName(name));
    const other = taken.get(to);
    if (other !== undefined)
      throw new UserError(
        `${other} and ${name} would both be written as ${pngName(name)}. Rename one of them.`,
      );
    if (resolve(to) === resolve(path))
      throw new UserError(`${path} would be written over itself. Choose another --out.`);
    taken.set(to, name);
    return { path, name, out: to };
  });
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

/** The bytes of a picture's file. Throws UserError. */
export const readEncoded = (path: string): Promise<Uint8Array> =>
  readFile(path).catch((error: unknown) => {
    throw pathError(path, error);
  });

/** A picture as a record of the data, [C, H, W]. Throws UserError, and PictureError with the reason. */
export const readPicture = async (path: string, target: Target): Promise<Uint8Array> =>
  toRecord({ encoded: await readEncoded(path) }, target);

/** Writes a file whole or not at all, and the folders that it needs. Throws FailureError. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const [dir, name] = [dirname(resolve(path)), basename(path)];
  await onDisk({ task: `write ${path}`, safe: "What was written before is whole." }, async () => {
    await mkdir(dir, { recursive: true });
    await commitFile(nodeFileSystem, { dir, name }, (file) => writeAll(file, bytes, 0));
  });
}
