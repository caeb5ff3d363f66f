import { UserError } from "@duelo/core";
import { toys } from "../data/toy.ts";
import { mixtureScores } from "../metrics/modes.ts";
import { sampleRun } from "../sample.ts";
import type { TrainRequest } from "../request.ts";

/** By what trials are compared. */
export interface Scorer {
  readonly metric: string;
  readonly better: "higher" | "lower";
  /** The score of a run as it stands. */
  score(run: { dir: string }): Promise<number>;
}

const nSamples = 2500;

export function scorerOf(
  request: Pick<TrainRequest, "data" | "recipe" | "seed"> & { metric?: string },
): Scorer {
  const toy = Object.entries(toys).find(([name]) => name === request.data)?.[1];
  if (toy === undefined) throw new UserError("not yet");
  const recipe = typeof request.recipe === "string" ? {} : { recipe: request.recipe };
  return {
    metric: "high-quality",
    better: "higher",
    async score({ dir }) {
      const { pixels } = await sampleRun({
        runs: "",
        run: dir,
        n: nSamples,
        seed: request.seed ?? 0,
        ...recipe,
      });
      const samples = { rows: nSamples, cols: 2, data: pixels };
      return mixtureScores({ samples, means: toy.means, sigma: toy.sigma }).highQuality;
    },
  };
}
