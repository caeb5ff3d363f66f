import { evaluate } from "@duelo/train";
import type { OptionValue, Recipe } from "@duelo/zoo";
import { budgetText, narrow, trainWithin, type PicturesPlan } from "./equal-time.ts";
import type { Job } from "./jobs.ts";
import { withNetsOf } from "./nets.ts";

/*
 * Fashion-MNIST at 28x28, every recipe narrow enough for two cores and with as much CPU time as the
 * others.
 */
interface Row {
  readonly name: string;
  readonly recipe?: Recipe;
  readonly set: Readonly<Record<string, OptionValue>>;
}
const rows: readonly Row[] = [
  { name: "gan", set: { widthG: 400, unitsD: 80 } },
  { name: "dcgan", set: narrow.dcgan },
  { name: "wgan-gp", set: narrow.wganGp },
  { name: "sngan", set: { widthG: 16, widthD: 8 } },
  { name: "r3gan", recipe: withNetsOf("wgan-gp", "r3gan"), set: narrow.r3gan },
  { name: "vae", set: {} },
];
const metrics = ["frechet", "precision", "recall", "density", "coverage", "sharpness"];

/** The jobs of the table, seed by seed. */
export function fashionJobs(o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  return seeds.flatMap((seed) =>
    rows.map(({ name, recipe, set }) => ({
      ...{ table: "fashion", row: name, data: "fashion-mnist", seed },
      budget: budgetText(o.budget),
      async run() {
        const runs = `${o.runs}/fashion/${name}`;
        const { dir, steps } = await trainWithin(o.budget, {
          ...{ recipe: recipe ?? name, set, data: "fashion-mnist", height: 28, width: 28 },
          ...{ seed, runs, cacheDir: o.cacheDir },
        });
        const { judgement } = await evaluate({
          ...{ runs, judged: dir, metrics, seed, cacheDir: o.cacheDir },
          ...{ features: "fashion-classifier", n: o.nSamples ?? 10_000 },
          ...(recipe === undefined ? {} : { recipe }),
        });
        const scores = judgement.scores.map(({ metric, value }) => [metric, value] as const);
        return { judge: judgement.features.name, scores: { steps, ...Object.fromEntries(scores) } };
      },
    })),
  );
}
