// Modes and high-quality share on ring8: npx tsx scripts/tables/ring8.ts RECIPE --steps N --seeds 5 (after npm run build)
//
// Protocol (PacGAN, VEEGAN): 2,500 samples, counted by `mixtureScores`.
import { mixtureScores, sampleRun, toys, train } from "@duelo/train";
import { join } from "node:path";
import { parseArgs } from "node:util";

const nSamples = 2500;

/** Mean and standard error of the mean. */
function summary(values: readonly number[]): string {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1);
  return `${mean.toFixed(2)} ± ${Math.sqrt(variance / values.length).toFixed(2)}`;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "10000" },
    seeds: { type: "string", default: "5" },
    runs: { type: "string", default: "runs/ring8" },
  },
});
const recipe = positionals[0] ?? "gan-2d";
const scores: { modes: number; share: number }[] = [];
for (let seed = 1; seed <= Number(values.seeds); seed++) {
  const runs = join(values.runs, recipe);
  const budget = { steps: Number(values.steps) };
  const { dir, seconds } = await train({
    recipe,
    data: "ring8",
    budget,
    seed,
    runs,
    threads: 1,
    cacheDir: "",
  });
  const { pixels } = await sampleRun({ runs, run: dir, n: nSamples, seed });
  const samples = { rows: nSamples, cols: 2, data: pixels };
  const { modes, highQuality: share } = mixtureScores({ samples, ...toys.ring8 });
  scores.push({ modes, share });
  console.log(
    `seed ${seed}: ${modes} modes, ${(100 * share).toFixed(1)} % of high quality, ${seconds.toFixed(0)} s`,
  );
}
console.log(
  `${recipe}, ${values.steps} steps, ${scores.length} seeds: modes ${summary(scores.map((s) => s.modes))}, ` +
    `high quality ${summary(scores.map((s) => 100 * s.share))} %`,
);
