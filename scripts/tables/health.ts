// Verdicts on runs that are healthy or broken on purpose: npx tsx scripts/tables/health.ts [ROW …] --seed N
import { cacheDir, train } from "duelo";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { setups } from "./health/setups.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: "string", default: "1" },
    runs: { type: "string", default: "runs/health" },
  },
});
for (const [i, { name, request }] of setups.entries()) {
  if (positionals.length > 0 && !positionals.includes(String(i))) continue;
  const seed = Number(values.seed);
  const runs = join(values.runs, `${i}-${seed}`);
  try {
    const began = process.cpuUsage().user;
    const { seconds } = await train({
      ...request,
      seed,
      runs,
      threads: 1,
      cacheDir: cacheDir(),
      checkpointSeconds: 1e6,
      probeShare: 1,
    });
    console.log(
      `${i} ${name}: ${seconds.toFixed(0)} s, cpu ${((process.cpuUsage().user - began) / 1e6).toFixed(1)}`,
    );
  } catch (error) {
    console.log(`${i} ${name}: ${String(error)}`);
  }
}
