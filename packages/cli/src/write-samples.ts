import { UserError } from "@duelo/core";
import {
  besideGrid,
  demandPlace,
  demandWritable,
  encodeImages,
  imageGrid,
  pointPlot,
  sampleRun,
  type Samples,
  writeInto,
  writeWhole,
} from "@duelo/train";
import { existsSync, readdirSync } from "node:fs";
import { basename } from "node:path";
import { cacheDir } from "./cache-dir.ts";
import { plural } from "./format.ts";

export interface WriteSamplesRequest {
  /** Folder of run folders. */
  readonly runs: string;
  /** Number, name, `latest`, or the path of a run folder. */
  readonly run: string;
  readonly n: number;
  readonly seed: number;
  readonly label?: string;
  readonly truncation?: number;
  /** The best checkpoint in place of the last. */
  readonly best?: boolean;
  /** One PNG with all of them; `NAME-OF-RUN.png` in the working folder unless said otherwise. */
  readonly grid?: string;
  /** A folder: each image as a PNG of its own (`0000.png` …), points as `points.csv`. */
  readonly out?: string;
  readonly threads?: number;
  progress?(done: number, total: number): void;
  note?(line: string): void;
  readonly signal?: AbortSignal;
}

/**
 * Makes samples with the generator of a run and writes them as a grid, or into a folder.
 * @returns where they were written, and the run they are of
 * @throws UserError when there is no such run, class or folder
 */
export async function writeSamples(
  request: WriteSamplesRequest,
): Promise<{ path: string; dir: string }> {
  const { grid, out, ...sampling } = request;
  if (grid !== undefined && out !== undefined) {
    throw new UserError(
      "--grid and --out were both given. Choose one picture, or one file for each.",
    );
  }
  if (grid !== undefined) demandPlace(grid);
  if (out !== undefined) demandWritable(out, "folder");
  const before = out !== undefined && existsSync(out) ? readdirSync(out) : [];
  const samples = await sampleRun({ cacheDir: cacheDir(), ...sampling });
  const { dir } = samples;
  if (out !== undefined) {
    const files = await filesOf(samples);
    await writeInto(out, files);
    const names = new Set(files.map(([name]) => name));
    const others = before.filter((name) => !names.has(name));
    if (others.length > 0)
      request.note?.(`${plural(others.length, "other file")} in ${out} stayed there.`);
    return { path: out, dir };
  }
  const path = grid ?? `${basename(dir)}.png`;
  await writeWhole(path, await pictureOf(samples));
  return { path, dir };
}

function pixelsOf({ pixels, shape, range }: Samples) {
  const [n = 0, c = 0, h = 0, w = 0] = shape;
  return range === undefined ? undefined : { pixels, shape: [n, c, h, w] as const, range };
}

async function pictureOf(samples: Samples): Promise<Uint8Array> {
  const images = pixelsOf(samples);
  if (images !== undefined && samples.before.length > 0)
    return besideGrid([...samples.before, images]);
  if (images !== undefined) return imageGrid(images);
  if (samples.shape[1] !== 2) {
    throw new UserError(
      `These samples are rows of ${samples.shape[1]} numbers, not images. Use --out FOLDER to write them as points.csv.`,
    );
  }
  return pointPlot({ real: new Float32Array(), generated: samples.pixels });
}

async function filesOf(samples: Samples): Promise<[name: string, bytes: Uint8Array][]> {
  const images = pixelsOf(samples);
  if (images === undefined) return [["points.csv", new TextEncoder().encode(csvOf(samples))]];
  const digits = Math.max(4, String(images.shape[0] - 1).length);
  const files = await encodeImages(images);
  return files.map((bytes, i) => [`${String(i).padStart(digits, "0")}.png`, bytes]);
}

function csvOf({ pixels, shape }: Samples): string {
  const [n = 0, d = 0] = shape;
  const head = Array.from({ length: d }, (_, c) => `x${c}`).join(",");
  const rows = Array.from({ length: n }, (_, i) => pixels.subarray(i * d, (i + 1) * d).join(","));
  return `${[head, ...rows].join("\n")}\n`;
}
