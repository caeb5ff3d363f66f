import { UserError } from "@duelo/core";
import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import {
  checkCache,
  contentKey,
  openReader,
  writeCache,
  type Facts,
  type Manifest,
} from "./cache.ts";
import {
  readLabels,
  refuseTooMany,
  spread,
  wanted,
  warnSkipped,
  type DataRequest,
  type Dataset,
} from "./dataset.ts";
import {
  decoder,
  PictureError,
  readHeader,
  resolveColour,
  toRecord,
  type Target,
} from "./decode.ts";
import { pick, type Hooks, type PictureSource, type Skipped } from "./source.ts";

/** `work(0)`, `work(1)`, ... in order, with enough of them under way to keep every core busy. */
export async function* inOrder<T>(n: number, work: (i: number) => Promise<T>): AsyncGenerator<T> {
  const ahead = availableParallelism() * 2;
  const running: Promise<T>[] = [];
  try {
    for (let i = 0; i < n + ahead; i++) {
      if (i < n) {
        const next = work(i);
        next.catch(() => {}); // reported when its turn comes, or not at all after an earlier failure
        running.push(next);
      }
      const oldest = i >= ahead ? running.shift() : undefined;
      if (oldest) yield await oldest;
    }
  } finally {
    await Promise.allSettled(running);
  }
}

/** The reason why a record cannot be used; anything else than the picture's fault is thrown on. */
export function skipReason(error: unknown): string {
  if (error instanceof PictureError) return error.message;
  throw error;
}

interface Shape {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 2 | 3 | 4;
}

/** The set's own size and channels from its headers; only those that the request leaves open matter. */
async function probe(source: PictureSource, indices: readonly number[], hooks: Hooks) {
  if (source.uniform) return { ...source.uniform, grey: source.uniform.channels < 3, sizes: [] };
  let grey = true;
  const sizes: { name: string; height: number; width: number }[] = [];
  let done = 0;
  for await (const header of inOrder(indices.length, async (i) => {
    hooks.signal?.throwIfAborted();
    const picture = await source.load(indices[i] ?? 0).catch(skipReason);
    if (typeof picture === "string" || "pixels" in picture) return undefined;
    return readHeader(picture.encoded).then(
      (h) => ({ ...h, name: source.nameOf(indices[i] ?? 0) }),
      skipReason,
    );
  })) {
    hooks.progress?.(++done, indices.length, "reading sizes");
    if (header === undefined || typeof header === "string") continue;
    grey &&= header.grey;
    if (
      !sizes.some((s) => s.height === header.height && s.width === header.width) &&
      sizes.length < 2
    )
      sizes.push(header);
  }
  return { height: sizes[0]?.height ?? 1, width: sizes[0]?.width ?? 1, grey, sizes };
}

async function resolveShape(
  source: PictureSource,
  indices: readonly number[],
  request: DataRequest,
  hooks: Hooks,
): Promise<Shape> {
  const height = request.height ?? request.width;
  const width = request.width ?? request.height;
  const { channels } = request;
  if (height !== undefined && width !== undefined && channels !== undefined)
    return { height, width, channels };
  const own = await probe(source, indices, hooks);
  const [a, b] = own.sizes;
  if (height === undefined && a && b)
    throw new UserError(
      `The pictures of ${source.name} differ in size (${a.name} is ${a.width} x ${a.height}, ${b.name} is ${b.width} x ${b.height}). Give the height and width to train at.`,
    );
  return {
    height: height ?? own.height,
    width: width ?? own.width,
    channels: channels ?? (own.grey ? 1 : 3),
  };
}

/** One set on its way into its cache folder. */
interface Job {
  readonly source: PictureSource;
  readonly request: DataRequest;
  readonly background: string; // #rrggbb
  readonly dir: string;
  readonly hooks: Hooks;
}

async function build({ source, request, background, dir, hooks }: Job): Promise<Manifest> {
  const indices = spread(source.length, request.limit);
  const shape = await resolveShape(source, indices, request, hooks);
  const target: Target = { ...shape, fit: request.fit ?? "crop", background };
  const kept: number[] = [];
  const skipped: Skipped[] = [...source.skipped];
  const total = indices.length + source.skipped.length;
  async function* records() {
    let done = 0;
    for await (const { index, record } of inOrder(indices.length, async (i) => {
      hooks.signal?.throwIfAborted();
      const index = indices[i] ?? 0;
      const record = await source
        .load(index)
        .then((picture) => toRecord(picture, target))
        .catch(skipReason);
      return { index, record };
    })) {
      hooks.progress?.(++done, indices.length, "decoding");
      if (typeof record === "string") skipped.push({ file: source.nameOf(index), reason: record });
      else {
        kept.push(index);
        yield record;
      }
    }
    refuseTooMany({ name: source.name, total, skipped });
    warnSkipped(skipped, hooks);
  }
  const { height, width, channels } = shape;
  const facts = (): Facts => ({
    shape: [channels, height, width],
    skipped,
    labels: source.labels && kept.map((i) => source.labels?.[i] ?? 0),
    classes: source.classes && [...source.classes],
    captions: source.captions && pick(source.captions, kept),
  });
  return writeCache({ dir, recordBytes: channels * height * width, records: records(), facts });
}

function cacheFolder(source: PictureSource, request: DataRequest, background: string): string {
  const { height, width, channels, fit, limit } = request;
  const { name, layout, fingerprint, settings } = source;
  const what = JSON.stringify({
    name,
    layout,
    fingerprint,
    settings,
    decoder,
    background,
    height,
    width,
    channels,
    fit: fit ?? "crop",
    limit,
  });
  const digest = createHash("sha256").update(what).digest("hex").slice(0, 32);
  return join(
    resolve(request.cacheDir),
    `${name.replaceAll(/[^\w.-]/g, "_").slice(0, 60)}-${digest}`,
  );
}

/** The decoded copy of the set: the one that is there when it is whole, else a new one. */
async function ensureCache(job: Job): Promise<Manifest> {
  const { source, dir, hooks } = job;
  const found = await checkCache(dir, hooks);
  if (found !== "absent" && !("damage" in found)) {
    warnSkipped(found.skipped, hooks);
    return found;
  }
  if (found !== "absent") {
    hooks.warn?.(
      `The decoded copy of ${source.name} is damaged (${found.damage}). Decoding it again.`,
    );
    await rm(dir, { recursive: true, force: true });
  }
  return build(job);
}

/** Mirrors one record [C, H, W] that starts at element `at`, in place. */
function mirror(out: Uint8Array, at: number, recordBytes: number, width: number): void {
  for (let row = at; row < at + recordBytes; row += width) out.subarray(row, row + width).reverse();
}

/** Opens pictures through their decoded copy. */
export async function openPictures(
  source: PictureSource,
  request: DataRequest,
  hooks: Hooks,
): Promise<Dataset> {
  const background = await resolveColour(request.background ?? "white");
  const dir = cacheFolder(source, request, background);
  const manifest = await ensureCache({ source, request, background, dir, hooks });
  const reader = openReader(dir, manifest);
  const { recordBytes, nRecords, shape } = manifest;
  const [channels = 1, height = 1, width = 1] = shape;
  const flip = request.flip ?? false;
  const length = flip ? 2 * nRecords : nRecords;
  const labels =
    manifest.labels && request.labels !== "ignore" ? Int32Array.from(manifest.labels) : undefined;
  const { classes, captions } = manifest;
  return {
    name: source.name,
    length,
    fields: {
      x: { dtype: "uint8", shape },
      ...(labels ? { y: { dtype: "int32", shape: [] } } : {}),
    },
    ...(labels && classes ? { classes } : {}),
    ...(captions ? { captions: flip ? [...captions, ...captions] : captions } : {}),
    key: createHash("sha256")
      .update(JSON.stringify([contentKey(manifest), flip, labels !== undefined]))
      .digest("hex"),
    settings: {
      layout: source.layout,
      records: nRecords,
      height,
      width,
      channels,
      fit: request.fit ?? "crop",
      background,
      flip,
      ...decoder,
      ...source.settings,
      ...(request.limit === undefined ? {} : { limit: request.limit }),
    },
    skipped: manifest.skipped,
    read(indices, out) {
      readLabels(labels, indices, out);
      const x = wanted(out, "x", Uint8Array, indices.length * recordBytes);
      if (!x) return;
      for (let i = 0; i < indices.length; i++) {
        const index = indices[i] ?? 0;
        const mirrored = flip && index >= nRecords;
        reader.read(mirrored ? index - nRecords : index, x, i * recordBytes);
        if (mirrored) mirror(x, i * recordBytes, recordBytes, width);
      }
    },
    close: () => reader.close(),
  };
}
