import type { Command } from "commander";
import { plural } from "./format.ts";
import { whole } from "./parse.ts";
import { textReporter } from "./progress.ts";
import { untilSignal } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** What every command says that works with a trained generator. */
export interface RunFlags {
  readonly out: string;
  readonly seed: number;
  readonly threads?: number;
  readonly best?: true;
  readonly runs: string;
  readonly json?: true;
}

/** Adds the run, where results go, and what all such commands take. */
export const addRunFlags = (command: Command, out: string): Command =>
  command
    .requiredOption("--out <place>", out)
    .option("--seed <n>", "where all random numbers come from", whole(0), 0)
    .option("--threads <n>", "CPU threads (default: one for each core)", whole(1))
    .option("--best", "the best checkpoint of the run, not the last")
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print what was done as JSON");

export const runHelp = "its number, its name, latest, or the path of its folder";

interface Hooks {
  progress(done: number, total: number): void;
  note(line: string): void;
  readonly signal: AbortSignal;
}

/** Runs a library function and says what it did: as JSON, or `text` on stderr and the place (`path`, or `--out`) on stdout. */
export async function doAndTell<R extends { readonly dir: string; readonly path?: string }>(o: {
  flags: Pick<RunFlags, "json"> & { readonly out?: string };
  terminal: Terminal;
  /** What the progress line calls it: "projecting". */
  doing: string;
  work: (hooks: Hooks) => Promise<R>;
  text: (result: R) => string;
}): Promise<void> {
  const { flags, terminal, doing, work, text } = o;
  const reporter = textReporter(terminal);
  const result = await untilSignal(
    (signal) =>
      work({
        progress: (done, total) => reporter.data(done, total, doing),
        note: reporter.note,
        signal,
      }),
    () => reporter.note("Stopping; what was written before is whole. Once more ends it at once."),
  ).finally(reporter.rest);
  if (flags.json) return terminal.out(`${JSON.stringify(result)}\n`);
  terminal.err(text(result));
  terminal.out(`${result.path ?? flags.out}\n`);
}

/** `, 1 file left out`, where there are such. */
export const leftOut = (skipped: readonly unknown[]): string =>
  skipped.length === 0 ? "" : `, ${plural(skipped.length, "file")} left out`;

/** Options that were said; those that were not are no options. */
export function said<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
