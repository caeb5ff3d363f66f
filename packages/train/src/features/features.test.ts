import { input, mean, reshape, toOnnx, type Tensor } from "@duelo/core";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dataset } from "../data/dataset.ts";
import { openData } from "../data/open.ts";
import { exportRun } from "../export.ts";
import { readField } from "../feeder.ts";
import { train } from "../loop.ts";
import { perceptualDistance } from "../metrics/perceptual.ts";
import { openFunction } from "../open-function.ts";
import { featuresOf } from "./cache.ts";
import type { FeatureNet, FeatureRequest } from "./feature-net.ts";
import { fitImages } from "./fit-images.ts";
import { openNetworkFile } from "./network-file.ts";
import { rawPixels } from "./raw.ts";

let root = "";
let path = "";
let run = "";
let data: Dataset;
let net: FeatureNet;
const cacheDir = (): string => join(root, "cache");
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-features-"));
  const set = { width: 2, batch: 4 };
  const asked = {
    recipe: "classifier",
    data: "phosphor",
    limit: 120,
    cacheDir: cacheDir(),
    threads: 1,
    set,
  };
  ({ dir: run } = await train({
    ...asked,
    runs: root,
    width: 8,
    channels: 1,
    budget: { steps: 2 },
  }));
  path = join(root, "features.onnx");
  await exportRun({ runs: root, run, function: "features", out: path });
  net = await openNetworkFile({ path, threads: 1 });
  const icons = { spec: "phosphor", domain: "image", height: 8, limit: 120, channels: 1 } as const;
  data = await openData({ ...icons, cacheDir: cacheDir() });
}, 60_000);
afterAll(async () => {
  data.close();
  await net.close();
  await rm(root, { recursive: true });
});

function icons(n: number): FeatureRequest {
  const { data: pixels } = readField(
    data,
    "x",
    Int32Array.from({ length: n }, (_, i) => i),
  );
  return { pixels: pixels as Uint8Array, shape: [n, 1, 8, 8] };
}
const said = (work: Promise<unknown>): Promise<string> =>
  work.then(String, (e) => String(e).replaceAll(root, "ROOT"));

describe("a network of a file", () => {
  test("gives the features, probabilities and maps of the run that it is of", async () => {
    const request = icons(70);
    const { features, probabilities } = await net.extract(request);
    const f = await openFunction({ runs: root, run, function: "features", threads: 1 });
    const x = { dtype: "uint8", shape: request.shape, data: request.pixels } as const;
    const want = await f.call({ x });
    await f.close();
    expect([features.rows, features.cols]).toEqual([70, 8]);
    expect(features.data).toEqual(want["features"]?.data);
    const logits = want["logits"]?.data ?? [];
    const exps = Array.from(logits, (v) => Math.exp(v));
    const total = exps.slice(6, 12).reduce((a, b) => a + b, 0);
    expect(probabilities?.cols).toBe(6);
    expect(probabilities?.data[8]).toBeCloseTo((exps[8] ?? 0) / total, 12);
    const maps = await net.activations(icons(2));
    expect(maps.map((m) => m.shape)).toEqual([
      [2, 2, 8, 8],
      [2, 4, 8, 8],
      [2, 8, 8, 8],
    ]);
    const layers = maps.map((a) => ({ a, b: a }));
    expect(perceptualDistance(layers)).toEqual(Float64Array.of(0, 0));
  });

  test("gives the same maps of numbers that were not rounded, and of those between bytes", async () => {
    const request = icons(2);
    const numbers = { ...request, pixels: Float32Array.from(request.pixels) };
    expect(await net.activations(numbers)).toEqual(await net.activations(request));
    const between = { ...numbers, pixels: numbers.pixels.map((v) => v + 1e-3) };
    const [a, b] = [await net.activations(between), await net.activations(numbers)];
    const moved =
      a[0]?.data.map((v: number, i: number) => Math.abs(v - (b[0]?.data[i] ?? 0))) ?? [];
    expect(Math.max(...moved)).toBeGreaterThan(0);
    expect(Math.max(...moved)).toBeLessThan(1e-3);
  });

  test("of other makers is fed by its shapes: numbers from 0 to 1 where it takes floats", async () => {
    const x = input("pixels", { shape: [5, 1, 8, 8] });
    const other = input("pixels", { shape: [7, 1, 8, 8] });
    const means = (t: Tensor) => mean(t, { axes: [2] }); // [n, 1, 8]
    const graphOf = (t: Tensor) => ({
      inputs: [t],
      outputs: { embedding: reshape(means(t), [t.shape[0] ?? 1, 8]) },
    });
    const stranger = join(root, "stranger.onnx");
    await writeFile(stranger, toOnnx(graphOf(x), { freeBatch: { other: graphOf(other) } }));
    const made = await openNetworkFile({ path: stranger, threads: 1 });
    const { features } = await made.extract({
      pixels: new Uint8Array(3 * 64).fill(51),
      shape: [3, 1, 8, 8],
    });
    expect([features.rows, features.cols]).toEqual([3, 8]);
    expect(features.data[7]).toBeCloseTo(0.2, 6);
    expect(made.name).toMatch(/^stranger\.onnx \([0-9a-f]{8}\)$/);
    expect([made.isClassic, made.classifies, made.hasLayers]).toEqual([undefined, false, false]);
    await made.close();
  });

  test("is refused in one sentence when it is another, damaged, or no feature network", async () => {
    expect(await said(openNetworkFile({ path, digest: "ab".repeat(32) }))).toMatch(
      /^UserError: ROOT\/features.onnx has the digest \w{16}…, not abababababababab…, so it is another network or damaged. Get the file again.$/,
    );
    const broken = join(root, "broken.onnx");
    await writeFile(broken, (await readFile(path)).subarray(0, 900));
    expect(await said(openNetworkFile({ path: broken }))).toMatchInlineSnapshot(
      `"UserError: ROOT/broken.onnx is no ONNX file that ONNX Runtime can load. Get it again."`,
    );
    const logits = join(root, "logits.onnx");
    await exportRun({ runs: root, run, function: "logits", out: logits });
    expect(await said(openNetworkFile({ path: logits }))).toMatchInlineSnapshot(
      `"UserError: ROOT/logits.onnx is no feature network: that has one input of images and an output called features, a row an image. Make one with duelo export RUN --function features."`,
    );
    expect(await said(openNetworkFile({ path: join(root, "none.onnx") }))).toMatchInlineSnapshot(
      `"UserError: There is no file or folder ROOT/none.onnx. Check the path."`,
    );
  });

  test("takes images of its own channels, and those of any size", async () => {
    const colour = { pixels: new Uint8Array(2 * 3 * 64), shape: [2, 3, 8, 8] } as const;
    const named = await openNetworkFile({ path, threads: 1, name: "Icons" });
    expect(await said(named.extract(colour))).toMatchInlineSnapshot(
      `"UserError: Icons takes images of 1 channel, and these have 3 channels. Choose another network, or give the data as 1 channel."`,
    );
    const none = { pixels: new Uint8Array(), shape: [0, 1, 8, 8] } as const;
    expect(await said(named.extract(none))).toMatchInlineSnapshot(
      `"UserError: Icons was given no images."`,
    );
    expect(named.resizer).toMatchInlineSnapshot(
      `"8x8 by sharp's Lanczos filter (support 3, antialiased), on bytes; grey alone"`,
    );
    const large = { pixels: new Uint8Array(2 * 256).fill(9), shape: [2, 1, 16, 16] } as const;
    const flat = { pixels: new Uint8Array(2 * 64).fill(9), shape: [2, 1, 8, 8] } as const;
    expect((await named.extract(large)).features).toEqual((await named.extract(flat)).features);
    await named.close();
  });
});

test("images are made smaller without aliasing, each of its own, and grey ones shown in colour", async () => {
  // Stripes of one pixel become their mean; a filter that skips pixels would keep one of the two.
  const stripes = Uint8Array.from({ length: 2 * 32 * 32 }, (_, i) =>
    i < 1024 ? 255 * (i % 2) : 51,
  );
  const made = await fitImages({ pixels: stripes, shape: [2, 1, 32, 32] }, [3, 8, 8], "it");
  const at = (image: number, channel: number): number => made[(image * 3 + channel) * 64 + 27] ?? 0;
  for (const channel of [0, 1, 2]) {
    expect(Math.abs(at(0, channel) - 127.5)).toBeLessThan(4);
    expect(at(1, channel)).toBe(51);
  }
});

test("each plane is resized for itself, whatever is resized with it", async () => {
  const planes = Uint8Array.from({ length: 5 * 400 }, (_, i) => (i * 7919) % 256);
  const all = await fitImages({ pixels: planes, shape: [5, 1, 20, 20] }, [1, 9, 13], "it");
  for (let i = 0; i < 5; i++) {
    const alone = {
      pixels: planes.subarray(400 * i, 400 * i + 400),
      shape: [1, 1, 20, 20],
    } as const;
    const one = await fitImages(alone, [1, 9, 13], "it");
    expect(all.subarray(117 * i, 117 * i + 117)).toEqual(one);
  }
});

test("raw pixels are features too", async () => {
  const { features } = await rawPixels.extract(icons(3));
  expect([features.rows, features.cols]).toEqual([3, 64]);
  expect(features.data[70]).toBeCloseTo((icons(3).pixels[70] ?? 0) / 255, 7);
});

describe("features of a data set", () => {
  test("are computed once, and again when their file is damaged", async () => {
    let calls = 0;
    const counted: FeatureNet = { ...net, extract: (r) => (calls++, net.extract(r)) };
    const ask = (n: number) => featuresOf({ dataset: data, net: counted, cacheDir: root, n });
    const first = await ask(20);
    expect(first.features.rows).toBe(20);
    expect(await ask(20)).toEqual(first);
    expect(calls).toBe(1);
    const [name = ""] = await readdir(join(root, "features"));
    const bytes = await readFile(join(root, "features", name));
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    await writeFile(join(root, "features", name), bytes);
    expect(await ask(20)).toEqual(first);
    expect(calls).toBe(2);
    await ask(21);
    const other = { ...data, key: "another" };
    await featuresOf({ dataset: other, net: counted, cacheDir: root, n: 20 });
    expect(calls).toBe(4);
  });
});
