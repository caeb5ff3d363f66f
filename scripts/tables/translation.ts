import {
  besideGrid,
  inChannels,
  openFunction,
  l1Distance,
  psnr,
  ssim,
  toBytes,
  type DataRequest,
  type OtherSet,
  type Pictures,
} from "@duelo/train";
import type { HostTensor } from "@duelo/runtime";
import type { OptionValue } from "@duelo/zoo";
import { copyFileSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { budgetText, trainWithin, type PicturesPlan } from "./equal-time.ts";
import { meanOf, readHeldOut, someOf } from "./held-out.ts";
import type { Job } from "./jobs.ts";

/*
 * Two translations at 32x32, in equal CPU time, and how near they come to the truth for pictures that none was
 * trained on: thin phosphor icons to filled ones, with and without pairs, and the colours of grey emoji.
 */
interface Row {
  readonly name: string;
  readonly recipe: string;
  /** What it learns from: pairs, both sides without pairs, or all six weights of the icons. */
  readonly from: "two" | "six";
  readonly set: Readonly<Record<string, OptionValue>>;
}
interface Task {
  readonly data: string;
  readonly rows: readonly Row[];
  /** Channels of what is given and of what is wanted. */
  readonly channels: readonly [1 | 3, 1 | 3];
  /** What a row trains on. */
  training(row: Row, runs: string): OtherSet & { readonly data: string; readonly holdOut?: number };
  /** Pairs that no row is trained on. */
  truth(runs: string): Pick<DataRequest, "spec" | "pair" | "holdOut" | "part">;
}
const pix2pix = { recipe: "pix2pix", from: "two" } as const;
const tasks: readonly Task[] = [
  {
    data: "phosphor",
    channels: [1, 1],
    rows: [
      { ...pix2pix, name: "pix2pix", set: { patch: "16" } },
      { ...pix2pix, name: "L1 alone", set: { patch: "16", gan: 0 } },
      { name: "cyclegan", recipe: "cyclegan", from: "two", set: { patch: "16", widthD: 16 } },
      { name: "discogan", recipe: "discogan", from: "two", set: { rate: 0.5, rateFirst: 0.5 } },
      { name: "stargan", recipe: "stargan", from: "six", set: {} },
    ],
    training({ from }, runs) {
      const { train } = iconFolders(runs);
      return from === "six" ? { data: train } : { data: `${train}/thin`, to: `${train}/fill` };
    },
    truth(runs) {
      const { held } = iconFolders(runs);
      return { spec: `${held}/thin`, pair: { spec: `${held}/fill`, channels: 1 } };
    },
  },
  {
    data: "emoji",
    channels: [1, 3],
    rows: [
      { ...pix2pix, name: "pix2pix", set: { patch: "16", colour: "lab" } },
      { ...pix2pix, name: "L1 alone", set: { patch: "16", colour: "lab", gan: 0 } },
    ],
    training: () => ({ data: "emoji", derive: "grey", holdOut }),
    truth: () => ({
      spec: "emoji",
      pair: { derive: "grey", channels: 3 },
      holdOut,
      part: "heldOut",
    }),
  },
];
const [side, heldOutEvery, holdOut] = [32, 10, 0.1] as const;
const weights = ["bold", "duotone", "fill", "light", "regular", "thin"] as const;
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

/** The jobs of the table; every one leaves a picture too: in threes given, made and true. */
export const translationJobs = (o: PicturesPlan): Job[] => tasks.flatMap((task) => jobsOf(task, o));

function jobsOf(task: Task, o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  const about = { table: "translation", data: task.data };
  const identity: Job = {
    ...{ ...about, row: "identity", seed: 1, budget: "none" },
    run: async () => {
      const { given, wanted } = await truthOf(task, o);
      const scores = scoresOf(inChannels(given, wanted.shape[1]), wanted);
      return { judge: "pixels", scores };
    },
  };
  const trained = seeds.flatMap((seed) =>
    task.rows.map((row) => ({
      ...{ ...about, row: row.name, seed, budget: budgetText(o.budget) },
      run: () => judged(task, row, { seed, o }),
    })),
  );
  return [identity, ...trained];
}

async function judged(task: Task, row: Row, { seed, o }: { seed: number; o: PicturesPlan }) {
  const [channels, toChannels] = task.channels;
  const name = `${task.data}-${row.name.replace(" ", "-")}`;
  const runs = join(o.runs, "translation", name);
  const { dir, steps } = await trainWithin(o.budget, {
    ...{
      ...task.training(row, o.runs),
      recipe: row.recipe,
      set: row.set,
      height: side,
      width: side,
    },
    ...{
      channels,
      ...(row.from === "two" ? { toChannels } : {}),
      seed,
      runs,
      cacheDir: o.cacheDir,
    },
  });
  const { given, wanted } = await truthOf(task, o);
  const made = await translated(given, {
    ...{ runs, run: dir, function: row.from === "two" ? "toB" : "sample", seed },
  });
  const shown = [given, made, wanted].map((p) => someOf(p, 24));
  writeFileSync(join(o.runs, "translation", `${name}-${seed}.png`), await besideGrid(shown));
  return { judge: "pixels", scores: { steps, ...scoresOf(made, wanted) } };
}

/** Pictures through a run; where it asks for a domain, to filled icons. */
export async function translated(
  given: Pictures,
  { seed, ...choice }: { runs: string; run: string; function: string; seed: number },
): Promise<Pictures> {
  const f = await openFunction({ ...choice, threads: 1 });
  const [n, , height, width] = given.shape;
  const feeds = f.card.inputs.flatMap(({ name, kind }): [string, HostTensor][] => {
    if (kind === "image")
      return [[name, { dtype: "uint8", shape: given.shape, data: Uint8Array.from(given.data) }]];
    if (kind !== "label") return [];
    const to = new Int32Array(n).fill(weights.indexOf("fill"));
    return [[name, { dtype: "int32", shape: [n], data: to }]];
  });
  const [made] = Object.values(await f.call(Object.fromEntries(feeds), { seed }));
  const range = f.card.outputs[0]?.range ?? [-1, 1];
  await f.close();
  const data = toBytes(Float32Array.from(made?.data ?? []), range);
  return { shape: [n, made?.shape[1] ?? 1, height, width], data };
}

async function truthOf(
  task: Task,
  o: PicturesPlan,
): Promise<{ given: Pictures; wanted: Pictures }> {
  const request = { ...task.truth(o.runs), channels: task.channels[0], cacheDir: o.cacheDir };
  const { x: given, pair: wanted } = await readHeldOut(request, { side, most: o.nSamples });
  if (wanted === undefined) throw new TypeError(`${task.data} has no pairs`);
  return { given, wanted };
}

export function scoresOf(a: Pictures, b: Pictures): Record<string, number> {
  const pair = { a, b, range: 255 };
  return {
    ...meanOf("l1", l1Distance(pair)),
    ...meanOf("psnr", psnr(pair)),
    ...meanOf("ssim", ssim(pair)),
  };
}
