import { UserError } from "@duelo/core";
import { basename } from "node:path";
import { openBytes, type Bytes } from "./bytes.ts";
import { fileFingerprint } from "./files.ts";
import type { PictureSource, VectorSource } from "./source.ts";

/** NumPy's format, versions 1 to 3 (numpy.lib.format): magic, version, header length, header, values. */
interface NpyHeader {
  readonly type: keyof typeof readers;
  readonly shape: readonly number[];
  readonly nBytes: number; // of the header
}

type Reader = (view: DataView, at: number) => number;
const readers = {
  u1: (v, at) => v.getUint8(at),
  i1: (v, at) => v.getInt8(at),
  u2: (v, at) => v.getUint16(at, true),
  i2: (v, at) => v.getInt16(at, true),
  u4: (v, at) => v.getUint32(at, true),
  i4: (v, at) => v.getInt32(at, true),
  u8: (v, at) => Number(v.getBigUint64(at, true)),
  i8: (v, at) => Number(v.getBigInt64(at, true)),
  f4: (v, at) => v.getFloat32(at, true),
  f8: (v, at) => v.getFloat64(at, true),
} as const satisfies Record<string, Reader>;

const itemBytes = (type: keyof typeof readers) => Number(type[1]);
const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);
const isType = (text: string): text is keyof typeof readers => Object.hasOwn(readers, text);

const headerForm =
  /^\{'descr': '([<>|=])([a-zA-Z]\d+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\),? ?\}\s*$/;

function parseHeader(head: Uint8Array, path: string): NpyHeader {
  const name = basename(path);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = String.fromCharCode(...head.subarray(0, 6));
  const version = head[6] ?? 0;
  if (magic !== "\x93NUMPY" || head.length < 12 || version < 1 || version > 3)
    throw new UserError(`${name} is not a .npy file: it does not start with NumPy's header.`);
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const text = new TextDecoder().decode(head.subarray(start, start + length));
  const match = headerForm.exec(text);
  if (!match || start + length > head.length)
    throw new UserError(`${name} has a header that cannot be read. Save it again with numpy.save.`);
  const [, order = "", type = "", fortran = "", dims = ""] = match;
  if (!isType(type) || (order === ">" && type !== "u1" && type !== "i1"))
    throw new UserError(
      `${name} holds values of type ${order}${type}; little-endian integers and floats are read. Save x.astype("float32").`,
    );
  if (fortran === "True")
    throw new UserError(`${name} is in Fortran order. Save numpy.ascontiguousarray(x).`);
  const shape = dims
    .split(",")
    .map((d) => d.trim())
    .filter(Boolean)
    .map(Number);
  if (!Number.isSafeInteger(product(shape) * 8) || product(shape) === 0)
    throw new UserError(
      `${name} has shape [${shape.join(", ")}], which holds nothing that can be read.`,
    );
  return { type, shape, nBytes: start + length };
}

function openNpy(path: string): { bytes: Bytes; header: NpyHeader } {
  const bytes = openBytes(path, (head) => {
    const header = parseHeader(head, path);
    return header.nBytes + product(header.shape) * itemBytes(header.type);
  });
  return { bytes, header: parseHeader(bytes.read(0, Math.min(1024, bytes.length)), path) };
}

/** Values `from` to `from + n - 1`, counted over the whole array. */
function readValues(bytes: Bytes, header: NpyHeader, from: number, n: number): Float64Array {
  const size = itemBytes(header.type);
  const raw = bytes.read(header.nBytes + from * size, n * size);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const read = readers[header.type];
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = read(view, i * size);
  return out;
}

/** [N, D] or [N], as float32. */
export function openNpyVectors(path: string, name: string): VectorSource {
  const { bytes, header } = openNpy(path);
  try {
    const [length = 0, dim = 1] = header.shape;
    if (header.shape.length > 2)
      throw new UserError(
        `${basename(path)} has shape [${header.shape.join(", ")}]; points and tables are [N, D]. Reshape it, or train a picture recipe on it.`,
      );
    const x = Float32Array.from(readValues(bytes, header, 0, length * dim));
    const bad = x.findIndex((v) => !Number.isFinite(v));
    if (bad >= 0)
      throw new UserError(
        `${basename(path)} holds ${x[bad]} in row ${Math.floor(bad / dim)}. Remove such rows first.`,
      );
    const columns = Array.from({ length: dim }, (_, i) => `x${i}`);
    return { kind: "vectors", name, layout: "npy", settings: {}, skipped: [], x, columns };
  } finally {
    bytes.close();
  }
}

/** Where the values of a picture array lie, and how they become 0..255. */
function valueRange(bytes: Bytes, header: NpyHeader, path: string) {
  const total = product(header.shape);
  let low = Infinity;
  let high = -Infinity;
  for (let from = 0; from < total; from += 2 ** 20) {
    for (const v of readValues(bytes, header, from, Math.min(2 ** 20, total - from))) {
      if (!Number.isFinite(v))
        throw new UserError(
          `${basename(path)} holds ${v}; pictures need finite values. Remove it first.`,
        );
      low = Math.min(low, v);
      high = Math.max(high, v);
    }
  }
  const float = header.type.startsWith("f");
  if (float && low >= 0 && high <= 1) return { values: "0..1", scale: 255, offset: 0 };
  if (low >= 0 && high <= 255) return { values: "0..255", scale: 1, offset: 0 };
  if (float && low >= -1 && high <= 1) return { values: "-1..1", scale: 127.5, offset: 127.5 };
  throw new UserError(
    `${basename(path)} has values from ${low} to ${high}; pictures are bytes 0..255, or floats 0..1 or -1..1. Scale it first.`,
  );
}

/** [N, H, W], [N, H, W, C] or [N, C, H, W] with C 1 to 4. */
function pictureShape(shape: readonly number[], path: string) {
  const [length = 0, a = 0, b = 0, c = 1] = shape;
  if (shape.length === 3) return { length, height: a, width: b, channels: 1, planes: false };
  if (shape.length === 4 && c <= 4)
    return { length, height: a, width: b, channels: c, planes: false };
  if (shape.length === 4 && a <= 4)
    return { length, height: b, width: c, channels: a, planes: true };
  throw new UserError(
    `${basename(path)} has shape [${shape.join(", ")}]; pictures are [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 to 4 channels.`,
  );
}

export function openNpyPictures(path: string, name: string): PictureSource {
  const { bytes, header } = openNpy(path);
  try {
    const { length, height, width, channels, planes } = pictureShape(header.shape, path);
    const { values, scale, offset } = valueRange(bytes, header, path);
    const size = height * width * channels;
    const area = height * width;
    return {
      kind: "pictures",
      name,
      layout: "npy",
      length,
      uniform: { height, width, channels },
      settings: { values },
      skipped: [],
      others: [],
      fingerprint: fileFingerprint([path]),
      nameOf: (i) => `${basename(path)} #${i}`,
      load: async (i) => {
        const from = readValues(bytes, header, i * size, size);
        const data = new Uint8Array(size);
        for (let j = 0; j < size; j++) {
          const at = planes ? (j % channels) * area + Math.floor(j / channels) : j;
          data[j] = Math.round((from[at] ?? 0) * scale + offset);
        }
        return { pixels: { data, height, width, channels } };
      },
      close: () => bytes.close(),
    };
  } catch (error) {
    bytes.close();
    throw error;
  }
}
