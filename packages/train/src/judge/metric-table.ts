import { suggestion, UserError } from "@duelo/core";
import { classScore } from "./class-score.ts";
import { classifierScore } from "./classifier-score.ts";
import { classFrechet, frechet, kernel } from "./distances.ts";
import type { Metric, Need } from "./metric.ts";
import type { Side } from "./side.ts";
import { likelihoodBound } from "./likelihood.ts";
import { highQuality, modes, reverseKl } from "./mixtures.ts";
import { msSsim, perceptual } from "./diversity.ts";
import { copies, coverage, density, memorisation, precision, recall } from "./neighbours.ts";
import { l1, psnr, ssim } from "./pairs.ts";
import { pathLength } from "./path-length.ts";
import { sharpnessRatio } from "./sharpness.ts";
import { sliced } from "./sliced.ts";

/** Everything that can be asked for, in the order in which it is told. */
export const metrics: readonly Metric[] = [
  modes,
  highQuality,
  reverseKl,
  frechet,
  kernel,
  precision,
  recall,
  density,
  coverage,
  classScore,
  msSsim,
  sharpnessRatio,
  copies,
  memorisation,
  classFrechet,
  classifierScore,
  sliced,
  perceptual,
  pathLength,
  likelihoodBound,
  l1,
  psnr,
  ssim,
];

const whatIsNeeded: Readonly<Record<Need, string>> = {
  images: "images",
  features: "features",
  labels: "labels on both sides: class folders, or a generator that takes classes",
  heldOut: "samples made of noise and data held out from training: train with --hold-out 0.1",
  mixture: "points of a known mixture, ring8 or grid25",
  probabilities: "features of a classifier: --features fashion-classifier or emoji-classifier",
  layers: "features with layers: --features fashion-classifier or emoji-classifier",
  maker: "a run that makes its samples of noise",
  pairs:
    "two folders of equally many images, which are compared in the order of their names, or a run of pairs some of which were held out, judged without --against",
};

/**
 * The metrics of those names, or all that what is there allows but those that take long; of a known
 * mixture and of pairs, their protocol. `there` says what is.
 * @throws UserError for an unknown name, or a metric that needs what is not there
 */
export function chooseMetrics(request: {
  readonly names?: readonly string[] | undefined;
  readonly there: ReadonlySet<Need>;
}): Metric[] {
  const { names, there } = request;
  const lacks = (metric: Metric): Need | undefined => metric.needs.find((n) => !there.has(n));
  if (names === undefined) {
    const fitting = metrics.filter((m) => m.onRequest !== true && lacks(m) === undefined);
    // a known mixture and pairs have a protocol that says it all
    const whole = fitting.filter((m) => m.needs.some((n) => n === "mixture" || n === "pairs"));
    return whole.length > 0 ? whole : fitting;
  }
  return [...new Set(names.map(findMetric))].map((metric) => {
    const lacking = lacks(metric);
    if (lacking === undefined) return metric;
    throw new UserError(`Metric ${metric.name} needs ${whatIsNeeded[lacking]}.`);
  });
}

/** Pixels along the shorter side of images; Infinity for what has none. */
export const pixelsAlong = ({ shape }: Pick<Side, "shape">): number =>
  shape.length === 3 ? Math.min(shape[1] ?? 0, shape[2] ?? 0) : Infinity;

/** @throws UserError where there are too few samples or pixels for a metric */
export function demandEnough(
  { name, leastRows, leastPixels = 0 }: Metric,
  side: Pick<Side, "name" | "n" | "shape">,
): void {
  if (leastRows > side.n) {
    throw new UserError(
      `Metric ${name} needs ${leastRows} samples on each side, and ${side.name} has ${side.n}. Give it more.`,
    );
  }
  if (leastPixels > pixelsAlong(side)) {
    throw new UserError(
      `Metric ${name} needs images of at least ${leastPixels} pixels a side, and these have ${side.shape[1]} x ${side.shape[2]}. Leave it out.`,
    );
  }
}

/** @throws UserError with the nearest name */
export function findMetric(name: string): Metric {
  const known = metrics.find((m) => m.name === name || m.aliases?.includes(name));
  if (known !== undefined) return known;
  const names = metrics.flatMap((m) => [m.name, ...(m.aliases ?? [])]);
  throw new UserError(
    `There is no metric "${name}".${suggestion(name, names)} Metrics: ${metrics.map((m) => m.name).join(", ")}.`,
  );
}
