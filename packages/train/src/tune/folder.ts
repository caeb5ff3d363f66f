import { z } from "zod";
import { onDisk } from "../run/disk-failure.ts";
import { nodeFileSystem, readText } from "../run/file-system.ts";
import { takeLock, type Lock } from "../run/lock.ts";
import { makeNumbered, safe, toJsonFile, writeWhole } from "../run/numbered.ts";
import { isSame, listRuns, type RunInfo, type RunOptions } from "../run/runs.ts";

const resultSchema = z.object({
  trial: z.number(),
  /** Of the round, from 0. */
  round: z.number(),
  /** Steps trained at its end. */
  steps: z.number(),
  /** The score; left out where the trial failed. */
  value: z.number().optional(),
  /** Why the trial failed. */
  failure: z.string().optional(),
  /** Run folder of the trial, below the search's `runs`. */
  run: z.string().optional(),
});

/** What a trial came to in a round. */
export type TrialResult = z.infer<typeof resultSchema>;

const name = "results.json";

/** The folder of a search, locked: `options.json`, `results.json`, `runs/`, `tune.html`. */
export class TuneFolder {
  readonly dir: string;
  readonly #lock: Lock;
  #results: TrialResult[];

  private constructor(dir: string, lock: Lock, results: TrialResult[]) {
    this.dir = dir;
    this.#lock = lock;
    this.#results = results;
  }

  /**
   * The latest search with exactly these options below `root`, or a new one.
   * @throws UserError when another process is at it
   */
  static async open(request: {
    root: string;
    options: RunOptions;
    fresh: boolean;
  }): Promise<TuneFolder> {
    const { root, options, fresh } = request;
    const fs = nodeFileSystem;
    const found = fresh
      ? undefined
      : (await listRuns({ root })).findLast((info) => isSame(info.options, options));
    if (found !== undefined) return TuneFolder.#resume(found);
    const { info, lock } = await makeNumbered({ fs, root, options, fill: async () => undefined });
    return new TuneFolder(info.dir, lock, []);
  }

  static async #resume({ dir }: RunInfo): Promise<TuneFolder> {
    const fs = nodeFileSystem;
    const lock = await onDisk({ task: `open ${dir}`, safe }, () => takeLock(fs, dir));
    return new TuneFolder(dir, lock, await readResults(dir));
  }

  /** Folder of the trials' run folders. */
  get runs(): string {
    return `${this.dir}/runs`;
  }

  get results(): readonly TrialResult[] {
    return this.#results;
  }

  /** Keeps a result; it is on the disk when this returns. @throws FailureError */
  async keep(result: TrialResult): Promise<void> {
    this.#results = [...this.#results, result];
    await this.write(name, toJsonFile(this.#results));
  }

  /** Writes a file of the search. @throws FailureError */
  async write(file: string, bytes: Uint8Array): Promise<string> {
    await writeWhole({ dir: this.dir, name: file, bytes });
    return `${this.dir}/${file}`;
  }

  async close(): Promise<void> {
    await this.#lock.release();
  }
}

async function readResults(dir: string): Promise<TrialResult[]> {
  const text = await readText(nodeFileSystem, `${dir}/${name}`);
  return text === undefined ? [] : z.array(resultSchema).parse(JSON.parse(text));
}
