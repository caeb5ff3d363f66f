import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { UserError } from "@duelo/core";
import { errorCode, type FileSystem } from "./file-system.ts";

const prefix = "lock.";
const freeName = `${prefix}free`;
const beatMs = 10_000;
/** A lock of another machine counts as left behind when it was not touched for this long. */
export const staleMs = 60_000;

type Holder = { pid: number; started: string; host: string };

/** The right to write to a run folder, held by one process at a time. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Makes the lock of a new run folder, free. The lock is one empty file whose name says who holds it
 * (`lock.PID.STARTED.HOST`). It changes hands by renaming it from the name that was read, and a file
 * can be renamed from one name only once, so of two that try, one wins.
 */
export async function makeLock(fs: FileSystem, dir: string): Promise<void> {
  const file = await fs.open(`${dir}/${freeName}`, "update");
  await file.close();
}

/**
 * Takes the lock of a run folder: a free one, one whose process is gone, or one of another machine
 * that was not touched for a minute.
 * @throws UserError when another process is training this run
 */
export async function takeLock(fs: FileSystem, dir: string): Promise<Lock> {
  const mine = lockName({ pid: process.pid, started: startedOf(process.pid), host: safeHost() });
  for (;;) {
    const [name] = (await fs.list(dir)).filter((name) => name.startsWith(prefix));
    if (name === undefined) {
      await makeLock(fs, dir); // someone deleted it by hand
      continue;
    }
    try {
      const holder = parseHolder(name);
      if (holder && (await isAlive(fs, `${dir}/${name}`, holder))) throw inUse(dir, name, holder);
      await fs.rename(`${dir}/${name}`, `${dir}/${mine}`);
    } catch (error) {
      if (errorCode(error) === "ENOENT") continue; // another process was faster: look again
      throw error;
    }
    return hold(fs, dir, mine);
  }
}

async function hold(fs: FileSystem, dir: string, mine: string): Promise<Lock> {
  const beat = () => fs.touch(`${dir}/${mine}`).catch(() => undefined); // a missed beat is no harm
  await beat();
  const timer = setInterval(() => void beat(), beatMs);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      await fs.rename(`${dir}/${mine}`, `${dir}/${freeName}`);
    },
  };
}

async function isAlive(fs: FileSystem, path: string, holder: Holder): Promise<boolean> {
  if (holder.host !== safeHost()) return Date.now() - (await fs.changedMs(path)) < staleMs;
  try {
    process.kill(holder.pid, 0); // signal 0 only asks whether the process is there
  } catch (error) {
    if (errorCode(error) === "ESRCH") return false;
  }
  return startedOf(holder.pid) === holder.started; // else the number went to another process since
}

function inUse(dir: string, name: string, { pid, host }: Holder): UserError {
  return new UserError(
    `${dir} is being trained by process ${pid} on ${host}. Wait for it or stop it; if it is gone, delete ${dir}/${name}.`,
  );
}

function lockName({ pid, started, host }: Holder): string {
  return `${prefix}${pid}.${started}.${host}`;
}

function parseHolder(name: string): Holder | undefined {
  const [, pid, started, host] = /^lock\.(\d+)\.(\d+)\.(.+)$/.exec(name) ?? [];
  if (pid === undefined || started === undefined || host === undefined) return undefined;
  return { pid: Number(pid), started, host };
}

function safeHost(): string {
  return hostname().replaceAll(/[^A-Za-z0-9.-]/g, "_") || "localhost";
}

/** When a process started, in clock ticks since boot; "0" where the system does not say. */
function startedOf(pid: number): string {
  if (process.platform !== "linux") return "0";
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[19] ?? "0"; // field 22 of proc(5); the slice begins at field 3
  } catch {
    return "0";
  }
}
