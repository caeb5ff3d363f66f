import { UserError } from "@duelo/core";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, statSync, type Stats } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, extname, join } from "node:path";
import { PictureError } from "./decode.ts";

export const pictureFormats = "PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG";
const pictureExtensions = new Set(
  ".png .jpg .jpeg .jpe .jfif .webp .gif .avif .tif .tiff .svg".split(" "),
);

export const isPictureName = (name: string): boolean =>
  pictureExtensions.has(extname(name).toLowerCase());

/** A file below a folder; `name` is its path from there, with forward slashes. */
export interface Listed {
  readonly name: string;
  readonly path: string;
  readonly stats: Stats;
}

/** A picture file and what is known of it. */
export interface Entry {
  readonly file: Listed;
  readonly label?: string | undefined;
  readonly caption?: string | undefined;
  /** What it is matched by in pairs; its name without extension unless said otherwise. */
  readonly key?: string | undefined;
}

/** Of what a link leads to, or of the link itself where it leads nowhere. */
const statOf = (path: string): Stats | undefined =>
  attempt(() => statSync(path)) ?? attempt(() => lstatSync(path));

function attempt<T>(what: () => T): T | undefined {
  try {
    return what();
  } catch {
    return undefined;
  }
}

/** The file or folder that a path leads to, the same for all paths to it; undefined where there is none. */
export function fileId(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.dev} ${stats.ino}`;
}

/** The sentence for a path that cannot be opened. */
export function pathError(path: string, error: unknown): UserError {
  if (path === "") return new UserError("The path is empty. Name a file or a folder.");
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const inner = error instanceof Error && "path" in error ? String(error.path) : path;
  if (code === "ENOENT" && attempt(() => lstatSync(path)))
    return new UserError(`${path} is a link to what is not there. Check where it leads.`);
  if (code === "ENOENT" || code === "ENOTDIR")
    return new UserError(`There is no file or folder ${path}. Check the path.`);
  if (code === "EACCES" || code === "EPERM")
    return new UserError(`${inner} cannot be read: permission denied. Check its owner and mode.`);
  return new UserError(`${inner} cannot be read${code ? ` (${code})` : ""}.`);
}

/** The bytes of a picture's file. Throws PictureError with the reason: a pipe may never end. */
export async function readEncoded(path: string): Promise<Uint8Array> {
  const stats = attempt(() => statSync(path));
  if (stats?.isDirectory()) throw new PictureError("it is a folder");
  if (stats?.isFile() === false) throw new PictureError("it is no regular file");
  return readFile(path).catch((error: unknown) => {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EACCES" || code === "EPERM") throw new PictureError("permission denied");
    if (code === "ENOENT")
      throw new PictureError(
        attempt(() => lstatSync(path)) === undefined
          ? "it is not there"
          : "it is a link to what is not there",
      );
    throw new PictureError(`reading it failed (${code})`);
  });
}

/**
 * Every file below `root`, sorted by name in code-unit order. Hidden files and folders, and what macOS
 * and Windows leave behind, are passed over; links are followed, but never twice into one folder. A link that
 * leads nowhere and what is no regular file are listed, so that whoever reads them says so.
 */
export function listFiles(root: string): Listed[] {
  const out: Listed[] = [];
  const seen = new Set<string | undefined>();
  const visit = (dir: string, prefix: string) => {
    const id = fileId(dir);
    if (seen.has(id)) return;
    seen.add(id);
    for (const name of readdirSync(dir)) {
      if (name.startsWith(".") || name === "__MACOSX" || name === "Thumbs.db") continue;
      const path = join(dir, name);
      const child = statOf(path);
      if (child?.isDirectory()) visit(path, `${prefix}${name}/`);
      else if (child !== undefined) out.push({ name: prefix + name, path, stats: child });
    }
  };
  try {
    visit(root, "");
  } catch (error) {
    throw pathError(root, error);
  }
  return out.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** Names, sizes and times of change: equal fingerprints mean that nothing was written since. */
export function listingFingerprint(files: readonly Listed[]): string {
  const hash = createHash("sha256");
  for (const { name, stats } of files)
    hash.update(`${name}\0${stats.size}\0${stats.mtimeMs}\0${stats.ctimeMs}\n`);
  return hash.digest("hex");
}

export function fileFingerprint(paths: readonly string[]): string {
  return listingFingerprint(
    paths.map((path) => ({ name: basename(path), path, stats: statSync(path) })),
  );
}
