import { UserError } from "@duelo/core";
import type { Recipe } from "@duelo/zoo";
import { isToy } from "../data/toy.ts";
import { gather } from "../judge/evaluate.ts";
import { shippedNets } from "../features/shipped.ts";
import { defaultFeatures, openFeatures } from "../judge/features.ts";
import { chooseMetrics } from "../judge/metric-table.ts";
import type { Metric, Need } from "../judge/metric.ts";
import { openSides } from "../judge/open-sides.ts";

/** By what trials are compared. */
export interface Scorer {
  readonly metric: string;
  readonly by: Metric;
  readonly better: "higher" | "lower";
  /** The score of a run as it stands, against the data that it was trained on. */
  score(run: { readonly dir: string }): Promise<number>;
}

const nImages = 2000;

/** Whether a set is compared by a classifier of its own. */
const hasClassifier = (data: string): boolean =>
  shippedNets.some(({ name }) => name === defaultFeatures({ name: data, shape: [1, 1, 1] }));

/**
 * Scores by one of the metrics of `evaluate`: `high-quality` for a known mixture and `frechet` for all
 * else, unless said otherwise.
 * @throws UserError for an unknown metric, one that the data cannot have, or one without a better end
 */
export function scorerOf(request: {
  readonly recipe: Recipe;
  readonly data: string;
  readonly metric?: string | undefined;
  readonly seed: number;
  readonly cacheDir: string;
}): Scorer {
  const { recipe, data, seed, cacheDir } = request;
  const mixture = isToy(data);
  const domains = Object.values(recipe.data).map((f) => f.domain);
  const there = new Set<Need>([
    "features",
    "heldOut",
    ...(hasClassifier(data) ? (["probabilities", "layers"] as const) : []),
    ...(domains.includes("image") ? (["images"] as const) : []),
    ...(domains.includes("label") ? (["labels"] as const) : []),
    ...(mixture ? (["mixture"] as const) : []),
  ]);
  const name = request.metric ?? (mixture ? "high-quality" : "frechet");
  const [metric] = chooseMetrics({ names: [name], there });
  if (metric === undefined) throw new TypeError(`no metric "${name}"`);
  if (metric.better === "neither") {
    throw new UserError(
      `Metric ${metric.name} has no better end, so it cannot choose among trials. Take another.`,
    );
  }
  return {
    metric: metric.name,
    by: metric,
    better: metric.better,
    async score({ dir }) {
      const n = mixture ? {} : { n: nImages };
      const sides = await openSides({ runs: ".", judged: dir, recipe, seed, cacheDir, ...n }, {});
      const features = await openFeatures({ cacheDir, samples: sides.reference });
      try {
        const evidence = { ...(await gather(sides, features, seed, {})), brief: true };
        const [score] = await metric.compute(evidence); // what is asked for comes first
        return score?.value ?? Number.NaN;
      } finally {
        await features.close();
      }
    },
  };
}
