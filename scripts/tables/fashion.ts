import { evaluate } from "@duelo/train";
import type { OptionValue } from "@duelo/zoo";
import { budgetText, narrow, trainWithin, type PicturesPlan } from "./equal-time.ts";
import type { Job } from "./jobs.ts";

/*
 * Fashion-MNIST at 28x28, every recipe narrow enough for two cores and with as much CPU time as the
 * others.
 */
interface Row {
  readonly recipe: string;
  readonly set: Readonly<Record<string, OptionValue>>;
}
const rows: readonly Row[] = [
  { recipe: "gan", set: { widthG: 400, unitsD: 80 } },
  { recipe: "dcgan", set: narrow.dcgan },
  { recipe: "wgan-gp", set: narrow.wganGp },
  { recipe: "sngan", set: { widthG: 16, widthD: 8 } },
  { recipe: "r3gan", set: narrow.r3gan },
  { recipe: "vae", set: {} },
];
const metrics = ["frechet", "precision", "recall", "density", "coverage", "sharpness"];

/** The jobs of the table, seed by seed. */
export function fashionJobs(o: PicturesPlan): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  return seeds.flatMap((seed) =>
    rows.map(({ recipe, set }) => ({
      ...{ table: "fashion", row: recipe, data: "fashion-mnist", seed },
      budget: budgetText(o.budget),
      async run() {
        const runs = `${o.runs}/fashion/${recipe}`;
        const { dir, steps } = await trainWithin(o.budget, {
          ...{ recipe, set, data: "fashion-mnist", height: 28, width: 28 },
          ...{ seed, runs, cacheDir: o.cacheDir },
        });
        const { judgement } = await evaluate({
          ...{ runs, judged: dir, metrics, seed, cacheDir: o.cacheDir },
          ...{ features: "fashion-classifier", n: o.nSamples ?? 10_000 },
        });
        const scores = judgement.scores.map(({ metric, value }) => [metric, value] as const);
        return { judge: judgement.features.name, scores: { steps, ...Object.fromEntries(scores) } };
      },
    })),
  );
}
