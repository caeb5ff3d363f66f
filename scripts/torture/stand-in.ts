/**
 * A stand-in for `duelo train`: a small real run in a real folder.
 *   npx tsx scripts/torture/stand-in.ts ROOT [--kill-at N] [--step-ms MS]
 * `--kill-at N` kills the process with SIGKILL just before file operation N. It prints how many
 * operations there were.
 */
import { parseArgs } from "node:util";
import { setTimeout } from "node:timers/promises";
import { nodeFileSystem } from "../../packages/train/src/run/file-system.ts";
import { intercept } from "./faulty-file-system.ts";
import { tinyRun } from "./tiny-run.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    "kill-at": { type: "string", default: "0" },
    "step-ms": { type: "string", default: "0" },
    steps: { type: "string", default: "6" },
    weights: { type: "string", default: "50000" },
  },
});
const [root] = positionals;
if (root === undefined) throw new Error("say where the runs go: stand-in.ts ROOT");
const killAt = Number(values["kill-at"]);
let nOperations = 0;
const fs = intercept(nodeFileSystem, () => {
  if (++nOperations === killAt) process.kill(process.pid, "SIGKILL");
});
try {
  await tinyRun({
    root,
    nSteps: Number(values.steps),
    saveEvery: 2,
    nWeights: Number(values.weights),
    fs,
    afterStep: () => setTimeout(Number(values["step-ms"])),
  });
  console.log(nOperations);
} catch (error) {
  console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
  process.exitCode = 1;
}
