// How near a run of srgan or esrgan comes to the held-out pictures of its data, beside the bicubic filter,
// both from the same small pictures; and a picture of some of them (small, bicubic, made, true):
//
//   npx tsx --conditions=source scripts/tables/upscaling.ts RUN [--runs FOLDER] [--picture FILE.png]

import { bicubicTaps } from "@duelo/core";
import {
  besideGrid,
  bootstrapMean,
  featureNet,
  openFunction,
  openRunData,
  perceptualDistance,
  psnr,
  readField,
  ssim,
  type Pictures,
} from "@duelo/train";
import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: flags, positionals } = parseArgs({
  options: { runs: { type: "string", default: "runs" }, picture: { type: "string" } },
  allowPositionals: true,
});
const cacheDir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "duelo");
type Shape = Pictures["shape"];

/** Pictures at another size by the bicubic filter, as bytes. */
function resized({ shape: [n, c, h, w], data }: Pictures, toH: number, toW: number): Pictures {
  const out = new Uint8Array(n * c * toH * toW);
  const rows = Array.from({ length: toH }, (_, i) => bicubicTaps(i, { from: h, to: toH }));
  const columns = Array.from({ length: toW }, (_, i) => bicubicTaps(i, { from: w, to: toW }));
  for (let plane = 0; plane < n * c; plane++) {
    for (const [y, down] of rows.entries()) {
      const line = new Float64Array(w);
      for (const { place, weight } of down)
        for (let x = 0; x < w; x++)
          line[x] = (line[x] ?? 0) + weight * (data[(plane * h + place) * w + x] ?? 0);
      for (const [x, across] of columns.entries()) {
        const value = across.reduce((sum, t) => sum + t.weight * (line[t.place] ?? 0), 0);
        out[(plane * toH + y) * toW + x] = Math.min(Math.max(Math.round(value), 0), 255);
      }
    }
  }
  return { shape: [n, c, toH, toW], data: out };
}

const f = await openFunction({ runs: flags.runs, run: positionals[0] ?? "latest", threads: 1 });
const streams = await openRunData({ info: f.run, cacheDir, part: "heldOut" });
const [dataset] = Object.values(streams);
if (dataset === undefined) throw new Error("this run has no data");
const all = Int32Array.from({ length: dataset.length }, (_, i) => i);
const x = readField(dataset, "x", all);
const truth: Pictures = { shape: x.shape as unknown as Shape, data: Uint8Array.from(x.data) };
const [, , h, w] = truth.shape;
const { samples } = await f.call({ x });
const [low, high] = f.card.outputs[0]?.range ?? [0, 1];
const bytes = Uint8Array.from(samples?.data ?? [], (v) =>
  Math.min(Math.max(Math.round((255 * (v - low)) / (high - low)), 0), 255),
);
const small = resized(truth, h / 4, w / 4);
const made: Pictures = { shape: truth.shape, data: bytes };
const bicubic = resized(small, h, w);

const net = await featureNet({ name: "emoji-classifier", cacheDir, threads: 1 });
const seen = (p: Pictures) =>
  net.activations({ shape: p.shape, pixels: Uint8Array.from(p.data) }).then((maps) => maps);
const ofTruth = await seen(truth);
async function row(name: string, a: Pictures): Promise<string> {
  const pair = { a, b: truth, range: 255 };
  const layers = (await seen(a)).map((map, i) => ({ a: map, b: ofTruth[i] ?? map }));
  const interval = (values: Float64Array, digits: number): string => {
    const { estimate, low: from, high: to } = bootstrapMean({ values, seed: 0 });
    return `${estimate.toFixed(digits)} (${from.toFixed(digits)} to ${to.toFixed(digits)})`;
  };
  const columns = [
    interval(psnr(pair), 2),
    interval(ssim(pair), 3),
    interval(perceptualDistance(layers), 3),
  ];
  return `| ${name} | ${columns.join(" | ")} |`;
}
console.log(`${f.run.name}, step ${f.card.step}: ${dataset.length} held-out pictures`);
console.log("| | PSNR, dB | SSIM | perceptual distance |\n| --- | --- | --- | --- |");
console.log(await row("bicubic", bicubic));
console.log(await row(f.card.recipe, made));

if (flags.picture !== undefined) {
  const n = 8;
  const some = (p: Pictures) => {
    const [, c, height, width] = p.shape;
    const size = c * height * width;
    const pixels = new Uint8Array(n * size);
    for (let i = 0; i < n; i++) {
      const from = Math.floor((i * p.shape[0]) / n) * size;
      pixels.set(p.data.subarray(from, from + size), i * size);
    }
    return { pixels, shape: [n, c, height, width] as const, range: [0, 255] as const };
  };
  writeFileSync(flags.picture, await besideGrid([small, bicubic, made, truth].map(some)));
}
await net.close();
await f.close();
dataset.close();
