import type { Interval } from "@duelo/train";
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** One training of one row of a table. */
export interface Job {
  readonly table: string;
  readonly row: string;
  readonly data: string;
  readonly seed: number;
  /** How long it trains, in words: `3000 steps`. */
  readonly budget: string;
  /** Trains and judges. `judge` names the features that the scores come from. */
  run(): Promise<{
    readonly judge: string;
    readonly scores: Readonly<Record<string, number>>;
  }>;
}

/** What a job gave: a line of the results file. */
export interface Result {
  readonly table: string;
  readonly row: string;
  readonly data: string;
  readonly seed: number;
  readonly budget: string;
  readonly judge: string;
  /** CPU time of training and judging, all threads. */
  readonly cpuSeconds: number;
  readonly scores: Readonly<Record<string, number>>;
}

/** CPU time of this process so far, all threads. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** A score with the bounds of its interval: `psnr`, `psnrLow`, `psnrHigh`. */
export const withInterval = (
  name: string,
  { estimate, low, high }: Pick<Interval, "estimate" | "low" | "high">,
): Record<string, number> => ({ [name]: estimate, [`${name}Low`]: low, [`${name}High`]: high });

const key = (r: Omit<Job, "run">): string => [r.table, r.data, r.row, r.budget, r.seed].join(" / ");

/** The results so far, one a line; a line that a crash cut short is passed over. */
export function readResults(file: string): Result[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Result];
      } catch {
        return [];
      }
    });
}

/** Runs the jobs that have no result in `file` yet, one after the other, and writes each down. */
export async function runJobs(
  jobs: readonly Job[],
  { file, say }: { readonly file: string; readonly say: (line: string) => void },
): Promise<Result[]> {
  mkdirSync(dirname(file), { recursive: true });
  for (const [i, job] of jobs.entries()) {
    const head = `${i + 1} of ${jobs.length}: ${key(job)}`;
    if (readResults(file).some((r) => key(r) === key(job))) {
      say(`${head}: already done`);
      continue;
    }
    const before = cpuSeconds();
    const { judge, scores } = await job.run();
    const { table, row, data, seed, budget } = job;
    const seconds = Math.round(cpuSeconds() - before);
    const result: Result = { table, row, data, seed, budget, judge, cpuSeconds: seconds, scores };
    // A line begins with its own line break, so that it stands apart from one that was cut short.
    appendFileSync(file, `\n${JSON.stringify(result)}\n`);
    say(`${head}: ${seconds} s of CPU, ${JSON.stringify(scores)}`);
  }
  const wanted = new Set(jobs.map(key));
  return readResults(file).filter((r) => wanted.has(key(r)));
}
