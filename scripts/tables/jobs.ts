import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";

/** One training of one row of a table. */
export interface Job {
  readonly table: string;
  readonly row: string;
  readonly data: string;
  readonly seed: number;
  readonly steps: number;
  /** Trains, judges and gives the numbers of the row. */
  run(): Promise<Readonly<Record<string, number>>>;
}

/** What a job gave: a line of the results file. */
export interface Result {
  readonly table: string;
  readonly row: string;
  readonly data: string;
  readonly seed: number;
  readonly steps: number;
  /** CPU time of training and judging, all threads. */
  readonly cpuSeconds: number;
  readonly scores: Readonly<Record<string, number>>;
}

const same = (job: Job, r: Result): boolean =>
  r.table === job.table &&
  r.row === job.row &&
  r.data === job.data &&
  r.seed === job.seed &&
  r.steps === job.steps;

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
  { file, say }: { file: string; say: (line: string) => void },
): Promise<Result[]> {
  mkdirSync(dirname(file), { recursive: true });
  for (const [i, job] of jobs.entries()) {
    const known = readResults(file).find((r) => same(job, r));
    const head = `${i + 1} of ${jobs.length}: ${job.table}, ${job.row} on ${job.data}, ${job.steps} steps, seed ${job.seed}`;
    if (known !== undefined) {
      say(`${head}: already done`);
      continue;
    }
    const before = process.cpuUsage();
    const scores = await job.run();
    const { user, system } = process.cpuUsage(before);
    const { table, row, data, seed, steps } = job;
    const cpuSeconds = Math.round((user + system) / 1e6);
    const result: Result = { table, row, data, seed, steps, cpuSeconds, scores };
    appendFileSync(file, `\n${JSON.stringify(result)}\n`);
    say(`${head}: ${cpuSeconds} s of CPU, ${JSON.stringify(scores)}`);
  }
  return readResults(file).filter((r) => jobs.some((job) => same(job, r)));
}
