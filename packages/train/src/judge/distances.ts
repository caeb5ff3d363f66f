import { bootstrap } from "../metrics/bootstrap.ts";
import { drawRows, halves } from "../metrics/draw.ts";
import { frechetByClass, frechetOfMoments } from "../metrics/frechet.ts";
import { kernelDistance } from "../metrics/kernel.ts";
import { takeRows, type Matrix, type Pair } from "../metrics/matrix.ts";
import { momentsOf } from "../metrics/moments.ts";
import type { Evidence, Metric, Score } from "./metric.ts";

const normal95 = 1.96; // of a normal distribution, 95 % lie within so many standard deviations
const resamples = 20;

/**
 * Real samples against other real samples: the reference against what is held out, or one half of
 * the reference against the other; of the second no more than there are generated ones, since
 * distances fall with their number.
 */
export function floorPair({ features, seed }: Evidence): Pair {
  const { real, heldOut, fake } = features;
  const few = (m: Matrix): Matrix =>
    m.rows <= fake.rows
      ? m
      : takeRows(m, drawRows({ n: fake.rows, of: m.rows, seed, purpose: "floor" }));
  if (heldOut !== undefined) return { real, fake: few(heldOut) };
  const { first, second } = halves({ rows: real.rows, seed });
  return { real: takeRows(real, first), fake: few(takeRows(real, second)) };
}

/** Value plus or minus 1.96 standard errors of a bootstrap over the generated samples. */
function around(value: number, standardError: number): readonly [number, number] {
  return [value - normal95 * standardError, value + normal95 * standardError];
}

/** The counts of samples behind a score. */
export const counts = ({ features }: Evidence): Pick<Score, "nGenerated" | "nReference"> => ({
  nGenerated: features.fake.rows,
  nReference: features.real.rows,
});

export const frechet: Metric = {
  name: "frechet",
  better: "lower",
  aliases: ["fid", "fd"],
  title: "Fréchet distance",
  about:
    "How far two clouds of features lie apart, as if both were Gaussian. The usual score; it falls with the number of samples, so compare equal numbers only.",
  needs: ["features"],
  leastRows: 2,
  async compute(evidence) {
    const { features, seed, brief } = evidence;
    const real = momentsOf(features.real);
    const of = (fake: Matrix): number => frechetOfMoments({ real, fake: momentsOf(fake) });
    const value = of(features.fake);
    const base = { metric: "frechet", title: this.title, better: "lower", value } as const;
    if (brief) return [{ ...base, ...counts(evidence) }];
    const { standardError } = bootstrap({
      rows: features.fake.rows,
      statistic: (rows) => of(takeRows(features.fake, rows)),
      resamples,
      seed,
    });
    const floor = floorPair(evidence);
    return [
      {
        ...base,
        ...counts(evidence),
        interval: around(value, standardError),
        floor: frechetOfMoments({ real: momentsOf(floor.real), fake: momentsOf(floor.fake) }),
      },
    ];
  },
};

export const kernel: Metric = {
  name: "kernel",
  better: "lower",
  aliases: ["kid", "mmd"],
  title: "Kernel distance",
  about:
    "Like the Fréchet distance without the Gaussians, and without bias: fit for few samples, 0 when both sides are alike, and it may fall below 0.",
  needs: ["features"],
  leastRows: 2,
  async compute(evidence) {
    const { features, seed, brief } = evidence;
    const { distance: value, ...spread } = kernelDistance({ ...features, seed });
    const base = { metric: "kernel", title: this.title, better: "lower", value } as const;
    if (brief) return [{ ...base, ...counts(evidence) }];
    const interval = around(value, kernelError(features, spread, seed));
    const floor = kernelDistance({ ...floorPair(evidence), seed, subsets: 20 }).distance;
    return [{ ...base, ...counts(evidence), interval, floor }];
  },
};

/**
 * The standard error of a kernel distance: the spread over subsets, scaled from a subset's size to
 * all samples; of one subset that holds them all, by a bootstrap.
 */
function kernelError(
  { real, fake }: Pair,
  spread: { standardDeviation: number; subsets: number; subsetSize: number },
  seed: number,
): number {
  if (spread.subsets > 1)
    return spread.standardDeviation * Math.sqrt(spread.subsetSize / fake.rows);
  return bootstrap({
    rows: fake.rows,
    statistic: (rows) =>
      kernelDistance({ real, fake: takeRows(fake, rows), subsets: 1, seed }).distance,
    resamples,
    seed,
  }).standardError;
}

export const classFrechet: Metric = {
  name: "class-frechet",
  better: "lower",
  aliases: ["class-fid"],
  title: "Fréchet distance within classes",
  about:
    "The mean over classes of the Fréchet distance within each: it sees a generator that ignores the label it is given.",
  needs: ["features", "labels"],
  leastRows: 4,
  async compute(evidence) {
    const { features, generated, reference } = evidence;
    const { mean } = frechetByClass({
      ...features,
      realLabels: reference.labels ?? [],
      fakeLabels: generated.labels ?? [],
      nClasses: reference.classes.length,
    });
    return [
      {
        metric: this.name,
        title: this.title,
        better: "lower",
        value: mean,
        ...counts(evidence),
      },
    ];
  },
};
