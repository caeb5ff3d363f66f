import { openData, random, type Dataset } from "@duelo/train";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToEnd } from "./paths.ts";

const nRecords = 512;

/**
 * Records of a shape as training reads them: points of `ring8`, or random pictures [C, H, W] that are
 * decoded and cached in a temporary folder. Speed does not depend on what is in them.
 */
export async function benchRecords(shape: readonly number[]): Promise<Dataset> {
  const dir = mkdtempSync(join(tmpdir(), "duelo-bench-"));
  process.once("exit", () => rmSync(dir, { recursive: true, force: true }));
  const [channels, height, width] = shape;
  if (channels === undefined || height === undefined || width === undefined)
    return openData({ spec: "ring8", domain: "vector", cacheDir: dir });
  const file = join(dir, "random.npy");
  writeFileSync(file, npy([nRecords, height, width, channels]));
  runToEnd("decode", [file, dir]);
  return openData({ spec: file, domain: "image", cacheDir: dir });
}

/** The same records with a class each, in turn. */
export const withClasses = (dataset: Dataset, n: number): Dataset => ({
  ...dataset,
  fields: { ...dataset.fields, y: { dtype: "int32", shape: [] } },
  classes: Array.from({ length: n }, (_, i) => String(i)),
  read(indices, { y, ...out }, places) {
    dataset.read(indices, out, places);
    if (y) Array.from(indices).forEach((record, i) => (y[i] = record % n));
  },
});

/** Random bytes of a shape in NumPy's format, version 1. */
function npy(shape: readonly number[]): Uint8Array {
  const text = `{'descr': '|u1', 'fortran_order': False, 'shape': (${shape.join(", ")}), }`;
  const head = Buffer.from(`\x93NUMPY\x01\x00  ${text.padEnd(117)}\n`, "latin1");
  head.writeUInt16LE(head.length - 10, 8);
  const words = new Uint32Array(shape.reduce((a, b) => a * b, 1) / 4);
  random.fillWords(words, { seed: 0, stream: 0, counter: 0 });
  return Buffer.concat([head, new Uint8Array(words.buffer)]);
}
