// Verdicts on runs that are healthy or broken on purpose, the table of docs/guide/health.md:
//   npx tsx scripts/tables/health.ts [--seed N] [--row TEXT] [--steps N]
// What is done is kept in runs/health and passed over the next time; npm run tables:write puts it in the page.
import { cacheDir, train } from "duelo";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { finish, finished, runsOf } from "./health/results.ts";
import { setups } from "./health/setups.ts";
import { cpuSeconds } from "./jobs.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "3" },
    /** Only the rows with this in their name. */
    row: { type: "string", default: "" },
    /** In place of each row's own; no verdict comes of a few. */
    steps: { type: "string" },
    runs: { type: "string", default: "runs/health" },
  },
});
const seed = Number(values.seed);
for (const { name, request } of setups.filter((setup) => setup.name.includes(values.row))) {
  const { steps } = values;
  // A run of other length is another run, which must not pass for the row.
  const named = steps === undefined ? name : `${name} ${steps} steps`;
  const runs = runsOf({ root: values.runs, name: named, seed });
  if (existsSync(finished(runs))) continue;
  const before = cpuSeconds();
  let end: string | undefined;
  try {
    const common = { threads: 1, cacheDir: cacheDir(), checkpointSeconds: 1e6, probeShare: 1 };
    const budget = steps === undefined ? request.budget : { steps: Number(steps) };
    await train({ ...request, ...common, ...(budget && { budget }), seed, runs });
  } catch (error) {
    end = (error as Error).message; // divergence ends a run, which is what some of them are for
  }
  const { said } = await finish({ name, seed, runs, cpuSeconds: cpuSeconds() - before });
  console.log(`${name}: ${said}${end === undefined ? "" : ` (${end})`}`);
}
