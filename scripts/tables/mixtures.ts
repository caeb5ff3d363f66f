import { mixtureScores, sampleRun, toys, train } from "@duelo/train";
import { findRecipe, type OptionValue, type Recipe } from "@duelo/zoo";
import type { Job } from "./jobs.ts";
import { withNetsOf } from "./nets.ts";

/*
 * ring8 and grid25 by the protocol and with the nets of PacGAN (Lin et al. 2017, Section 4.1): z has two
 * numbers, D sees 100 packs a step, 2,500 samples are counted. Each row is a recipe of the zoo with
 * its own loss; the nets are pacgan-2d's in all of them.
 */
const pacgan = findRecipe("pacgan-2d");
const withPacganNets = (recipe: string): Recipe => withNetsOf("pacgan-2d", recipe, { pack: 1 });

interface Row {
  readonly name: string;
  readonly recipe: Recipe;
  /** Its part of the table's steps, where one of its steps costs several of the others'. */
  readonly share?: number;
  readonly set: Readonly<Record<string, OptionValue>>;
}
const packs = (pack: number): Row["set"] => ({ pack, batch: 100 * pack });
const unpacked = { batch: 100, zDim: 2 };
const paperAdam = { lrG: 1e-4, lrD: 1e-4, beta1: 0.8 }; // PacGAN's
export const rows: readonly Row[] = [
  { name: "gan", recipe: pacgan, set: packs(1) },
  { name: "pacgan 2", recipe: pacgan, set: packs(2) },
  { name: "pacgan 3", recipe: pacgan, set: packs(3) },
  { name: "pacgan 4", recipe: pacgan, set: packs(4) },
  { name: "r3gan", recipe: withPacganNets("r3gan-2d"), set: unpacked },
  { name: "wgan-gp", recipe: withPacganNets("wgan-gp-2d"), share: 0.4, set: unpacked },
  {
    name: "unrolled-gan 5",
    recipe: withPacganNets("unrolled-gan-2d"),
    share: 0.4,
    set: { ...unpacked, ...paperAdam },
  },
];

const nSamples = 2500;

/** The jobs of the table, seed by seed, so that a stopped table has whole seeds. */
export function mixtureJobs(o: {
  readonly seeds: number;
  readonly steps?: number;
  readonly runs: string;
}): Job[] {
  const ofTable = o.steps ?? 10_000;
  const seeds = Array.from({ length: o.seeds }, (_, i) => i + 1);
  return (["ring8", "grid25"] as const).flatMap((data) =>
    seeds.flatMap((seed) =>
      rows.map(({ name, recipe, share = 1, set }) => {
        const steps = Math.ceil(share * ofTable);
        const about = { table: "mixtures", row: name, data, seed, budget: `${steps} steps` };
        const run = async () => {
          const runs = `${o.runs}/${data}/${name.replace(" ", "-")}`;
          const budget = { steps };
          const { dir } = await train({
            recipe,
            data,
            set,
            budget,
            seed,
            runs,
            threads: 1,
            cacheDir: "",
          });
          const { pixels } = await sampleRun({ recipe, runs, run: dir, n: nSamples, seed });
          const samples = { rows: nSamples, cols: 2, data: pixels };
          const { modes, highQuality, reverseKl } = mixtureScores({ samples, ...toys[data] });
          const kl = reverseKl === undefined ? {} : { reverseKl }; // none without a good sample
          return { judge: "raw", scores: { modes, highQuality, ...kl } };
        };
        return { ...about, run };
      }),
    ),
  );
}
