import { evaluate, train } from "@duelo/train";
import type { OptionValue } from "@duelo/zoo";
import type { Job } from "./jobs.ts";

/*
 * Fashion-MNIST at 28x28, every recipe narrow enough for two cores and with as much CPU time as the
 * others: the steps of a row are the time over that of a step, which is measured first.
 */
interface Row {
  readonly recipe: string;
  readonly set: Readonly<Record<string, OptionValue>>;
}
const rows: readonly Row[] = [
  { recipe: "gan", set: { widthG: 400, unitsD: 80 } },
  { recipe: "dcgan", set: { batch: 64, width: 16 } },
  { recipe: "wgan-gp", set: { width: 16 } },
  { recipe: "sngan", set: { widthG: 16, widthD: 16 } },
  { recipe: "r3gan", set: { batch: 64, width: 32, nBlocks: 1, decayImages: 1e5, emaImages: 5000 } },
  { recipe: "vae", set: {} },
];
const metrics = ["frechet", "precision", "recall", "density", "coverage", "sharpness"];
const nCalibrating = [10, 40] as const;

const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** The jobs of the table, seed by seed. `steps` fixes the steps of every row in place of the time. */
export function fashionJobs(o: {
  readonly seeds: number;
  readonly steps?: number;
  readonly seconds: number;
  readonly features?: string;
  readonly runs: string;
  readonly cacheDir: string;
}): Job[] {
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  return seeds.flatMap((seed) =>
    rows.map(({ recipe, set }) => ({
      ...{ table: "fashion", row: recipe, data: "fashion-mnist", seed },
      budget: o.steps === undefined ? `${o.seconds} s of CPU` : `${o.steps} steps`,
      async run() {
        const runs = `${o.runs}/fashion/${recipe}`;
        const go = (part: { steps: number; seed: number; runs: string }) =>
          train({
            ...{ recipe, set, data: "fashion-mnist", height: 28, width: 28, threads: 1 },
            ...{
              budget: { steps: part.steps },
              seed: part.seed,
              runs: part.runs,
              cacheDir: o.cacheDir,
            },
          });
        const measured = async (): Promise<number> => {
          const spent: number[] = [];
          for (const steps of nCalibrating) {
            const before = cpuSeconds();
            await go({ steps, seed: 10_000 + seed, runs: `${runs}/calibration-${steps}` });
            spent.push(cpuSeconds() - before);
          }
          const [few = 0, many = 0] = spent;
          return (many - few) / (nCalibrating[1] - nCalibrating[0]);
        };
        const steps = o.steps ?? Math.max(1, Math.floor(o.seconds / (await measured())));
        const { dir } = await go({ steps, seed, runs });
        const { judgement } = await evaluate({
          ...{ runs, judged: dir, metrics, seed, cacheDir: o.cacheDir },
          ...(o.features === undefined ? {} : { features: o.features }),
        });
        const scores = judgement.scores.map(({ metric, value }) => [metric, value] as const);
        return { judge: judgement.features.name, scores: { steps, ...Object.fromEntries(scores) } };
      },
    })),
  );
}
