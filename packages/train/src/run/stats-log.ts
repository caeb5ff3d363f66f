import { FailureError } from "@duelo/core";
import type { Json } from "./checkpoint.ts";
import { onDisk } from "./disk-failure.ts";
import { writeAll, type FileSystem, type OpenFile } from "./file-system.ts";

const safe = "The same command continues from the last checkpoint.";

/** `stats.jsonl` of a run: one JSON object a line, appended as training goes. */
export class StatsLog {
  readonly #path: string;
  readonly #file: OpenFile;
  #nBytes: number;

  private constructor(path: string, file: OpenFile, nBytes: number) {
    this.#path = path;
    this.#file = file;
    this.#nBytes = nBytes;
  }

  /**
   * Opens the log and cuts it to `nBytes`, the length that the checkpoint speaks of: lines that were
   * written after it will be written again.
   * @throws FailureError when the file is shorter than that
   */
  static async open(options: { fs: FileSystem; path: string; nBytes: number }): Promise<StatsLog> {
    return onDisk({ task: `open ${options.path}`, safe }, () => StatsLog.#open(options));
  }

  static async #open(options: { fs: FileSystem; path: string; nBytes: number }): Promise<StatsLog> {
    const { fs, path, nBytes } = options;
    const file = await fs.open(path, "update");
    const nFound = await file.size();
    if (nFound < nBytes) {
      await file.close();
      throw new FailureError(
        `${path} has ${nFound} bytes, and the checkpoint speaks of ${nBytes}: it was cut short. Restore it from a backup, or start a new run.`,
      );
    }
    if (nFound > nBytes) await file.truncate(nBytes);
    return new StatsLog(path, file, nBytes);
  }

  /** The length of the log in bytes. */
  get nBytes(): number {
    return this.#nBytes;
  }

  /** @throws FailureError when the line cannot be written, e.g. on a full disk */
  async append(record: { readonly [key: string]: Json }): Promise<void> {
    const line = new TextEncoder().encode(`${JSON.stringify(record)}\n`);
    await this.#onDisk(() => writeAll(this.#file, line, this.#nBytes));
    this.#nBytes += line.length;
  }

  /** Returns once all lines are on the disk. */
  async sync(): Promise<void> {
    await this.#onDisk(() => this.#file.sync());
  }

  async close(): Promise<void> {
    await this.#onDisk(() => this.#file.close());
  }

  #onDisk<T>(operation: () => Promise<T>): Promise<T> {
    return onDisk({ task: `write ${this.#path}`, safe }, operation);
  }
}

/** The records of a log. A half line at the end, of a process that was killed, is left out. */
export function parseStats(text: string): Record<string, unknown>[] {
  const lines = text.split("\n");
  lines.pop(); // what follows the last line break: nothing, or a half line
  return lines.map((line) => {
    const record: unknown = JSON.parse(line);
    if (typeof record !== "object" || record === null) throw new Error(`not a record: ${line}`);
    return { ...record };
  });
}
