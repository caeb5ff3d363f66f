/**
 * Trains on file systems in memory that are too small, of one size after the other, until one is large
 * enough. A run that finds its disk full must say so in one sentence, leave no temporary file, keep
 * its last checkpoint whole, and come to the same end once there is space.
 *   npx tsx scripts/torture/full-disk.ts [--from-kb 100] [--step-kb 100] [--to-kb 1500] -- COMMAND … {root} …
 * Needs Linux and `unshare`. Without a command, a stand-in runs.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, mkdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { commandFromArguments, faultOf, outcomeOf, runCommand, withRoot } from "./processes.ts";

const { args, command } = commandFromArguments(["--steps", "6"]);
const number = (value: string) => ({ type: "string" as const, default: value });
const { values } = parseArgs({
  args,
  options: { "from-kb": number("40"), "step-kb": number("60"), "to-kb": number("1500") },
});
if (spawnSync("unshare", ["-Urm", "true"]).status !== 0) {
  throw new Error("unshare -Urm does not work here: no user namespaces");
}
const base = mkdtempSync(join(tmpdir(), "duelo-full-disk-"));
const straight = await runCommand(withRoot(command, join(base, "straight")));
if (straight.code !== 0) throw new Error(`the command fails without a fault:\n${straight.stderr}`);
const expected = await outcomeOf(join(base, "straight"));

let nFaults = 0;
let nFull = 0;
let nEnded = 0;
for (
  let kb = Number(values["from-kb"]);
  kb <= Number(values["to-kb"]) && nEnded === 0;
  kb += Number(values["step-kb"])
) {
  const kept = join(base, `kept-${kb}`);
  const small = join(base, "small");
  mkdirSync(small, { recursive: true });
  // The small disk lives only inside the namespace, so its runs are copied out before it ends.
  const script = `mount -t tmpfs -o size=${kb}k tmpfs "$1" && keep=$2 && from=$1 && shift 2 && "$@"; code=$?; cp -r "$from/runs" "$keep"; exit $code`;
  const inside = withRoot(command, join(small, "runs"));
  const ended = await runCommand([
    "unshare",
    "-Urm",
    "sh",
    "-c",
    script,
    "sh",
    small,
    kept,
    ...inside,
  ]);
  if (ended.code === 0) nEnded++;
  else nFull++;
  console.log(`${kb} kB: exit code ${ended.code} ${ended.stderr.trim()}`);
  if (ended.code !== 0 && !/No space left/.test(ended.stderr))
    fault(kb, "it does not say that the disk is full");
  const names = spawnSync("find", [kept, "-name", "*.tmp"], { encoding: "utf8" }).stdout;
  if (names !== "") fault(kb, `it left ${names}`);
  const broken = await faultOf(kept);
  if (broken !== undefined) fault(kb, broken);
  cpSync(kept, join(base, "again"), { recursive: true });
  const again = await runCommand(withRoot(command, join(base, "again")));
  if (again.code !== 0) fault(kb, `resuming gives ${again.stderr}`);
  else if ((await outcomeOf(join(base, "again"))) !== expected)
    fault(kb, "resuming ends otherwise");
  rmSync(join(base, "again"), { recursive: true });
}
console.log(`${nFull} disks were too small, ${nEnded} was not; ${nFaults} faults.`);
rmSync(base, { recursive: true });
if (nFaults > 0 || nFull === 0 || nEnded === 0) process.exitCode = 1;

function fault(kb: number, what: string): void {
  nFaults++;
  console.error(`Fault with ${kb} kB: ${what}`);
}
