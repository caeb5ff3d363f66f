import { isDeepStrictEqual } from "node:util";
import { UserError } from "@duelo/core";
import type { Json } from "./checkpoint.ts";
import { onDisk } from "./disk-failure.ts";
import {
  errorCode,
  nodeFileSystem,
  readText,
  unlessMissing,
  type FileSystem,
} from "./file-system.ts";

/** All options of a run, resolved, as `options.json` keeps them. */
export type RunOptions = {
  readonly recipe: string;
  readonly data: string;
  readonly [key: string]: Json;
};

/** A run folder that was found; nothing is locked or changed. */
export type RunInfo = {
  readonly number: number;
  /** For example `0001-dcgan-fashion-mnist`. */
  readonly name: string;
  readonly dir: string;
  readonly options: RunOptions;
};

/**
 * Finds a run by its number (`1`, `0001`), its name, `latest`, or the path of its folder.
 * @throws UserError when there is no such run, or it is of another recipe than `request.recipe`
 */
export async function findRun(request: {
  root: string;
  run: string;
  recipe?: string;
  fs?: FileSystem;
}): Promise<RunInfo> {
  const { root, run, recipe, fs = nodeFileSystem } = request;
  const runs = await listRuns({ root, fs });
  const info =
    run === "latest"
      ? runs.at(-1)
      : (runs.find(({ name, number }) => name === run || pad(number) === pad(Number(run))) ??
        (await readInfo(fs, run.replace(/\/+$/, ""))));
  if (!info) throw new UserError(noSuchRun({ root, run, runs }));
  if (recipe !== undefined && info.options.recipe !== recipe) {
    throw new UserError(
      `${info.dir} is a run of ${info.options.recipe}, not of ${recipe}. Train ${recipe} in a new run, or name one of its own.`,
    );
  }
  return info;
}

/** All runs under `root`, by number. */
export async function listRuns(request: { root: string; fs?: FileSystem }): Promise<RunInfo[]> {
  const { root, fs = nodeFileSystem } = request;
  const runs: RunInfo[] = [];
  await onDisk({ task: `list the runs in ${root}`, safe: "Nothing was changed." }, async () => {
    for (const name of (await unlessMissing(fs.list(root))) ?? []) {
      if (numbersOf([name]).length === 0) continue;
      const info = await readInfo(fs, `${root}/${name}`);
      if (info) runs.push(info);
    }
  });
  return runs.toSorted((a, b) => a.number - b.number);
}

async function readInfo(fs: FileSystem, dir: string): Promise<RunInfo | undefined> {
  const path = `${dir}/options.json`;
  let text: string | undefined;
  try {
    text = await readText(fs, path);
  } catch (error) {
    if (errorCode(error) === "ENOTDIR") return undefined; // a file whose name looks like a run's
    throw error;
  }
  if (text === undefined) return undefined;
  const name = dir.slice(dir.lastIndexOf("/") + 1);
  return { number: numbersOf([name])[0] ?? 0, name, dir, options: parseOptions(text, path) };
}

function parseOptions(text: string, path: string): RunOptions {
  try {
    const options: unknown = JSON.parse(text);
    if (isOptions(options)) return options;
  } catch {
    // said below
  }
  throw new UserError(
    `${path} is not the options of a run (JSON with recipe and data). Undo what was changed in it.`,
  );
}

function isOptions(value: unknown): value is RunOptions {
  return (
    typeof value === "object" &&
    value !== null &&
    "recipe" in value &&
    typeof value.recipe === "string" &&
    "data" in value &&
    typeof value.data === "string"
  );
}

function noSuchRun({ root, run, runs }: { root: string; run: string; runs: RunInfo[] }): string {
  if (runs.length === 0)
    return `There is no run ${run}: ${root} holds no runs yet. Start one with: duelo train RECIPE`;
  const names = runs.slice(-5).map(({ name }) => name);
  return `There is no run ${run} in ${root}. The latest are ${names.join(", ")}.`;
}

/** The run numbers among names in a directory. */
export function numbersOf(names: readonly string[]): number[] {
  return names.flatMap((name) => /^(\d{4,})-/.exec(name)?.[1] ?? []).map(Number);
}

/** A run's number as its name begins with it: `0001`. */
export function pad(number: number): string {
  return String(number).padStart(4, "0");
}

/** Whether two requests are the same. Where the data lies does not count; what is in it does. */
export const isSame = (a: RunOptions, b: RunOptions): boolean => {
  const compared = (options: RunOptions): unknown =>
    JSON.parse(JSON.stringify({ ...options, dataRequest: null }));
  return isDeepStrictEqual(compared(a), compared(b));
};
