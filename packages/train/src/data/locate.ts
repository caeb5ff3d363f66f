import { suggestion, UserError } from "@duelo/core";
import { readdirSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { cifarFiles, openCifar } from "./cifar.ts";
import { openCsv } from "./csv.ts";
import { isPictureName, pathError, pictureFormats } from "./files.ts";
import { openFolder } from "./folder.ts";
import { openIdxPictures } from "./idx.ts";
import { namedSets, openNamed, type Select } from "./named.ts";
import { openNpyPictures, openNpyVectors } from "./npy.ts";
import type { Source } from "./source.ts";

function statOf(spec: string) {
  try {
    return statSync(spec);
  } catch (error) {
    const names = namedSets.map((s) => s.name);
    const near = /[/\\.]/.test(spec) ? "" : suggestion(spec, names);
    const refused = pathError(spec, error);
    throw near === "" ? refused : new UserError(refused.message.replace(" Check the path.", near));
  }
}

function openDirectory(path: string, name: string): Source {
  const cifar = cifarFiles(path);
  if (cifar.length > 0) return openCifar({ paths: cifar, name });
  const idx = readNames(path).find((n) => /^train-images[.-]idx\d-ubyte(\.gz)?$/.test(n));
  if (idx !== undefined) return openIdxPictures({ path: join(path, idx), name });
  return openFolder(path);
}

function readNames(path: string): string[] {
  try {
    return readdirSync(path).toSorted();
  } catch (error) {
    throw pathError(path, error);
  }
}

function openFile(path: string, name: string, domain: "image" | "vector"): Source {
  const extension = extname(path.replace(/\.gz$/, "")).toLowerCase();
  if (extension === ".npy")
    return domain === "image" ? openNpyPictures(path, name) : openNpyVectors(path, name);
  if (extension === ".csv" || extension === ".tsv") return openCsv(path, name);
  if (extension === ".bin") return openCifar({ paths: [path], name });
  if (/idx\d/.test(basename(path))) return openIdxPictures({ path, name });
  if (isPictureName(path))
    throw new UserError(`${path} is a single picture. Name the folder that holds the pictures.`);
  throw new UserError(
    `${basename(path)} is of no kind that can be read. Name a folder of pictures (${pictureFormats}), or an IDX, CIFAR .bin, .npy or .csv file.`,
  );
}

/** Finds what a data spec means: a named set, a folder, or a packed file. */
export async function locate(options: {
  readonly spec: string;
  readonly domain: "image" | "vector";
  readonly select: Select;
}): Promise<Source> {
  const { spec, domain, select } = options;
  const named = namedSets.find((s) => s.name === spec);
  if (named) return openNamed(named, select);
  const stats = statOf(spec);
  const key = Object.keys(select)[0];
  if (key !== undefined)
    throw new UserError(
      `${spec} cannot be narrowed by "${key}": only named sets can (${namedSets.map((s) => s.name).join(", ")}).`,
    );
  const name = basename(resolve(spec)) || spec;
  try {
    return stats.isDirectory() ? openDirectory(spec, name) : openFile(spec, name, domain);
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error && "code" in error)) throw error;
    throw pathError(spec, error);
  }
}

/** What a spec most likely holds. A .npy may hold either: pictures are meant. */
export function domainOf(spec: string): "image" | "vector" {
  const known = namedSets.find((set) => set.name === spec)?.domain;
  return known ?? ([".csv", ".tsv"].includes(extname(spec).toLowerCase()) ? "vector" : "image");
}
