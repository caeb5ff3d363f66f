import { createHash } from "node:crypto";
import sharp from "sharp";
import { spread, type DataRequest } from "./dataset.ts";
import { decodeWhole, readHeader, toRecord, type Target } from "./decode.ts";
import { locate } from "./locate.ts";
import { inOrder, skipReason } from "./pictures.ts";
import type { Hooks, Picture, PictureSource, Skipped, VectorSource } from "./source.ts";

/** What `duelo data check` tells about a set. */
export interface DataReport {
  readonly name: string;
  readonly kind: "pictures" | "vectors";
  readonly layout: string;
  /** Records that can be used. */
  readonly nRecords: number;
  /** Most frequent first. */
  readonly sizes: readonly {
    readonly height: number;
    readonly width: number;
    readonly count: number;
  }[];
  /** How many are grey, RGB, with alpha or without. */
  readonly channels: Readonly<Record<string, number>>;
  /** How many of each file format; empty for packed sets. */
  readonly formats: Readonly<Record<string, number>>;
  readonly classes: readonly { readonly name: string; readonly count: number }[];
  readonly nCaptions: number;
  /** Groups of records with the same content, by name. */
  readonly duplicates: readonly (readonly string[])[];
  readonly skipped: readonly Skipped[];
  /** Files that are not pictures of the set. */
  readonly others: readonly string[];
  /** Vectors only: each column. */
  readonly columns: readonly {
    readonly name: string;
    readonly low: number;
    readonly high: number;
    readonly mean: number;
    readonly sd: number;
  }[];
  /** A PNG of up to 100 pictures, evenly spaced over the set; undefined for vectors. */
  readonly sheet?: Uint8Array;
}

const thumb: Target = { height: 64, width: 64, channels: 3, fit: "pad", background: "#ffffff" };
const nColumns = 10;

interface Look {
  readonly size: string;
  readonly channels: string;
  readonly format: string;
  readonly digest: string;
  readonly thumbnail?: Uint8Array; // [3, 64, 64]
}

const channelNames = ["", "grey", "grey and alpha", "RGB", "RGB and alpha"];
const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

async function look(picture: Picture, withThumbnail: boolean): Promise<Look> {
  if ("pixels" in picture) {
    const { data, height, width, channels } = picture.pixels;
    const seen = {
      size: `${height} ${width}`,
      channels: channelNames[channels] ?? "",
      format: "",
      digest: sha256(data),
    };
    return withThumbnail ? { ...seen, thumbnail: await toRecord(picture, thumb) } : seen;
  }
  const { height, width, grey, alpha, format, frames } = await readHeader(picture.encoded);
  const pixels = await decodeWhole(picture.encoded, thumb);
  const seen = {
    size: `${height} ${width}`,
    channels: channelNames[(grey ? 1 : 3) + (alpha ? 1 : 0)] ?? "",
    format: frames > 1 ? `${format}, its first frame` : format,
    digest: sha256(picture.encoded),
  };
  return withThumbnail ? { ...seen, thumbnail: await toRecord({ pixels }, thumb) } : seen;
}

function count(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1]);
}

function sameContent(digests: readonly { name: string; digest: string }[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const { name, digest } of digests) {
    const group = groups.get(digest);
    if (group) group.push(name);
    else groups.set(digest, [name]);
  }
  return [...groups.values()].filter((names) => names.length > 1);
}

function countClasses(
  labels: Int32Array | undefined,
  classes: readonly string[] | undefined,
  kept: readonly number[],
) {
  const counts = new Int32Array(classes?.length ?? 0);
  for (const i of kept) {
    const label = labels?.[i] ?? 0;
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return labels && classes ? classes.map((name, i) => ({ name, count: counts[i] ?? 0 })) : [];
}

/** Thumbnails [3, 64, 64] in rows of ten, 2 pixels apart, as a PNG. */
async function contactSheet(thumbnails: readonly Uint8Array[]): Promise<Uint8Array> {
  const { width, height } = thumb;
  const nRows = Math.ceil(thumbnails.length / nColumns);
  const sheetWidth = Math.min(nColumns, thumbnails.length) * (width + 2) - 2;
  const sheetHeight = nRows * (height + 2) - 2;
  const tiles = thumbnails.map((planes, i) => {
    const input = Buffer.alloc(planes.length);
    for (let p = 0; p < planes.length; p++)
      input[(p % (width * height)) * 3 + Math.floor(p / (width * height))] = planes[p] ?? 0;
    const left = (i % nColumns) * (width + 2);
    const top = Math.floor(i / nColumns) * (height + 2);
    return { input, raw: { width, height, channels: 3 as const }, left, top };
  });
  return sharp({
    create: { width: sheetWidth, height: sheetHeight, channels: 3, background: "white" },
  })
    .composite(tiles)
    .removeAlpha()
    .png()
    .toBuffer();
}

async function checkPictures(source: PictureSource, hooks: Hooks): Promise<DataReport> {
  const shown = new Set(spread(source.length, nColumns * 10));
  const looks: (Look & { index: number; name: string })[] = [];
  const skipped: Skipped[] = [...source.skipped];
  let done = 0;
  for await (const { index, seen } of inOrder(source.length, async (index) => {
    hooks.signal?.throwIfAborted();
    const seen = await source
      .load(index)
      .then((picture) => look(picture, shown.has(index)))
      .catch(skipReason);
    return { index, seen };
  })) {
    hooks.progress?.(++done, source.length, "checking");
    const name = source.nameOf(index);
    if (typeof seen === "string") skipped.push({ file: name, reason: seen });
    else looks.push({ ...seen, index, name });
  }
  const thumbnails = looks.flatMap((l) => l.thumbnail ?? []);
  const sheet = thumbnails.length > 0 ? { sheet: await contactSheet(thumbnails) } : {};
  const sizes = count(looks.map((l) => l.size)).map(([size, count]) => {
    const [height = 0, width = 0] = size.split(" ").map(Number);
    return { height, width, count };
  });
  return {
    name: source.name,
    kind: "pictures",
    layout: source.layout,
    nRecords: looks.length,
    sizes,
    channels: Object.fromEntries(count(looks.map((l) => l.channels))),
    formats: Object.fromEntries(count(looks.flatMap((l) => l.format || []))),
    classes: countClasses(
      source.labels,
      source.classes,
      looks.map((l) => l.index),
    ),
    nCaptions: source.captions ? looks.filter((l) => source.captions?.[l.index]).length : 0,
    duplicates: sameContent(looks),
    skipped,
    others: source.others,
    columns: [],
    ...sheet,
  };
}

function checkVectors(source: VectorSource): DataReport {
  const dim = source.columns.length;
  const nRecords = source.x.length / dim;
  const rows = Array.from({ length: nRecords }, (_, i) => i);
  const columns = source.columns.map((name, c) => {
    const values = rows.map((i) => source.x[i * dim + c] ?? 0);
    const mean = values.reduce((a, b) => a + b, 0) / nRecords;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / nRecords;
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    return { name, low, high, mean, sd: Math.sqrt(variance) };
  });
  const digests = rows.map((i) => ({
    name: `row ${i + 1}`,
    digest: source.x.subarray(i * dim, (i + 1) * dim).join(),
  }));
  return {
    name: source.name,
    kind: "vectors",
    layout: source.layout,
    nRecords,
    sizes: [],
    channels: {},
    formats: {},
    classes: countClasses(source.labels, source.classes, rows),
    nCaptions: 0,
    duplicates: sameContent(digests),
    skipped: source.skipped,
    others: [],
    columns,
  };
}

/**
 * Looks at every record of a set and changes nothing: counts, sizes, channels, classes, duplicates,
 * what cannot be read and why, and a contact sheet. Throws `UserError` only when there is no set.
 */
export async function checkData(
  request: Pick<DataRequest, "spec" | "domain" | "select">,
  hooks: Hooks = {},
): Promise<DataReport> {
  const { spec, domain, select = {} } = request;
  const source = await locate({ spec, domain, select });
  if (source.kind === "vectors") return checkVectors(source);
  try {
    return await checkPictures(source, hooks);
  } finally {
    source.close();
  }
}
