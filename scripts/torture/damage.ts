/**
 * Flips random bits of a run's checkpoint, and cuts it at random lengths: each must be found.
 *   npx tsx scripts/torture/damage.ts RUN_FOLDER [--times 1000] [--seed 1]
 * The folder is only read.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { FailureError } from "@duelo/core";
import { loadCheckpoint, newestName } from "../../packages/train/src/run/checkpoint.ts";
import { seededRandom } from "./processes.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { times: { type: "string", default: "1000" }, seed: { type: "string", default: "1" } },
});
const [folder] = positionals;
if (folder === undefined) throw new Error("say which run: damage.ts RUN_FOLDER");
const random = seededRandom(Number(values.seed));
const dir = mkdtempSync(join(tmpdir(), "duelo-damage-"));
const whole = readFileSync(join(folder, newestName));
const missed: string[] = [];

if (await isDamaged(whole)) throw new Error("the checkpoint is damaged to begin with");
for (let i = 0; i < Number(values.times); i++) {
  if (i % 2 === 0) {
    const nBytes = Math.floor(random() * whole.length);
    if (!(await isDamaged(whole.subarray(0, nBytes)))) missed.push(`cut to ${nBytes} bytes`);
    continue;
  }
  // Every fourth flip is in the first kilobyte, where the header is.
  const nReach = i % 8 === 1 ? Math.min(1024, whole.length) : whole.length;
  const at = Math.floor(random() * nReach);
  const bit = Math.floor(random() * 8);
  const bytes = Uint8Array.from(whole);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
  if (!(await isDamaged(bytes))) missed.push(`bit ${bit} of byte ${at}`);
}
console.log(
  `${values.times} times damaged, ${missed.length} times not found. ${missed.join("; ")}`,
);
rmSync(dir, { recursive: true });
if (missed.length > 0) process.exitCode = 1;

async function isDamaged(bytes: Uint8Array): Promise<boolean> {
  writeFileSync(join(dir, newestName), bytes);
  try {
    await loadCheckpoint({ dir });
    return false;
  } catch (error) {
    if (error instanceof FailureError) return true;
    throw error;
  }
}
