import { FailureError } from "@duelo/core";
import {
  loadCheckpoint,
  saveCheckpoint,
  type Checkpoint,
  type CheckpointMeta,
  type Json,
} from "./checkpoint.ts";
import { onDisk } from "./disk-failure.ts";
import { nodeFileSystem, type FileSystem } from "./file-system.ts";
import { takeLock, type Lock } from "./lock.ts";
import { makeDir, makeNumbered, safe, toJsonFile, writeWhole } from "./numbered.ts";
import type { Tensors } from "./safetensors.ts";
import { findRun, isSame, listRuns, type RunInfo, type RunOptions } from "./runs.ts";
import { StatsLog } from "./stats-log.ts";

/** The folder of a run's best checkpoint. */
export const bestName = "best";

const safeName = "rollback";

/** A run folder that this process holds the lock of. */
export class RunFolder implements RunInfo {
  readonly number: number;
  readonly name: string;
  readonly dir: string;
  readonly #fs: FileSystem;
  readonly #lock: Lock;
  #options: RunOptions;
  #stats: StatsLog | undefined;

  constructor(parts: { fs: FileSystem; info: RunInfo; lock: Lock }) {
    this.#fs = parts.fs;
    this.#lock = parts.lock;
    this.number = parts.info.number;
    this.name = parts.info.name;
    this.dir = parts.info.dir;
    this.#options = parts.info.options;
  }

  get options(): RunOptions {
    return this.#options;
  }

  /**
   * Reads the newest whole checkpoint and cuts `stats.jsonl` back to where it stood then, so that a
   * run that was stopped writes the same lines as one that was not. `undefined` before the first save.
   * @throws FailureError when no checkpoint is whole
   * @throws UserError when the checkpoint is of another recipe than the run
   */
  async load(): Promise<Checkpoint | undefined> {
    const { recipe } = this.options;
    const checkpoint = await loadCheckpoint({ dir: this.dir, expect: { recipe }, fs: this.#fs });
    const nBytes = Number(checkpoint?.meta["statsBytes"] ?? 0);
    await this.#stats?.close();
    this.#stats = await StatsLog.open({ fs: this.#fs, path: `${this.dir}/stats.jsonl`, nBytes });
    return checkpoint;
  }

  /** Appends one line to `stats.jsonl`. Call `load` first. @throws FailureError */
  async log(record: { readonly [key: string]: Json }): Promise<void> {
    await this.#openStats().append(record);
  }

  /**
   * Commits a checkpoint (see `saveCheckpoint`), after the lines of `stats.jsonl` that it speaks of.
   * Call `load` first. @throws FailureError
   */
  async save(state: {
    tensors: Tensors;
    meta: { readonly step: number; readonly [key: string]: Json };
  }): Promise<void> {
    const stats = this.#openStats();
    await stats.sync();
    const meta = { ...state.meta, recipe: this.options.recipe, statsBytes: stats.nBytes };
    await saveCheckpoint({ dir: this.dir, tensors: state.tensors, meta, fs: this.#fs });
  }

  /**
   * Commits the best checkpoint so far to `best/`, as `save` does the last one. @throws FailureError
   */
  async saveBest(state: {
    tensors: Tensors;
    meta: { readonly step: number; readonly [key: string]: Json };
  }): Promise<void> {
    const dir = `${this.dir}/${bestName}`;
    await onDisk({ task: `make ${dir}`, safe }, async () => {
      if (await makeDir(this.#fs, dir)) await this.#fs.syncDir(this.dir);
    });
    const meta = { ...state.meta, recipe: this.options.recipe };
    await saveCheckpoint({ dir, tensors: state.tensors, meta, fs: this.#fs });
  }

  /** Commits a point to go back to, beside the checkpoint, as safely as that. @throws FailureError */
  async saveSafePoint(state: {
    tensors: Tensors;
    meta: Omit<CheckpointMeta, "recipe">;
  }): Promise<void> {
    const dir = `${this.dir}/${safeName}`;
    await onDisk({ task: `make ${dir}`, safe }, () => makeDir(this.#fs, dir));
    const meta = { ...state.meta, recipe: this.options.recipe } as CheckpointMeta;
    await saveCheckpoint({ dir, tensors: state.tensors, meta, fs: this.#fs });
  }

  /** The last such point. @throws FailureError when there is none */
  async safePoint(): Promise<Checkpoint> {
    const dir = `${this.dir}/${safeName}`;
    const point = await loadCheckpoint({ dir, expect: this.options, fs: this.#fs });
    if (point === undefined) throw new FailureError(`There is no point to go back to in ${dir}.`);
    return point;
  }

  /** Writes a file of the run, for example `G.onnx`: whole and on the disk, or not at all. @throws FailureError */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    await writeWhole({ fs: this.#fs, dir: this.dir, name, bytes });
  }

  /** Gives the run a longer budget; from then on it is the run of that request. @throws FailureError */
  async lengthen(budget: Json): Promise<void> {
    const options = { ...this.#options, budget };
    await this.write("options.json", toJsonFile(options));
    this.#options = options;
  }

  /** The name of the sample grid of a step, for `write`: `samples/00001200.png`. */
  sampleName(step: number): string {
    return `samples/${String(step).padStart(8, "0")}.png`;
  }

  /** Closes the log and frees the run for others. */
  async close(): Promise<void> {
    await this.#stats?.close();
    this.#stats = undefined;
    await onDisk({ task: `close ${this.dir}`, safe }, () => this.#lock.release());
  }

  #openStats(): StatsLog {
    if (!this.#stats) throw new Error("load() comes before log() and save()");
    return this.#stats;
  }
}

/**
 * Makes `ROOT/0001-RECIPE-DATA/` with the next free number, writes `options.json`, and locks it. Two
 * processes never get the same folder, nor the same number. A folder counts as a run once it has its
 * `options.json`.
 */
export async function createRun(request: {
  root: string;
  options: RunOptions;
  fs?: FileSystem;
}): Promise<RunFolder> {
  const { root, options, fs = nodeFileSystem } = request;
  const made = await makeNumbered({
    ...{ fs, root, options },
    fill: async (dir) => {
      await fs.mkdir(`${dir}/samples`);
      await (await fs.open(`${dir}/stats.jsonl`, "create")).close();
    },
  });
  return new RunFolder({ fs, ...made });
}

/**
 * Finds and locks a run.
 * @param request.run see `findRun`
 * @param request.recipe the recipe that it must be a run of, where that matters
 * @throws UserError when there is no such run, it is of another recipe, or it is being trained
 */
export async function openRun(request: {
  root: string;
  run: string;
  recipe?: string;
  fs?: FileSystem;
}): Promise<RunFolder> {
  const { fs = nodeFileSystem } = request;
  const info = await findRun(request);
  return lockRun(fs, info);
}

/**
 * The latest run with exactly these options, locked: "the same command resumes". Where there is none,
 * the longest run that differs in a smaller budget alone goes on to this one, unless a step of it
 * looked at the share of the budget used; then, and where there is no such run, a new one begins.
 * @param request.note is told in a sentence when a run was found that differs in its budget, its device
 * or its threads alone
 */
export async function resumeOrCreateRun(request: {
  root: string;
  options: RunOptions;
  fs?: FileSystem;
  note?: (line: string) => void;
}): Promise<RunFolder> {
  const { options, fs = nodeFileSystem, note } = request;
  const runs = await listRuns(request);
  const same = runs.findLast((run) => isSame(run.options, options));
  if (same) return lockRun(fs, same);
  const shorter = longestWithin(runs, options);
  if (!shorter) {
    const near = runs.findLast((run) => isSame(essence(run.options), essence(options)));
    if (near) note?.(whyNot(near, options));
    return createRun(request);
  }
  const run = await lockRun(fs, shorter);
  const [from, to] = [budgetText(run.options), budgetText(options)];
  if (await sawProgress(run)) {
    await run.close();
    note?.(
      `${run.dir} cannot go on from ${from} to ${to}, because its schedules follow the share of the budget used: a longer run differs from the first step on. A new run begins.`,
    );
    return createRun(request);
  }
  await run.lengthen(options["budget"] ?? null);
  note?.(`${run.dir} goes on from ${from} to ${to}.`);
  return run;
}

/** A request without what a user may not think of as part of it, although it decides the bits or the end. */
const essence = (options: RunOptions): RunOptions => ({
  ...options,
  ...{ budget: null, device: null, threads: null },
});

/** Why a request does not go on with a run of the same essence. */
function whyNot({ dir, options: there }: RunInfo, here: RunOptions): string {
  const facts = (o: RunOptions): string[] => [
    `is for ${budgetText(o)}`,
    `trains on ${String(o["device"])}`,
    `has threads: ${String(o["threads"] ?? "any")}`,
  ];
  const not = facts(here);
  const other = facts(there).filter((fact, i) => fact !== not[i]);
  return `A new run begins, because ${dir} ${other.join(" and ")}; ask for the same to go on with that one.`;
}

/** Unit and amount of a budget, such as `["steps", 100]`. */
function budgetOf({ budget }: RunOptions): readonly [unit: string, amount: number] {
  const [unit, amount] = Object.entries(budget ?? {})[0] ?? ["", Number.NaN];
  return [unit, Number(amount)];
}

const budgetText = (options: RunOptions): string => budgetOf(options).toReversed().join(" ");

/** The run of the largest budget below that of `options` and equal to it in all else. */
function longestWithin(runs: readonly RunInfo[], options: RunOptions): RunInfo | undefined {
  const [unit, amount] = budgetOf(options);
  return runs
    .filter((run) => budgetOf(run.options)[0] === unit && budgetOf(run.options)[1] < amount)
    .filter((run) => isSame({ ...run.options, budget: null }, { ...options, budget: null }))
    .toSorted((a, b) => budgetOf(a.options)[1] - budgetOf(b.options)[1])
    .at(-1);
}

/** Whether a step of a run knew its budget, so that a longer run would not have begun as it did. */
async function sawProgress(run: RunFolder): Promise<boolean> {
  const saved = await run.load();
  return saved !== undefined && saved.meta["sawProgress"] !== false;
}

/** Takes the lock of a folder that was found. @throws UserError when another process has it */
async function lockRun(fs: FileSystem, info: RunInfo): Promise<RunFolder> {
  const lock = await onDisk({ task: `open ${info.dir}`, safe }, () => takeLock(fs, info.dir));
  return new RunFolder({ fs, info, lock });
}
