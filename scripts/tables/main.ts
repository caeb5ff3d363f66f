// The tables of docs/zoo/tables.md: npm run tables, or a part of them:
//   npx tsx scripts/tables/main.ts [TABLE] [--row NAME] [--data NAME] [--seeds N] [--steps N] [--seconds N]
// Every finished row is kept in runs/tables/results.jsonl; the same command goes on from there.
// When all is run, npm run tables:write puts the results into scripts/tables/results.json and the page.
import { cacheDir } from "duelo";
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fashionJobs } from "./fashion.ts";
import { generatorJobs } from "./generators.ts";
import { runJobs, type Job } from "./jobs.ts";
import { mixtureJobs } from "./mixtures.ts";
import { stackedJobs } from "./stacked.ts";
import { translationJobs } from "./translation.ts";
import { upscalingJobs } from "./upscaling.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    row: { type: "string" },
    data: { type: "string" },
    seeds: { type: "string", default: "3" },
    /** In place of each table's own budget. */
    steps: { type: "string" },
    /** CPU seconds of training of a row of the tables of pictures. */
    seconds: { type: "string", default: "200" },
    runs: { type: "string", default: "runs/tables" },
    /** Rows trained at once, each on one thread; a process each, of which one has the number `worker`. */
    workers: { type: "string", default: String(availableParallelism()) },
    worker: { type: "string" },
  },
});
const steps = values.steps === undefined ? {} : { steps: Number(values.steps) };
const plan = { seeds: Number(values.seeds), runs: values.runs, cacheDir: cacheDir() };
const budget = { seconds: Number(values.seconds), ...steps };
const tables: Readonly<Record<string, () => Job[]>> = {
  mixtures: () => mixtureJobs({ ...plan, ...steps }),
  fashion: () => fashionJobs({ ...plan, budget }),
  stacked: () => stackedJobs({ ...plan, budget }),
  generators: () => generatorJobs({ ...plan, budget }),
  translation: () => translationJobs({ ...plan, budget }),
  upscaling: () => upscalingJobs({ ...plan, budget }),
};
const chosen = positionals[0] === undefined ? Object.keys(tables) : [positionals[0]];
const jobs = chosen
  .flatMap((name) => tables[name]?.() ?? [])
  .filter((job) => values.row === undefined || job.row === values.row)
  .filter((job) => values.data === undefined || job.data === values.data);
const nWorkers = Math.min(Number(values.workers), jobs.length);
if (jobs.length === 0) {
  console.error(`There is no such row. Tables: ${Object.keys(tables).join(", ")}.`);
  process.exitCode = 2;
} else if (values.worker === undefined && nWorkers > 1) {
  for (let i = 0; i < nWorkers; i++) {
    const args = [...process.argv.slice(1), "--workers", String(nWorkers), "--worker", String(i)];
    spawn(process.execPath, [...process.execArgv, ...args], { stdio: "inherit" }).on(
      "exit",
      (code) => (process.exitCode ||= code ?? 1),
    );
  }
} else {
  const mine = jobs.filter((_, i) => i % nWorkers === Number(values.worker ?? 0));
  const file = join(values.runs, "results.jsonl");
  await runJobs(mine, { file, say: (line) => console.log(line) });
}
