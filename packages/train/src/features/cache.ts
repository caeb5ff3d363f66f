import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../data/dataset.ts";
import { readField } from "../feeder.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { onDisk } from "../run/disk-failure.ts";
import { commitFile, nodeFileSystem, unlessMissing, writeAll } from "../run/file-system.ts";
import { spread } from "../pictures.ts";
import type { FeatureNet, FeatureRequest, Features } from "./feature-net.ts";

/*
 * A kept file: sha256 of what follows (32 bytes), then rows, columns and classes as uint32, the
 * features as float32 and the probabilities as float64, all little-endian.
 */
const nDigest = 32;
const nHead = nDigest + 12;

const sha256 = (data: Uint8Array | string): Buffer => createHash("sha256").update(data).digest();

/**
 * Features of `n` records of a data set (evenly spread; all unless said otherwise), computed once and
 * kept in `cacheDir` by what is in the data, the network and the resizer. A damaged file is made anew.
 */
export async function featuresOf(
  request: {
    readonly dataset: Dataset;
    readonly net: FeatureNet;
    readonly cacheDir: string;
    readonly n?: number;
  } & Pick<FeatureRequest, "progress" | "signal">,
): Promise<Features> {
  const { dataset, net } = request;
  const n = Math.min(request.n ?? dataset.length, dataset.length);
  return keptFeatures({ ...request, n, key: dataset.key }, () => {
    const { shape, data } = readField(dataset, "x", spread(dataset.length, n));
    const [, c = 1, h = 1, w = 1] = shape;
    return net.extract({ ...request, pixels: data as Uint8Array, shape: [n, c, h, w] });
  });
}

/** What `make` gives, computed once for `n` images of the data with that key, and kept in `cacheDir`. */
export async function keptFeatures(
  o: {
    readonly key: string;
    readonly n: number;
    readonly net: FeatureNet;
    readonly cacheDir: string;
  },
  make: () => Promise<Features>,
): Promise<Features> {
  const key = sha256(JSON.stringify([o.key, o.net.digest, o.net.resizer, o.n])).toString("hex");
  const dir = join(o.cacheDir, "features");
  const name = `${key.slice(0, 32)}.bin`;
  const kept = await unlessMissing(readFile(join(dir, name)));
  const found = kept && unpack(kept);
  if (found !== undefined) return found;
  const made = await make();
  await onDisk(
    { task: `write ${join(dir, name)}`, safe: "Nothing else was changed." },
    async () => {
      await mkdir(dir, { recursive: true });
      await commitFile(nodeFileSystem, { dir, name }, (file) => writeAll(file, pack(made), 0));
    },
  );
  return made;
}

function pack({ features, probabilities }: Features): Uint8Array {
  const { rows, cols, data } = features;
  const numbers = Float32Array.from(data);
  const shares = Float64Array.from(probabilities?.data ?? []);
  const head = Uint32Array.of(rows, cols, probabilities?.cols ?? 0);
  const body = Buffer.concat([head, numbers, shares].map((a) => Buffer.from(a.buffer)));
  return Buffer.concat([sha256(body), body]);
}

/** Undefined when the bytes are not what was written. */
function unpack(bytes: Buffer): Features | undefined {
  if (bytes.length < nHead || !sha256(bytes.subarray(nDigest)).equals(bytes.subarray(0, nDigest)))
    return undefined;
  const body = Uint8Array.from(bytes.subarray(nDigest)).buffer;
  const [rows = 0, cols = 0, classes = 0] = new Uint32Array(body, 0, 3);
  if (body.byteLength !== 12 + 4 * rows * cols + 8 * rows * classes) return undefined;
  const at = 12 + 4 * rows * cols;
  const features: Matrix = { rows, cols, data: new Float32Array(body, 12, rows * cols) };
  if (classes === 0) return { features };
  const data = new Float64Array(body.slice(at));
  return { features, probabilities: { rows, cols: classes, data } };
}
