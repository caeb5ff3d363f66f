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
import { readWindows, windowOf } from "./window.ts";

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
  /** Of what is decoded: larger than x by the jitter. */
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 2 | 3 | 4;
  /** Of the second picture of a pair. */
  readonly pairChannels?: 1 | 2 | 3 | 4;
}

/** The set's own size and channels from its headers; only those that the request leaves open matter. */
async function probe(
  source: Pick<PictureSource, "uniform" | "load" | "nameOf">,
  indices: readonly number[],
  hooks: Hooks,
) {
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
  const { jitter = 0 } = request;
  const second = await pairChannels(source, indices, request, hooks);
  const pair = second === undefined ? {} : { pairChannels: second };
  if (height !== undefined && width !== undefined && channels !== undefined)
    return { height: height + jitter, width: width + jitter, channels, ...pair };
  const own = await probe(source, indices, hooks);
  const [a, b] = own.sizes;
  if (height === undefined && a && b)
    throw new UserError(
      `The pictures of ${source.name} differ in size (${a.name} is ${a.width} x ${a.height}, ${b.name} is ${b.width} x ${b.height}). Give one size for all, such as --size 64.`,
    );
  return {
    height: (height ?? own.height) + jitter,
    width: (width ?? own.width) + jitter,
    channels: channels ?? (own.grey ? 1 : 3),
    ...pair,
  };
}

async function pairChannels(
  source: PictureSource,
  indices: readonly number[],
  request: DataRequest,
  hooks: Hooks,
): Promise<Shape["pairChannels"]> {
  if (source.partner === undefined) return undefined;
  const known = request.pair?.channels ?? request.channels;
  if (known !== undefined) return known;
  const second = { load: source.partner.bind(source), nameOf: source.nameOf.bind(source) };
  return (await probe(second, indices, hooks)).grey ? 1 : 3;
}

/** One record: the picture's planes, then those of its partner. */
async function recordOf(source: PictureSource, index: number, target: Target, shape: Shape) {
  const first = await source.load(index).then((picture) => toRecord(picture, target));
  if (source.partner === undefined || shape.pairChannels === undefined) return first;
  const partner = await source.partner(index);
  const second = await toRecord(partner, { ...target, channels: shape.pairChannels });
  return Buffer.concat([first, second]);
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
      const record = await recordOf(source, index, target, shape).catch(skipReason);
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
  const { height, width } = shape;
  const channels = shape.channels + (shape.pairChannels ?? 0);
  const facts = (): Facts => ({
    shape: [channels, height, width],
    channelsOfX: shape.pairChannels && shape.channels,
    skipped,
    labels: source.labels && kept.map((i) => source.labels?.[i] ?? 0),
    classes: source.classes && [...source.classes],
    captions: source.captions && pick(source.captions, kept),
  });
  return writeCache({ dir, recordBytes: channels * height * width, records: records(), facts });
}

function cacheFolder(source: PictureSource, request: DataRequest, background: string): string {
  const { height, width, channels, fit, limit, jitter, pair } = request;
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
    jitter,
    pairChannels: pair?.channels,
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
  const { nRecords } = manifest;
  const window = windowOf(manifest, request.jitter ?? 0);
  const [channels = 1, height = 1, width = 1] = window.x;
  const flip = request.flip ?? false;
  const length = flip ? 2 * nRecords : nRecords;
  const labels =
    manifest.labels && request.labels !== "ignore" ? Int32Array.from(manifest.labels) : undefined;
  const { classes, captions } = manifest;
  return {
    name: source.name,
    length,
    fields: {
      x: { dtype: "uint8", shape: window.x },
      ...(window.pair ? { pair: { dtype: "uint8", shape: window.pair } } : {}),
      ...(labels ? { y: { dtype: "int32", shape: [] } } : {}),
    },
    ...(labels && classes ? { classes } : {}),
    ...(captions ? { captions: flip ? [...captions, ...captions] : captions } : {}),
    key: createHash("sha256")
      .update(
        JSON.stringify([
          contentKey(manifest),
          flip,
          labels !== undefined,
          ...(window.jitter === 0 ? [] : [window.jitter]),
        ]),
      )
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
      ...(window.jitter === 0 ? {} : { jitter: window.jitter }),
      ...(request.limit === undefined ? {} : { limit: request.limit }),
    },
    skipped: manifest.skipped,
    ...(window.jitter === 0 ? {} : { jitter: window.jitter }),
    read(indices, out, places) {
      readLabels(labels, indices, out);
      const read = (index: number, whole: Uint8Array): void => {
        const mirrored = flip && index >= nRecords;
        reader.read(mirrored ? index - nRecords : index, whole, 0);
        if (mirrored) mirror(whole, 0, whole.length, width + window.jitter);
      };
      readWindows({ window, indices, out, places, read });
    },
    close: () => reader.close(),
  };
}
