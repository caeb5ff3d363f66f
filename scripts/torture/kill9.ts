/**
 * Kills a training command with SIGKILL at random moments, again and again, and resumes it by the same
 * command. Each time it comes to its end, the end must be the one of a run that nobody killed.
 *   npx tsx scripts/torture/kill9.ts [--kills 200] [--seed 1] -- COMMAND … {root} …
 * `{root}` stands for the folder of the runs. Without a command, a stand-in runs.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import {
  commandFromArguments,
  faultOf,
  outcomeOf,
  runCommand,
  seededRandom,
  withRoot,
} from "./processes.ts";

const { args, command } = commandFromArguments(["--steps", "40", "--step-ms", "15"]);
const { values } = parseArgs({
  args,
  options: { kills: { type: "string", default: "200" }, seed: { type: "string", default: "1" } },
});
const random = seededRandom(Number(values.seed));
const base = mkdtempSync(join(tmpdir(), "duelo-kill9-"));

const begun = performance.now();
const straight = await runCommand(withRoot(command, join(base, "straight")));
if (straight.code !== 0) throw new Error(`the command fails without a kill:\n${straight.stderr}`);
const straightMs = performance.now() - begun;
const expected = await outcomeOf(join(base, "straight"));
console.log(
  `A run that nobody kills takes ${Math.round(straightMs)} ms and ends with\n${expected}\n`,
);

const counts = { kills: 0, ends: 0, faults: 0 };
let round = 0;
let hasEnded = true;
while (counts.kills < Number(values.kills) || !hasEnded) {
  const root = join(base, `killed-${round}`);
  const isLast = counts.kills >= Number(values.kills);
  const killAfterMs = isLast ? {} : { killAfterMs: random() * straightMs };
  const ended = await runCommand(withRoot(command, root), killAfterMs);
  hasEnded = ended.code === 0;
  if (ended.signal === "SIGKILL") counts.kills++;
  else if (!hasEnded) fault(`exit code ${ended.code}: ${ended.stderr}`);
  const broken = await faultOf(root);
  if (broken !== undefined) fault(broken);
  if (!hasEnded && ended.signal === "SIGKILL") continue;
  counts.ends++;
  const found = await outcomeOf(root);
  if (found !== expected) fault(`it ended with\n${found}`);
  rmSync(root, { recursive: true });
  round++;
  hasEnded = true;
}
console.log(
  `${counts.kills} kills, ${counts.ends} runs that came to their end, ${counts.faults} faults.`,
);
rmSync(base, { recursive: true });
if (counts.faults > 0 || counts.ends === 0) process.exitCode = 1;

function fault(what: string): void {
  counts.faults++;
  console.error(`Fault after ${counts.kills} kills: ${what}`);
}
