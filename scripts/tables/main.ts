// The tables of docs/zoo/tables.md: npm run tables, or a part of them:
//   npx tsx scripts/tables/main.ts [TABLE] [--row NAME] [--seeds N] [--steps N]
// Every finished row is kept in runs/tables/results.jsonl; the same command goes on from there.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { runJobs, type Job } from "./jobs.ts";
import { mixtureJobs } from "./mixtures.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    row: { type: "string" },
    data: { type: "string" },
    seeds: { type: "string", default: "3" },
    steps: { type: "string" },
    runs: { type: "string", default: "runs/tables" },
  },
});
const plan = {
  seeds: Number(values.seeds),
  ...(values.steps === undefined ? {} : { steps: Number(values.steps) }),
  runs: values.runs,
};
const tables: Readonly<Record<string, () => Job[]>> = { mixtures: () => mixtureJobs(plan) };
const chosen = positionals[0] === undefined ? Object.keys(tables) : [positionals[0]];
const jobs = chosen
  .flatMap((name) => tables[name]?.() ?? [])
  .filter((job) => values.row === undefined || job.row === values.row)
  .filter((job) => values.data === undefined || job.data === values.data);
if (jobs.length === 0) {
  throw new Error(`There is no such row. Tables: ${Object.keys(tables).join(", ")}.`);
}
const file = join(values.runs, "results.jsonl");
await runJobs(jobs, { file, say: (line) => console.log(line) });
