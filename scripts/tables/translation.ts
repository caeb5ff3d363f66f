import {
  besideGrid,
  bootstrapMean,
  openData,
  openFunction,
  psnr,
  readField,
  ssim,
  takePictures,
  toBytes,
  type OtherSet,
  type Pictures,
} from "@duelo/train";
import type { OptionValue } from "@duelo/zoo";
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { budgetText, trainWithin, type PicturesPlan } from "./equal-time.ts";
import { withInterval, type Job } from "./jobs.ts";

/*
 * Thin phosphor icons to filled ones at 32x32: how near translators with and without pairs come to the true
 * filled icons of icons that none was trained on, in equal CPU time, beside the thin icon itself.
 */
interface Row {
  readonly name: string;
  readonly recipe: string;
  /** What it learns from: pairs of thin and filled, both without pairs, or all six weights. */
  readonly from: "two" | "six";
  readonly set: Readonly<Record<string, OptionValue>>;
}
const rows: readonly Row[] = [
  { name: "pix2pix", recipe: "pix2pix", from: "two", set: { patch: "16" } },
  { name: "L1 alone", recipe: "pix2pix", from: "two", set: { patch: "16", gan: 0 } },
  { name: "cyclegan", recipe: "cyclegan", from: "two", set: { patch: "16", widthD: 16 } },
  { name: "discogan", recipe: "discogan", from: "two", set: {} },
  { name: "stargan", recipe: "stargan", from: "six", set: {} },
];
const [side, weights, heldOutEvery] = [
  32,
  ["bold", "duotone", "fill", "light", "regular", "thin"],
  10,
] as const;
const assets = join(import.meta.dirname, "../../node_modules/@phosphor-icons/core/assets");

/** The icons as folders, every tenth of them apart: `train/thin/acorn.svg`, `held/fill/…`. */
function iconFolders(runs: string): { readonly train: string; readonly held: string } {
  const root = join(runs, "translation/phosphor");
  const names = readdirSync(join(assets, "regular")).map((f) => basename(f, ".svg"));
  for (const [i, name] of names.entries()) {
    for (const weight of weights) {
      const folder = join(root, i % heldOutEvery === 0 ? "held" : "train", weight);
      const to = join(folder, `${name}.svg`);
      if (existsSync(to)) continue;
      mkdirSync(folder, { recursive: true });
      const file = weight === "regular" ? `${name}.svg` : `${name}-${weight}.svg`;
      copyFileSync(join(assets, weight, file), to);
    }
  }
  return { train: join(root, "train"), held: join(root, "held") };
}

/** The jobs of the table; every one leaves a picture too: in threes thin, made and filled. */
export function translationJobs(o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  const about = { table: "translation", data: "phosphor" };
  const identity: Job = {
    ...{ ...about, row: "identity", seed: 1, budget: "none" },
    run: async () => {
      const { thin, filled } = await heldOut(o);
      return { judge: "pixels", scores: scoresOf(thin, filled) };
    },
  };
  const trained = seeds.flatMap((seed) =>
    rows.map((row) => ({
      ...{ ...about, row: row.name, seed, budget: budgetText(o.budget) },
      run: () => judged(row, seed, o),
    })),
  );
  return [identity, ...trained];
}

async function judged(row: Row, seed: number, o: PicturesPlan) {
  const { train } = iconFolders(o.runs);
  const runs = join(o.runs, "translation", row.name.replace(" ", "-"));
  const two: OtherSet & { data: string } = { data: `${train}/thin`, to: `${train}/fill` };
  const { dir, steps } = await trainWithin(o.budget, {
    ...{ recipe: row.recipe, set: row.set, seed, runs, cacheDir: o.cacheDir },
    ...{ height: side, width: side, channels: 1, ...(row.from === "two" ? two : { data: train }) },
    ...(row.from === "two" ? { toChannels: 1 } : {}),
  });
  const { thin, filled } = await heldOut(o);
  const name = row.recipe === "stargan" ? "sample" : "toB";
  const f = await openFunction({ runs, run: dir, function: name, threads: 1 });
  const [n] = thin.shape;
  const feeds = f.card.inputs
    .filter(({ kind }) => kind === "image" || kind === "label")
    .map((i) => {
      if (i.kind === "image")
        return [
          i.name,
          { dtype: "uint8", shape: thin.shape, data: Uint8Array.from(thin.data) },
        ] as const;
      const to = new Int32Array(n).fill(weights.indexOf("fill"));
      return [i.name, { dtype: "int32", shape: [n], data: to }] as const;
    });
  const made = Object.values(await f.call(Object.fromEntries(feeds), { seed }))[0];
  const range = f.card.outputs[0]?.range ?? [-1, 1];
  await f.close();
  const data = toBytes(Float32Array.from(made?.data ?? []), range);
  const translated: Pictures = { shape: thin.shape, data };
  const shown = [thin, translated, filled].map(someOf);
  writeFileSync(
    join(o.runs, "translation", `${basename(runs)}-${seed}.png`),
    await besideGrid(shown),
  );
  return { judge: "pixels", scores: { steps, ...scoresOf(translated, filled) } };
}

/** Thin and filled icons that no row is trained on. */
async function heldOut(o: PicturesPlan): Promise<{ thin: Pictures; filled: Pictures }> {
  const { held } = iconFolders(o.runs);
  const dataset = await openData({
    ...{ spec: `${held}/thin`, pair: { spec: `${held}/fill` }, domain: "image" },
    ...{ height: side, width: side, channels: 1, cacheDir: o.cacheDir },
  });
  try {
    const n = Math.min(dataset.length, o.nSamples ?? dataset.length);
    const indices = Int32Array.from({ length: n }, (_, i) => i);
    const of = (field: string): Pictures => {
      const { data } = readField(dataset, field, indices);
      return { shape: [n, 1, side, side], data: Uint8Array.from(data) };
    };
    return { thin: of("x"), filled: of("pair") };
  } finally {
    dataset.close();
  }
}

function scoresOf(a: Pictures, b: Pictures): Record<string, number> {
  const [n] = a.shape;
  const size = a.data.length / n;
  const l1 = Float64Array.from({ length: n }, (_, i) => {
    let sum = 0;
    for (let k = i * size; k < (i + 1) * size; k++)
      sum += Math.abs((a.data[k] ?? 0) - (b.data[k] ?? 0));
    return sum / size / 255;
  });
  const pair = { a, b, range: 255 };
  return {
    ...withInterval("l1", bootstrapMean({ values: l1, seed: 0 })),
    ...withInterval("psnr", bootstrapMean({ values: psnr(pair), seed: 0 })),
    ...withInterval("ssim", bootstrapMean({ values: ssim(pair), seed: 0 })),
  };
}

/** Two dozen pictures spread over all. */
function someOf(all: Pictures) {
  const [n] = all.shape;
  const most = Math.min(n, 24);
  const rowsShown = Array.from({ length: most }, (_, i) => Math.floor((i * n) / most));
  const { shape, data } = takePictures(all, rowsShown);
  return { pixels: Uint8Array.from(data), shape, range: [0, 255] as const };
}
