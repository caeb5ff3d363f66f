import { FailureError } from "@duelo/core";
import { createHash, randomUUID } from "node:crypto";
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import {
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
  type FileHandle,
} from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import type { Hooks } from "./source.ts";

/**
 * A cache is a folder of shards, records of one size back to back, and a manifest with a digest of
 * each shard and of itself. It is written beside its place and renamed, so it is there whole or not
 * at all; what the disk lost or changed later is found by the digests when it is opened.
 */
const manifestSchema = z.strictObject({
  format: z.literal(1),
  recordBytes: z.int().positive(),
  recordsPerShard: z.int().positive(),
  nRecords: z.int().positive(),
  shards: z.array(z.strictObject({ nBytes: z.int().positive(), sha256: z.string() })),
  labels: z.array(z.int().nonnegative()).optional(),
  classes: z.array(z.string()).optional(),
  captions: z.array(z.string()).optional(),
  shape: z.array(z.int().positive()), // [C, H, W]
  channelsOfX: z.int().positive().optional(), // in pairs, of the C that both have together
  skipped: z.array(z.strictObject({ file: z.string(), reason: z.string() })),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** What is known of the records once the last one is written. */
export type Facts = Pick<Manifest, "shape" | "skipped"> & {
  channelsOfX?: number | undefined;
  labels?: number[] | undefined;
  classes?: string[] | undefined;
  captions?: string[] | undefined;
};

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const shardName = (index: number) => `x-${String(index).padStart(5, "0")}.bin`;
const defaultShardBytes = 2 ** 30;
const blockBytes = 2 ** 20;

/** Names the content of a cache: equal keys mean equal records, labels and captions. */
export function contentKey(manifest: Manifest): string {
  const { shape, nRecords, recordsPerShard, shards, labels, classes, captions } = manifest;
  const { channelsOfX } = manifest;
  const content = [shape, nRecords, recordsPerShard, shards.map((s) => s.sha256)].concat(
    channelsOfX ?? [],
  );
  return sha256(JSON.stringify([content, labels ?? null, classes ?? null, captions ?? null]));
}

/** A full disk or a folder that cannot be written, as one sentence. */
function cacheFailure(error: unknown, dir: string): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOSPC")
    return new FailureError(
      `There is no space left for the decoded pictures in ${dirname(dir)}. Free some, or choose another cache folder.`,
    );
  if (typeof code === "string" && ["EACCES", "EROFS", "EPERM", "ENOTDIR", "EEXIST"].includes(code))
    return new FailureError(
      `The cache folder ${dirname(dir)} cannot be written (${code}). Choose another cache folder.`,
    );
  return error;
}

/** Leftovers of writers that were killed: older than a day, so no writer can still be at work there. */
async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.includes(".tmp-")) continue;
    const path = join(parent, name);
    const info = await stat(path).catch(() => undefined);
    if (info && Date.now() - info.mtimeMs > 24 * 3600_000)
      await rm(path, { recursive: true, force: true });
  }
}

async function writeShards(
  dir: string,
  records: AsyncIterable<Uint8Array>,
  options: { recordBytes: number; recordsPerShard: number },
): Promise<Pick<Manifest, "shards" | "nRecords">> {
  const { recordBytes, recordsPerShard } = options;
  const shards: Manifest["shards"] = [];
  let nRecords = 0;
  let file: FileHandle | undefined;
  let pending: Uint8Array[] = [];
  let nPending = 0;
  let hash = createHash("sha256");
  let nBytes = 0;
  const flush = async () => {
    const block = Buffer.concat(pending);
    file ??= await open(join(dir, shardName(shards.length)), "wx");
    await file.appendFile(block);
    hash.update(block);
    nBytes += block.length;
    pending = [];
    nPending = 0;
  };
  const finish = async () => {
    await flush();
    await file?.close();
    shards.push({ nBytes, sha256: hash.digest("hex") });
    file = undefined;
    hash = createHash("sha256");
    nBytes = 0;
  };
  try {
    for await (const record of records) {
      if (record.length !== recordBytes)
        throw new RangeError(`a record has ${record.length} bytes, not ${recordBytes}`);
      pending.push(record);
      nPending += record.length;
      nRecords++;
      if (nRecords % recordsPerShard === 0) await finish();
      else if (nPending > blockBytes) await flush();
    }
    if (nPending + nBytes > 0) await finish();
  } finally {
    await file?.close();
  }
  return { shards, nRecords };
}

/**
 * Writes a cache at `dir` from records of `recordBytes` each; one that is there already stays.
 * `facts` is called after the last record. Nothing is left behind when it fails or when `records` throws.
 */
export async function writeCache(options: {
  readonly dir: string;
  readonly recordBytes: number;
  readonly records: AsyncIterable<Uint8Array>;
  readonly facts: () => Facts;
  readonly shardBytes?: number;
}): Promise<Manifest> {
  const { dir, recordBytes, records, facts, shardBytes = defaultShardBytes } = options;
  const temporary = `${dir}.tmp-${randomUUID()}`;
  const recordsPerShard = Math.max(1, Math.floor(shardBytes / recordBytes));
  try {
    await mkdir(temporary, { recursive: true });
    await sweep(dirname(dir));
    const written = await writeShards(temporary, records, { recordBytes, recordsPerShard });
    const manifest: Manifest = {
      format: 1,
      recordBytes,
      recordsPerShard,
      ...written,
      ...facts(),
    };
    const body = JSON.stringify(manifest);
    await writeFile(join(temporary, "manifest.json"), `${sha256(body)}\n${body}\n`);
    await rename(temporary, dir).catch(async (error: unknown) => {
      // Another process finished the same cache in the meantime: its copy is as good as ours.
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
      await rm(temporary, { recursive: true, force: true });
    });
    return manifest;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => {});
    throw cacheFailure(error, dir);
  }
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  const text = await readFile(join(dir, "manifest.json"), "utf8").catch(() => "");
  const [digest, body] = text.split("\n");
  if (body === undefined || sha256(body) !== digest) return undefined;
  return manifestSchema.safeParse(JSON.parse(body)).data;
}

async function fileDigest(
  path: string,
  onBytes: (n: number) => void,
  signal?: AbortSignal,
): Promise<string> {
  const hash = createHash("sha256");
  const stream = createReadStream(path, { highWaterMark: 2 ** 20, ...(signal ? { signal } : {}) });
  for await (const chunk of stream) {
    if (!(chunk instanceof Uint8Array)) continue;
    hash.update(chunk);
    onBytes(chunk.length);
  }
  return hash.digest("hex");
}

/** The manifest of a whole cache; `"absent"`; or what is wrong with it. Every byte is checked. */
export async function checkCache(
  dir: string,
  hooks: Hooks,
): Promise<Manifest | "absent" | { damage: string }> {
  if (!(await stat(dir).catch(() => undefined))) return "absent";
  const manifest = await readManifest(dir);
  if (!manifest) return { damage: "its manifest is missing or damaged" };
  const total = manifest.nRecords * manifest.recordBytes;
  let done = 0;
  for (const [i, shard] of manifest.shards.entries()) {
    const path = join(dir, shardName(i));
    const nBytes = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (nBytes !== shard.nBytes)
      return { damage: `${shardName(i)} has ${nBytes} bytes, not ${shard.nBytes}` };
    const digest = await fileDigest(
      path,
      (n) => hooks.progress?.((done += n), total, "checking the decoded copy (bytes)"),
      hooks.signal,
    );
    if (digest !== shard.sha256) return { damage: `${shardName(i)} does not match its digest` };
  }
  return manifest;
}

export interface CacheReader {
  /** Copies record `index` to `out`, starting at element `at`. */
  read(index: number, out: Uint8Array, at: number): void;
  close(): void;
}

/** Reads single records from the shards by position; the operating system keeps the hot ones in memory. */
export function openReader(dir: string, manifest: Manifest): CacheReader {
  const { recordBytes, recordsPerShard, nRecords } = manifest;
  const files = manifest.shards.map((_, i) => openSync(join(dir, shardName(i)), "r"));
  return {
    read(index, out, at) {
      const file = files[Math.floor(index / recordsPerShard)];
      if (file === undefined || index < 0 || index >= nRecords)
        throw new RangeError(`record ${index} of a set of ${nRecords}`);
      const from = (index % recordsPerShard) * recordBytes;
      if (readSync(file, out, at, recordBytes, from) !== recordBytes)
        throw new FailureError(
          `The decoded pictures in ${basename(dir)} were cut short while they were being read. Run the same command again: they are decoded anew.`,
        );
    },
    close() {
      for (const file of files.splice(0)) closeSync(file);
    },
  };
}
