import { train, type TrainRequest } from "@duelo/train";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cpuSeconds } from "./jobs.ts";

/** Steps of the first two runs that a step's time is taken from, and seconds that a third adds. */
const [nFew, nMore, secondsMore] = [10, 30, 12] as const;

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
  /** Its loss and schedule with the nets of wgan-gp; its own take hundreds of steps only. */
  r3gan: { batch: 64, width: 16, decayImages: 3e5, emaImages: 5000 },
} as const;

export const budgetText = ({ seconds, steps }: Budget): string =>
  steps === undefined ? `${seconds} s of CPU` : `${steps} steps`;

/**
 * Trains on one thread for the budget: its steps are the time over that of a step of this recipe, which
 * short runs measure just before. Where the first steps are not like those to come, `measured` has the
 * options of a step that is. The run is in `runs`.
 */
export async function trainWithin(
  budget: Budget,
  request: Omit<TrainRequest, "budget"> & { readonly runs: string; readonly seed: number },
  measured?: TrainRequest["set"],
): Promise<{ readonly dir: string; readonly steps: number }> {
  const sample = measured === undefined ? request : { ...request, set: measured };
  const steps =
    budget.steps ?? Math.max(1, Math.floor(budget.seconds / (await stepSeconds(sample))));
  const { dir } = await train({ ...request, threads: 1, budget: { steps } });
  return { dir, steps };
}

/**
 * CPU seconds of a step: what a run of as many steps as last a dozen seconds takes more than a short one. The
 * very first run decodes the data, and in the next the compilers of JavaScript are still at work.
 */
async function stepSeconds(
  request: Omit<TrainRequest, "budget"> & { readonly runs: string; readonly seed: number },
): Promise<number> {
  mkdirSync(request.runs, { recursive: true });
  const runs = mkdtempSync(join(request.runs, "calibration-"));
  const seed = 10_000 + request.seed;
  const spent = async (steps: number): Promise<number> => {
    const before = cpuSeconds();
    await train({ ...request, threads: 1, budget: { steps }, seed, runs, fresh: true });
    return cpuSeconds() - before;
  };
  await spent(1);
  const few = await spent(nFew);
  const rough = ((await spent(nFew + nMore)) - few) / nMore;
  const nLong = Math.max(nMore, Math.ceil(secondsMore / Math.max(rough, 1e-3)));
  const long = await spent(nFew + nLong);
  rmSync(runs, { recursive: true });
  return (long - few) / nLong;
}
