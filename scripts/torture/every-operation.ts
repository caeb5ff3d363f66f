/**
 * Stops a training command at every system call that its run folder needs: with SIGKILL, ENOSPC and
 * EIO, at call 1, 2, … of each kind, until a run ends clean. After each, the folder must hold a whole
 * checkpoint if it ever held one, and the same command must come to the end of a run without faults.
 *   npx tsx scripts/torture/every-operation.ts [--calls fsync,rename] -- COMMAND … {root} …
 * Needs strace. Without a command, a stand-in runs.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { commandFromArguments, faultOf, outcomeOf, runCommand, withRoot } from "./processes.ts";

const { args, command } = commandFromArguments(["--steps", "4", "--weights", "1000"]);
const { values } = parseArgs({
  args,
  options: {
    calls: { type: "string", default: "fsync,pwrite64,rename,link,unlink,ftruncate,mkdir" },
  },
});
if (spawnSync("strace", ["-V"]).status !== 0) throw new Error("strace is not installed");
const base = mkdtempSync(join(tmpdir(), "duelo-operations-"));
const straight = await runCommand(withRoot(command, join(base, "straight")));
if (straight.code !== 0) throw new Error(`the command fails without a fault:\n${straight.stderr}`);
const expected = await outcomeOf(join(base, "straight"));

let nFaults = 0;
let nRuns = 0;
for (const call of values.calls.split(",")) {
  for (const how of ["signal=KILL", "error=ENOSPC", "error=EIO"]) {
    for (let n = 1; await stopAt(call, how, n); n++) nRuns++;
    console.log(`${call} ${how}: ${nRuns} runs so far, ${nFaults} faults`);
  }
}
console.log(`${nRuns} runs were stopped; ${nFaults} faults.`);
rmSync(base, { recursive: true });
if (nFaults > 0 || nRuns === 0) process.exitCode = 1;

/** Runs with one fault, then again without; false once the fault was not reached. */
async function stopAt(call: string, how: string, n: number): Promise<boolean> {
  const root = join(base, "stopped");
  const trace = ["strace", "-f", "-qq", "-o", join(base, "trace"), "-e", `trace=${call}`];
  // strace counts calls by thread, so there is to be one for files.
  const inject = ["-e", `inject=${call}:${how}:when=${n}`, "env", "UV_THREADPOOL_SIZE=1"];
  const stopped = await runCommand([...trace, ...inject, ...withRoot(command, root)]);
  const at = `${call} ${how} number ${n}`;
  // Some calls may fail without harm, so a run may end well although one of its calls failed.
  const wasHit = stopped.code !== 0 || wasInjected();
  if (
    stopped.code !== 0 &&
    how !== "signal=KILL" &&
    !/FailureError|space|EIO/.test(stopped.stderr)
  ) {
    fault(at, `it says ${stopped.stderr}`);
  }
  const broken = await faultOf(root);
  if (broken !== undefined) fault(at, broken);
  const again = await runCommand(withRoot(command, root));
  if (again.code !== 0) fault(at, `resuming gives ${again.stderr}`);
  else if ((await outcomeOf(root)) !== expected)
    fault(at, `it ended with\n${await outcomeOf(root)}`);
  rmSync(root, { recursive: true });
  return wasHit;
}

/** Whether strace came to the call that it was to spoil. */
function wasInjected(): boolean {
  return readFileSync(join(base, "trace"), "utf8").includes("(INJECTED)");
}

function fault(at: string, what: string): void {
  nFaults++;
  console.error(`Fault with ${at}: ${what}`);
}
