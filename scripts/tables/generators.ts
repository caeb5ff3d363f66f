import { evaluate, imageGrid, sampleRun } from "@duelo/train";
import type { OptionValue } from "@duelo/zoo";
import { writeFileSync } from "node:fs";
import { budgetText, trainWithin, type PicturesPlan } from "./equal-time.ts";
import { withInterval, type Job } from "./jobs.ts";

/*
 * Systems that are made for more than a DCGAN, beside dcgan in equal CPU time: emoji at 32x32 in colour, and
 * the ten classes of Fashion-MNIST.
 */
interface Row {
  readonly recipe: string;
  readonly set: Readonly<Record<string, OptionValue>>;
  /** Options of a step to measure, if the first ones cost less than those after them. */
  readonly measured?: Row["set"];
}
const emoji: readonly Row[] = [
  { recipe: "dcgan", set: {} },
  { recipe: "lapgan", set: {} },
  { recipe: "biggan", set: {} },
  { recipe: "biggan-deep", set: {} },
  {
    recipe: "stylegan",
    set: { fadeKimg: 3, stableKimg: 3 },
    measured: { progressive: false },
  },
  { recipe: "stylegan2", set: {} },
];
const garments: readonly Row[] = [
  { recipe: "dcgan", set: {} },
  { recipe: "lapgan", set: {} },
  { recipe: "biggan", set: {} },
  { recipe: "biggan-deep", set: {} },
];
const sets = [
  { data: "emoji", side: 32, features: "emoji-classifier", rows: emoji, nSamples: 2000 },
  {
    data: "fashion-mnist",
    side: 28,
    features: "fashion-classifier",
    rows: garments,
    nSamples: 5000,
  },
] as const;
const metrics = ["frechet", "precision", "recall", "density", "coverage", "sharpness"];

/** The jobs of the table; every one leaves a grid of samples too. */
export function generatorJobs(o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  return seeds.flatMap((seed) =>
    sets.flatMap(({ data, side, features, rows, nSamples }) =>
      rows.map(({ recipe, set, measured }) => ({
        ...{ table: "generators", row: recipe, data, seed, budget: budgetText(o.budget) },
        async run() {
          const runs = `${o.runs}/generators/${data}-${recipe}`;
          const request = { recipe, set, data, height: side, width: side, seed, runs };
          const { dir, steps } = await trainWithin(
            o.budget,
            { ...request, cacheDir: o.cacheDir },
            measured,
          );
          const {
            pixels,
            shape,
            range = [0, 255],
          } = await sampleRun({ runs, run: dir, n: 64, seed });
          const [n = 0, c = 0, h = 0, w = 0] = shape;
          const grid = await imageGrid({ pixels, shape: [n, c, h, w], range });
          writeFileSync(`${runs}-${seed}.png`, grid);
          const { judgement } = await evaluate({
            ...{ runs, judged: dir, metrics, features, seed, cacheDir: o.cacheDir },
            n: o.nSamples ?? nSamples,
          });
          const scores = judgement.scores.map(({ metric, value, interval }) =>
            interval === undefined
              ? { [metric]: value }
              : withInterval(metric, { estimate: value, low: interval[0], high: interval[1] }),
          );
          return { judge: features, scores: Object.assign({ steps }, ...scores) };
        },
      })),
    ),
  );
}
