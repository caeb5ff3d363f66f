import { UserError } from "@duelo/core";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { openBytes, type Bytes } from "./bytes.ts";
import { fileFingerprint } from "./files.ts";
import type { PictureSource } from "./source.ts";

/**
 * The IDX format of MNIST (Y. LeCun, "The MNIST database"): two zero bytes, a type, the number of
 * dimensions, the dimensions as big-endian 32-bit numbers, then the values, last dimension fastest.
 */
interface IdxHeader {
  readonly shape: readonly number[];
  readonly nBytes: number; // of the header
}

function parseHeader(head: Uint8Array, path: string): IdxHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const rank = head[3] ?? 0;
  const nBytes = 4 + 4 * rank;
  if (head.length < nBytes || head[0] !== 0 || head[1] !== 0 || rank < 1 || rank > 4)
    throw new UserError(
      `${basename(path)} is not an IDX file: its first bytes are not an IDX header.`,
    );
  if (head[2] !== 0x08)
    throw new UserError(
      `${basename(path)} holds IDX values of type 0x${(head[2] ?? 0).toString(16).padStart(2, "0")}; unsigned bytes (0x08) are read.`,
    );
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  return { shape, nBytes };
}

const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

function openIdx(path: string): { bytes: Bytes; header: IdxHeader } {
  const bytes = openBytes(path, (head) => {
    const header = parseHeader(head, path);
    return header.nBytes + product(header.shape);
  });
  return { bytes, header: parseHeader(bytes.read(0, Math.min(1024, bytes.length)), path) };
}

/** `train-images-idx3-ubyte.gz` -> `train-labels-idx1-ubyte.gz`, packed or not, if it is there. */
export function labelsBeside(path: string): string | undefined {
  const name = basename(path)
    .replace("images", "labels")
    .replace(/idx[34]/, "idx1");
  if (name === basename(path)) return undefined;
  const plain = name.replace(/\.gz$/, "");
  return [name, plain, `${plain}.gz`].map((n) => join(dirname(path), n)).find((p) => existsSync(p));
}

function readLabels(path: string, length: number): Int32Array {
  const { bytes, header } = openIdx(path);
  try {
    if (header.shape.length !== 1 || header.shape[0] !== length)
      throw new UserError(
        `${basename(path)} has labels of shape [${header.shape.join(", ")}], but there are ${length} pictures.`,
      );
    return Int32Array.from(bytes.read(header.nBytes, length));
  } finally {
    bytes.close();
  }
}

/** Pictures of an IDX file [N, H, W] or [N, H, W, C], with the labels found beside it. */
export function openIdxPictures(options: {
  readonly path: string;
  readonly name: string;
  readonly classes?: readonly string[];
}): PictureSource {
  const { path, name } = options;
  const { bytes, header } = openIdx(path);
  const [length = 0, height = 0, width = 0, channels = 1] = header.shape;
  const size = height * width * channels;
  if (header.shape.length < 3 || size === 0 || length === 0 || channels > 4) {
    bytes.close();
    throw new UserError(
      `${basename(path)} has shape [${header.shape.join(", ")}]; pictures are [N, height, width] or [N, height, width, channels].`,
    );
  }
  const labelsPath = labelsBeside(path);
  const labels = labelsPath ? readLabels(labelsPath, length) : undefined;
  const nClasses = labels ? labels.reduce((a, b) => Math.max(a, b), 0) + 1 : 0;
  const classes = options.classes ?? Array.from({ length: nClasses }, (_, i) => String(i));
  return {
    kind: "pictures",
    name,
    layout: "IDX",
    length,
    uniform: { height, width, channels },
    settings: {},
    skipped: [],
    others: [],
    fingerprint: fileFingerprint(labelsPath ? [path, labelsPath] : [path]),
    ...(labels ? { labels, classes } : {}),
    nameOf: (i) => `${basename(path)} #${i}`,
    load: async (i) => ({
      pixels: { data: bytes.read(header.nBytes + i * size, size), height, width, channels },
    }),
    close: () => bytes.close(),
  };
}
