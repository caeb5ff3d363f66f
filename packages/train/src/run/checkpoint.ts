import { createHash } from "node:crypto";
import { FailureError, sameShape, UserError, type Shape } from "@duelo/core";
import { onDisk } from "./disk-failure.ts";
import {
  commitFile,
  errorCode,
  nodeFileSystem,
  readAll,
  unlessMissing,
  withFile,
  writeAll,
  type FileSystem,
  type OpenFile,
} from "./file-system.ts";
import {
  DamagedFileError,
  readHeader,
  readSafetensors,
  safetensorsSize,
  writeSafetensors,
  type Metadata,
  type Tensors,
} from "./safetensors.ts";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** What a checkpoint says beside its tensors: counters, data cursor, random state, … */
export type CheckpointMeta = {
  readonly recipe: string;
  readonly step: number;
  readonly [key: string]: Json;
};

export type Checkpoint = {
  readonly tensors: Tensors;
  readonly meta: CheckpointMeta;
  /** The file that was read. */
  readonly path: string;
  /** True when the newest checkpoint was damaged or missing and the one before it was read. */
  readonly fellBack: boolean;
  /** When `fellBack`: one sentence that says why. */
  readonly why?: string;
};

export const newestName = "checkpoint.safetensors";
export const previousName = "checkpoint.previous.safetensors";

const chunkBytes = 4 << 20;
const nDigits = 64; // SHA-256 in hexadecimal
const noDigest = "0".repeat(nDigits);
const noLinks = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Commits a checkpoint to `dir`: written beside the newest one, synced, the newest one kept as the
 * previous one (if it is whole), renamed, and the directory synced. At every instant, and after a
 * power cut at any instant, the directory holds a whole checkpoint once the first save has returned.
 *
 * The file is in the safetensors format. Its metadata holds `meta` as JSON and `sha256`: the digest
 * of the whole file with the digest's own 64 digits as zeros. Same tensors and meta, same bytes.
 * @throws FailureError when a tensor holds NaN or infinity, the disk is full, or an operation fails
 */
export async function saveCheckpoint(options: {
  dir: string;
  tensors: Tensors;
  meta: CheckpointMeta;
  fs?: FileSystem;
}): Promise<void> {
  const { dir, tensors, meta, fs = nodeFileSystem } = options;
  const bad = findNonFinite(tensors);
  if (bad) {
    throw new FailureError(
      `Step ${meta.step}: tensor ${bad.name} holds ${bad.value} at element ${bad.index}, so no checkpoint was written. ` +
        (await lastGood(fs, dir)),
    );
  }
  const content = { tensors, metadata: { sha256: noDigest, meta: toJson(meta) } };
  await onDisk(
    {
      task: `save the checkpoint in ${dir}`,
      need: () => inMegabytes(safetensorsSize(content)),
      safe: () => lastGood(fs, dir),
    },
    () =>
      commitFile(
        fs,
        { dir, name: newestName },
        (file) => writeWithDigest(file, content),
        () => keepPrevious(fs, dir),
      ),
  );
}

/**
 * Reads the newest whole checkpoint of `dir`: when the newest file is damaged or missing, the one
 * before it. `undefined` when there is none at all.
 * @throws FailureError when no file is whole
 * @throws UserError when the checkpoint is of another recipe than `expect.recipe`
 */
export async function loadCheckpoint(options: {
  dir: string;
  expect?: { recipe: string };
  fs?: FileSystem;
}): Promise<Checkpoint | undefined> {
  const { dir, expect, fs = nodeFileSystem } = options;
  const problems: string[] = [];
  let nMissing = 0;
  for (const name of [newestName, previousName]) {
    const path = `${dir}/${name}`;
    try {
      const found = await unlessMissing(withFile(fs, path, "read", readWithDigest));
      if (found) {
        if (expect) demandRecipe(found.meta, expect.recipe, dir);
        if (problems.length === 0) return { ...found, path, fellBack: false };
        return {
          ...found,
          path,
          fellBack: true,
          why: `${problems.join("; ")}. Read ${name} instead, of step ${found.meta.step}.`,
        };
      }
      nMissing++;
      problems.push(`${name} is missing`);
    } catch (error) {
      problems.push(`${name} ${damage(error)}`);
    }
  }
  if (nMissing === 2) return undefined;
  throw new FailureError(
    `No whole checkpoint in ${dir}: ${problems.join("; ")}. Restore one from a backup, or start a new run.`,
  );
}

/** The first element of a float tensor that is NaN or infinite, in the order of the tensors. */
export function findNonFinite(
  tensors: Tensors,
): { name: string; index: number; value: number } | undefined {
  for (const [name, { dtype, data }] of Object.entries(tensors)) {
    if (dtype !== "float32") continue;
    for (let index = 0; index < data.length; index++) {
      const value = Number(data[index]);
      if (!Number.isFinite(value)) return { name, index, value };
    }
  }
  return undefined;
}

/** Writes the file with zeros for a digest, digesting as it goes, then puts the digest in its place. */
async function writeWithDigest(
  file: OpenFile,
  content: { tensors: Tensors; metadata: Metadata },
): Promise<void> {
  const hash = createHash("sha256");
  let digestAt = -1;
  await writeSafetensors(file, content, (bytes) => {
    if (digestAt < 0) digestAt = findDigest(bytes, noDigest);
    hash.update(bytes);
  });
  await writeAll(file, new TextEncoder().encode(hash.digest("hex")), digestAt);
}

/** Reads a checkpoint whose digest is right. */
async function readWithDigest(file: OpenFile): Promise<{ tensors: Tensors; meta: CheckpointMeta }> {
  const { metadata: claimed } = await readHeader(file);
  const check = new DigestCheck(claimed);
  const { tensors, metadata } = await readSafetensors(file, (bytes) => check.update(bytes));
  check.finish();
  return { tensors, meta: parseMeta(metadata) };
}

/** Checks the digest of an open checkpoint without holding its tensors in memory. */
async function checkDigest(file: OpenFile): Promise<{ meta: CheckpointMeta }> {
  const { head, metadata } = await readHeader(file);
  const check = new DigestCheck(metadata);
  check.update(head);
  const chunk = new Uint8Array(chunkBytes);
  for (let at = head.length; ;) {
    const nRead = await readAll(file, chunk, at);
    if (nRead === 0) break;
    check.update(chunk.subarray(0, nRead));
    at += nRead;
  }
  check.finish();
  return { meta: parseMeta(metadata) };
}

class DigestCheck {
  readonly #hash = createHash("sha256");
  readonly #expected: string;
  #isHead = true;

  constructor(metadata: Metadata) {
    const expected = metadata["sha256"];
    if (expected?.length !== nDigits) throw new DamagedFileError("it carries no digest");
    this.#expected = expected;
  }

  update(bytes: Uint8Array): void {
    if (!this.#isHead) {
      this.#hash.update(bytes);
      return;
    }
    this.#isHead = false;
    const head = bytes.slice();
    head.fill(0x30, ...digestRange(findDigest(head, this.#expected)));
    this.#hash.update(head);
  }

  finish(): void {
    if (this.#hash.digest("hex") !== this.#expected) {
      throw new DamagedFileError("its content does not match its digest");
    }
  }
}

/** Where the digits of the digest stand in the head of a file. */
function findDigest(head: Uint8Array, digest: string): number {
  const key = '"sha256":"';
  const at = Buffer.from(head.buffer, head.byteOffset, head.byteLength).indexOf(`${key}${digest}"`);
  if (at < 0) throw new DamagedFileError("it carries no digest");
  return at + key.length;
}

function digestRange(at: number): [number, number] {
  return [at, at + nDigits];
}

function parseMeta(metadata: Metadata): CheckpointMeta {
  let meta: unknown;
  try {
    meta = JSON.parse(metadata["meta"] ?? "null");
  } catch {
    meta = null;
  }
  if (!isMeta(meta)) throw new DamagedFileError("its metadata does not say recipe and step");
  return meta;
}

function isMeta(value: unknown): value is CheckpointMeta {
  return (
    typeof value === "object" &&
    value !== null &&
    "recipe" in value &&
    typeof value.recipe === "string" &&
    "step" in value &&
    typeof value.step === "number"
  );
}

/**
 * Gives the newest checkpoint the name of the previous one too. A damaged one is not kept: it would
 * push out the last whole one. Where there are no hard links, it is renamed.
 */
async function keepPrevious(fs: FileSystem, dir: string): Promise<void> {
  const newest = `${dir}/${newestName}`;
  const previous = `${dir}/${previousName}`;
  try {
    await withFile(fs, newest, "read", checkDigest);
  } catch (error) {
    const isLost = error instanceof DamagedFileError || errorCode(error) === "EIO";
    if (isLost || errorCode(error) === "ENOENT") return;
    throw error;
  }
  const added = `${previous}.tmp`;
  await unlessMissing(fs.unlink(added));
  try {
    await fs.link(newest, added);
  } catch (error) {
    if (!noLinks.has(errorCode(error) ?? "")) throw error;
    await fs.rename(newest, previous);
    return;
  }
  try {
    await fs.rename(added, previous);
  } finally {
    // A rename onto another name of the same file does nothing, and leaves this one.
    await unlessMissing(fs.unlink(added)).catch(() => undefined);
  }
}

function toJson(meta: CheckpointMeta): string {
  return JSON.stringify(meta, (key, value: unknown) => {
    if (typeof value !== "number" || Number.isFinite(value)) return value;
    throw new FailureError(
      `Step ${meta.step}: ${key} of the run's state is ${value}, so no checkpoint was written.`,
    );
  });
}

function demandRecipe(meta: CheckpointMeta, recipe: string, dir: string): void {
  if (meta.recipe === recipe) return;
  throw new UserError(
    `The checkpoint in ${dir} is of recipe ${meta.recipe}, not ${recipe}. Name a run of ${recipe}, or start a new one.`,
  );
}

/**
 * Demands every entry that a run needs, with its shape.
 * @throws UserError when the checkpoint in `dir` is of another run of the recipe
 */
export function demandState(o: {
  state: Readonly<Record<string, { readonly shape: Shape }>>;
  specs: Iterable<readonly [name: string, spec: { readonly shape: Shape }]>;
  dir: string;
}): void {
  for (const [name, { shape }] of o.specs) {
    const found = o.state[name]?.shape;
    if (found !== undefined && sameShape(found, shape)) continue;
    const why =
      found === undefined
        ? `it has no ${name}`
        : `its ${name} has shape [${found.join(", ")}], and this run needs [${shape.join(", ")}]`;
    throw new UserError(
      `The checkpoint in ${o.dir} is of another run: ${why}. Bring back the run's own, or start a new one.`,
    );
  }
}

/** Says how a file that could not be read is damaged; passes on whatever is no damage. */
function damage(error: unknown): string {
  if (error instanceof DamagedFileError) return `is damaged: ${error.message}`;
  if (errorCode(error) !== undefined && error instanceof Error)
    return `cannot be read (${error.message})`;
  throw error;
}

/** One sentence on what is safe, for the end of an error. */
async function lastGood(fs: FileSystem, dir: string): Promise<string> {
  for (const name of [newestName, previousName]) {
    try {
      const { meta } = await withFile(fs, `${dir}/${name}`, "read", checkDigest);
      return `The last good one, of step ${meta.step}, is safe in ${name}; the same command continues from there.`;
    } catch {
      continue; // missing or damaged: not the one to name
    }
  }
  return "There is no earlier one.";
}

function inMegabytes(nBytes: number): string {
  return nBytes < 1e6 ? `${Math.ceil(nBytes / 1e3)} kB` : `${(nBytes / 1e6).toFixed(1)} MB`;
}
