import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadCheckpoint } from "../../packages/train/src/run/checkpoint.ts";
import { listRuns } from "../../packages/train/src/run/runs.ts";

export type Ended = { code: number | null; signal: string | null; stdout: string; stderr: string };

/** The stand-in as a command; tsx keeps no cache, so that its file operations are all the run's own. */
export const standIn = [
  process.execPath,
  "--conditions=source",
  "--import",
  "tsx",
  fileURLToPath(new URL("./stand-in.ts", import.meta.url)),
];

/** Runs a command to its end, or kills it and all that it started with SIGKILL after `killAfterMs`. */
export async function runCommand(
  command: readonly string[],
  options: { killAfterMs?: number } = {},
): Promise<Ended> {
  const [program = "", ...args] = command;
  const env = { ...process.env, TSX_DISABLE_CACHE: "1" };
  const child = spawn(program, args, { detached: true, env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (text: Buffer) => (stdout += text.toString()));
  child.stderr.on("data", (text: Buffer) => (stderr += text.toString()));
  const killGroup = () => {
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, "SIGKILL");
  };
  const timer =
    options.killAfterMs === undefined ? undefined : setTimeout(killGroup, options.killAfterMs);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/**
 * What must not depend on kills and faults, as one text: a digest of every tensor, the meta of the
 * checkpoint (without the time taken, and the length of the log, which may hold times), and a digest of every sample.
 */
export async function outcomeOf(root: string): Promise<string> {
  const run = (await listRuns({ root })).at(-1);
  if (!run) return "no run";
  const checkpoint = await loadCheckpoint({ dir: run.dir });
  if (!checkpoint) return "no checkpoint";
  const { statsBytes: _bytes, timeMs: _time, ...meta } = checkpoint.meta;
  const lines = Object.entries(checkpoint.tensors).map(([name, { dtype, shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return `${name} ${dtype} [${shape.join(", ")}] ${digest(bytes)}`;
  });
  const samples = readdirSync(`${run.dir}/samples`).toSorted();
  for (const name of samples)
    lines.push(`${name} ${digest(readFileSync(`${run.dir}/samples/${name}`))}`);
  return [JSON.stringify(meta), ...lines].join("\n");
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}

/** What is wrong in a run folder right now, in words: a checkpoint that was saved must be whole. */
export async function faultOf(root: string): Promise<string | undefined> {
  try {
    for (const { dir } of await listRuns({ root })) await loadCheckpoint({ dir });
    return undefined;
  } catch (error) {
    return String(error);
  }
}

/** Numbers 0..1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The command with the run folder's root in place of `{root}`. */
export function withRoot(command: readonly string[], root: string): string[] {
  if (!command.some((part) => part.includes("{root}"))) {
    throw new Error("the command must hold {root}, where the runs go");
  }
  return command.map((part) => part.replaceAll("{root}", root));
}

/** Splits `-- COMMAND` off the arguments; the stand-in when there is none. */
export function commandFromArguments(standInArguments: readonly string[]): {
  args: string[];
  command: string[];
} {
  const all = process.argv.slice(2);
  const at = all.indexOf("--");
  if (at < 0) return { args: all, command: [...standIn, "{root}", ...standInArguments] };
  return { args: all.slice(0, at), command: all.slice(at + 1) };
}
