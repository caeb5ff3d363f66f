import { UserError } from "@duelo/core";
import { readFile } from "node:fs/promises";
import { statSync } from "node:fs";
import { basename } from "node:path";
import { z } from "zod";
import { listFiles, pathError } from "../data/files.ts";
import { openNpyVectors } from "../data/npy.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { withExtension } from "../picture-files.ts";
import { writeWhole } from "../writing.ts";
import { everyLayer, type StyleRun } from "./style-run.ts";

/** A w for every layer that was kept in a file. */
export interface Latent {
  /** Name of the file, without extension. */
  readonly name: string;
  /** [1, nLayers * wDim] */
  readonly ws: Matrix;
}

/** What stands in the JSON file beside a latent. */
interface LatentCard {
  /** Name of the run whose generator it belongs to. */
  readonly run: string;
  readonly recipe: string;
  readonly step: number;
  /** Digest of the weights of that generator. */
  readonly weights: string;
  readonly [key: string]: unknown;
}

/**
 * Writes w for every layer, [nLayers, wDim], as a .npy file that NumPy reads, and a JSON file beside it
 * that says which run it is of. Throws FailureError.
 */
export async function writeLatent(o: {
  path: string;
  ws: Float32Array;
  shape: readonly [nLayers: number, wDim: number];
  card: LatentCard;
}): Promise<void> {
  const { path, ws, shape, card } = o;
  await writeWhole(cardPath(path), new TextEncoder().encode(`${JSON.stringify(card, null, 2)}\n`));
  await writeWhole(path, npyBytes(ws, shape));
}

const cardPath = (path: string): string => withExtension(path, ".json");

/** NumPy's format, version 1.0: a header padded so that the values begin at a multiple of 64. */
function npyBytes(values: Float32Array, shape: readonly number[]): Uint8Array {
  const what = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const length = Math.ceil((10 + what.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + length + 4 * values.length);
  bytes.set([0x93, ...new TextEncoder().encode("NUMPY"), 1, 0, length % 256, length >> 8]);
  bytes.set(new TextEncoder().encode(`${what.padEnd(length - 1)}\n`), 10);
  const view = new DataView(bytes.buffer, 10 + length);
  values.forEach((v, i) => view.setFloat32(4 * i, v, true));
  return bytes;
}

/** The latents of one .npy file, or of all of a folder. Throws UserError when they do not fit the run. */
export async function readLatents(path: string, run: StyleRun): Promise<Latent[]> {
  const names = isFolder(path)
    ? listFiles(path).flatMap((f) => (f.name.endsWith(".npy") ? [f.path] : []))
    : [path];
  if (names.length === 0)
    throw new UserError(
      `The folder ${path} holds no latents (.npy). Make some with duelo project.`,
    );
  const latents: Latent[] = [];
  for (const name of names) latents.push(await readLatent(name, run)); // so the first bad one is named
  return latents;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw pathError(path, error);
  }
}

async function readLatent(path: string, run: StyleRun): Promise<Latent> {
  const { info } = run.trained;
  const of = await cardOf(path);
  if (of.weights !== run.digest())
    throw new UserError(
      of.run === info.name && of.step !== run.trained.step
        ? `${path} is a latent of ${of.run} at step ${of.step}, and this is step ${run.trained.step}. Project it again.`
        : `${path} is a latent of another run, ${of.run} (${of.recipe}), not of ${info.name}. Project it again.`,
    );
  const { x, columns } = openNpyVectors(path, path);
  const rows = x.length / columns.length;
  if (columns.length !== run.wDim || (rows !== run.nLayers && rows !== 1))
    throw new UserError(
      `${path} has shape [${rows}, ${columns.length}], and a latent of run ${info.name} is [${run.nLayers}, ${run.wDim}]. It is of another run.`,
    );
  const one = { rows, cols: run.wDim, data: x };
  const ws = rows === 1 ? everyLayer(one, run.nLayers) : { rows: 1, cols: x.length, data: x };
  return { name: basename(path, ".npy"), ws };
}

const cardSchema = z.object({
  ...{ run: z.string(), recipe: z.string(), step: z.number(), weights: z.string() },
});

/** What the file beside a latent says of where it is from. Throws UserError without it. */
async function cardOf(path: string): Promise<z.infer<typeof cardSchema>> {
  const text = await readFile(cardPath(path), "utf8").catch(() => undefined);
  if (text === undefined)
    throw new UserError(
      `${path} lies without ${basename(cardPath(path))}, which says what run it is of. Put that beside it, or project it again.`,
    );
  try {
    return cardSchema.parse(JSON.parse(text));
  } catch {
    // said below
  }
  throw new UserError(`${cardPath(path)} does not say which run ${path} is of. Project it again.`);
}
