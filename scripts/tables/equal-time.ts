import { train, type TrainRequest } from "@duelo/train";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds } from "./jobs.ts";

/** Steps of the runs that a step's time is taken from: the last less the one before; the first decodes. */
const nCalibrating = [1, 10, 40] as const;

/** The same time for every row: so many seconds of CPU, or so many steps in their place. */
export interface Budget {
  readonly seconds: number;
  readonly steps?: number;
}
/** What a table of pictures is made of. */
export interface PicturesPlan {
  readonly seeds: number;
  readonly budget: Budget;
  /** Samples that are judged; those of the table's protocol unless said otherwise. */
  readonly nSamples?: number;
  readonly runs: string;
  readonly cacheDir: string;
}

/** Options that make nets narrow enough for two cores. */
export const narrow = {
  dcgan: { batch: 64, width: 16 },
  wganGp: { width: 16 },
  r3gan: { batch: 64, width: 32, nBlocks: 1, decayImages: 1e5, emaImages: 5000 },
} as const;

export const budgetText = ({ seconds, steps }: Budget): string =>
  steps === undefined ? `${seconds} s of CPU` : `${steps} steps`;

/**
 * Trains on one thread for the budget: its steps are the time over that of a step of this recipe, which
 * short runs measure just before. The run is in `runs`.
 */
export async function trainWithin(
  budget: Budget,
  request: Omit<TrainRequest, "budget"> & { readonly runs: string; readonly seed: number },
): Promise<{ readonly dir: string; readonly steps: number }> {
  const steps =
    budget.steps ?? Math.max(1, Math.floor(budget.seconds / (await stepSeconds(request))));
  const { dir } = await train({ ...request, threads: 1, budget: { steps } });
  return { dir, steps };
}

async function stepSeconds(
  request: Omit<TrainRequest, "budget"> & { readonly runs: string; readonly seed: number },
): Promise<number> {
  mkdirSync(request.runs, { recursive: true });
  const runs = mkdtempSync(join(request.runs, "calibration-"));
  const spent: number[] = [];
  for (const steps of nCalibrating) {
    const before = cpuSeconds();
    await train({
      ...request,
      ...{
        threads: 1,
        budget: { steps },
        seed: 10_000 + request.seed,
        runs: join(runs, String(steps)),
      },
    });
    spent.push(cpuSeconds() - before);
  }
  rmSync(runs, { recursive: true });
  const [, few = 0, many = 0] = spent;
  return (many - few) / (nCalibrating[2] - nCalibrating[1]);
}
