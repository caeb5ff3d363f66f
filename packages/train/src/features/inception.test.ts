import { openRuntime } from "@duelo/runtime";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Tensors } from "../run/safetensors.ts";
import { classicFiles, classicOnnx } from "./classic.ts";
import { featureNet } from "./named-net.ts";
import { lanczos, resample, tensorFlow1, type Axis } from "./resample.ts";

/* An independent writing of the network in PyTorch, float64: scripts/golden/inception.py. */

interface Golden {
  readonly size: number;
  readonly units: Readonly<Record<string, readonly number[]>>;
  readonly features: readonly (readonly number[])[];
  readonly featureSums: readonly number[];
  readonly featureSquares: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly logitSquares: readonly number[];
  readonly small: readonly (readonly number[])[];
  readonly larger: readonly number[];
  readonly smaller: readonly number[];
}
const path = new URL("../../../../test/golden/inception.json", import.meta.url);
const golden = JSON.parse(await readFile(path, "utf8")) as Golden;

/** Numbers from -1 to 1 that a name and a place alone decide, as in the script. */
function uniform(name: string, n: number): Float32Array {
  const seed = crc32(name);
  const out = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let x = (Math.imul(i, 0x9e3779b1) + seed) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    out[i] = ((x ^ (x >>> 16)) >>> 0) / 2 ** 31 - 1;
  }
  return out;
}

function weightsOfFormula(): Tensors {
  const tensors: Record<string, Tensors[string]> = {};
  const put = (name: string, shape: readonly number[], value: (u: number) => number): void => {
    const data = uniform(
      name,
      shape.reduce((a, b) => a * b, 1),
    ).map(value);
    tensors[name] = { dtype: "float32", shape, data };
  };
  const { fround } = Math;
  for (const [name, shape] of Object.entries(golden.units)) {
    const [out = 1, nIn = 1, h = 1, w = 1] = shape;
    const bound = fround(Math.sqrt(6 / (nIn * h * w)));
    put(`${name}.conv.weight`, shape, (u) => bound * u);
    put(`${name}.bn.weight`, [out], (u) => 1 + fround(fround(0.2) * u));
    put(`${name}.bn.bias`, [out], (u) => fround(0.1) * u);
    put(`${name}.bn.running_mean`, [out], (u) => fround(0.1) * u);
    put(`${name}.bn.running_var`, [out], (u) => 1 + fround(fround(0.5) * u));
  }
  put("fc.weight", [1008, 2048], (u) => fround(Math.sqrt(6 / 2048)) * u);
  return tensors;
}

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);
const squares = (values: ArrayLike<number>): number => sum(Array.from(values, (v) => v * v));

test("the classic network computes what PyTorch computes", { timeout: 120_000 }, async () => {
  const { size } = golden;
  const runtime = await openRuntime({ threads: 1 });
  const program = await runtime.load(classicOnnx(weightsOfFormula(), size));
  const data = uniform("pictures", 2 * 3 * size * size).map((u) => 127.5 + 127.5 * u);
  const x = { dtype: "float32", shape: [2, 3, size, size], data } as const;
  const { features, logits } = await program.run({ x });
  await runtime.close();
  expect([features?.shape, logits?.shape]).toEqual([
    [2, 2048],
    [2, 1008],
  ]);
  for (const i of [0, 1]) {
    const own = Array.from(features?.data.subarray(i * 2048, (i + 1) * 2048) ?? []);
    const classes = Array.from(logits?.data.subarray(i * 1008, (i + 1) * 1008) ?? []);
    const largest = Math.max(...own);
    const off = (golden.features[i] ?? []).map((v, j) => Math.abs(v - (own[j] ?? Number.NaN)));
    expect(Math.max(...off) / largest).toBeLessThan(1e-5);
    expect(sum(own) / (golden.featureSums[i] ?? 0)).toBeCloseTo(1, 5);
    expect(squares(own) / (golden.featureSquares[i] ?? 0)).toBeCloseTo(1, 5);
    const offLogits = (golden.logits[i] ?? []).map((v, j) => Math.abs(v - (classes[j] ?? NaN)));
    expect(Math.max(...offLogits) / Math.max(...classes)).toBeLessThan(1e-5);
    expect(squares(classes) / (golden.logitSquares[i] ?? 0)).toBeCloseTo(1, 5);
  }
});

test("only the known file may be called the network of FID", async () => {
  const root = await mkdtemp(join(tmpdir(), "duelo-classic-"));
  const file = join(root, "pt_inception-2015-12-05-6726825d.pth");
  await writeFile(file, "another");
  const error = await featureNet({ name: file, cacheDir: root }).then(String, String);
  expect(error.replace(root, "ROOT")).toMatchInlineSnapshot(
    `"UserError: ROOT/pt_inception-2015-12-05-6726825d.pth is not the network of FID: its sha256 begins with ae448ac8, that of pt_inception-2015-12-05-6726825d.pth with 6726825d. Get that file, or give another network as ONNX; its results are named after it."`,
  );
  await rm(root, { recursive: true });
  for (const { name, digest } of classicFiles) {
    expect(digest).toMatch(/^[0-9a-f]{64}$/);
    expect(name).toContain(digest.slice(0, 8)); // as files of PyTorch's are named
  }
});

const { small } = golden;
const picture = { data: small.flat(), height: small.length, width: small[0]?.length ?? 0 };
const axes = (
  axis: typeof lanczos,
  height: number,
  width: number,
): { rows: Axis; columns: Axis } => ({
  rows: axis({ before: picture.height, after: height }),
  columns: axis({ before: picture.width, after: width }),
});

test("pictures are resized as TensorFlow 1 does it", () => {
  const larger = resample(picture, axes(tensorFlow1, 8, 11));
  const smaller = resample(picture, axes(tensorFlow1, 4, 5));
  for (const [got, want] of [
    [larger, golden.larger],
    [smaller, golden.smaller],
  ] as const) {
    expect(got.length).toBe(want.length);
    for (const [i, v] of want.entries()) expect(got[i]).toBeCloseTo(v, 4);
  }
});

test("Lanczos on numbers shrinks as sharp does on bytes, and keeps what is flat and what is the size", async () => {
  const { height, width } = picture;
  expect(Array.from(resample(picture, axes(lanczos, height, width)))).toEqual(
    picture.data.map((v) => expect.closeTo(v, 4) as number),
  );
  const data = Float32Array.from({ length: 1600 }, (_, i) => {
    const [x, y] = [i % 40, Math.floor(i / 40)];
    return 128 + 60 * Math.sin(x / 7) + 50 * Math.cos(y / 5);
  });
  const axis = lanczos({ before: 40, after: 16 });
  const got = resample({ data, height: 40, width: 40 }, { rows: axis, columns: axis });
  const bytes = await sharp(Uint8Array.from(data, Math.round), {
    raw: { width: 40, height: 40, channels: 1 },
  })
    .resize(16, 16, { fit: "fill", kernel: "lanczos3" })
    .toColourspace("b-w")
    .raw()
    .toBuffer();
  const off = Array.from(bytes, (v, i) => Math.abs(v - (got[i] ?? Number.NaN)));
  expect(Math.max(...off)).toBeLessThan(2); // both roundings of bytes
  const larger = lanczos({ before: 40, after: 100 });
  const flat = { data: new Float32Array(1600).fill(77), height: 40, width: 40 };
  for (const v of resample(flat, { rows: larger, columns: larger })) expect(v).toBeCloseTo(77, 4);
});
