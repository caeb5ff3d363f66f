import { bootstrapMean } from "../metrics/bootstrap.ts";
import { drawRows, halves } from "../metrics/draw.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import { softmaxRegression } from "../metrics/softmax-regression.ts";
import type { Evidence, Metric, Score } from "./metric.ts";

/** Features and the class of each. */
interface Labelled {
  readonly rows: Matrix;
  readonly labels: Int32Array;
}

/**
 * The classification accuracy score (Ravuri, Vinyals 2019, arXiv:1905.10887) and its reverse (GAN-test of
 * Shmelkov et al. 2018, arXiv:1807.09499), with a linear classifier of the features in place of a
 * network of pixels: softmax regression. All train on equally many samples.
 */
export const classifierScore: Metric = {
  name: "classifier-score",
  aliases: ["cas"],
  title: "Classifier score",
  about:
    "How many samples of the other side a linear classifier of the features puts in the right class: trained on generated samples and tested on real ones, which takes quality, variety and right labels; and the reverse, which takes no variety.",
  better: "higher",
  needs: ["features", "labels"],
  leastRows: 8,
  onRequest: true,
  async compute(evidence) {
    const { generated, features, reference, seed, brief, by } = evidence;
    const fake = { rows: features.fake, labels: generated.labels ?? new Int32Array() };
    const { train, test } = realParts(evidence);
    const n = Math.min(train.rows.rows, fake.rows.rows);
    const nClasses = reference.classes.length;
    const fit = ({ rows, labels }: Labelled) => softmaxRegression({ rows, labels, nClasses });
    const byFake = fit(some(fake, n, "classifier fake", seed));
    const byReal = fit(some(train, n, "classifier real", seed));
    const right = (model: typeof byFake, of: Labelled): Float64Array =>
      Float64Array.from(model.classify(of.rows), (k, i) => (k === of.labels[i] ? 1 : 0));
    const scoreOf = (what: { metric: string; title: string }, hits: Float64Array, real: number) => {
      const { estimate: value, low, high } = bootstrapMean({ values: hits, seed });
      const base = { ...what, better: "higher", value, nGenerated: n, nReference: real } as const;
      return brief ? base : { ...base, interval: [low, high] as const, floor };
    };
    const floor = bootstrapMean({ values: right(byReal, test), seed, resamples: 2 }).estimate;
    const named = (title: string): string => `${title} (linear, on ${by.name})`;
    const forth = { metric: this.name, title: named("Trained on generated, right on real") };
    const back = {
      metric: `${this.name}-reverse`,
      title: named("Trained on real, right on generated"),
    };
    const scores: Score[] = [
      scoreOf(forth, right(byFake, test), test.rows.rows),
      scoreOf(back, right(byReal, fake), n),
    ];
    return scores;
  },
};

/** Real samples to train on and others to test on: the held-out ones, or one half each. */
function realParts({ reference, heldOut, features, seed }: Evidence): {
  train: Labelled;
  test: Labelled;
} {
  const real = { rows: features.real, labels: reference.labels ?? new Int32Array() };
  if (heldOut?.labels && features.heldOut)
    return { train: real, test: { rows: features.heldOut, labels: heldOut.labels } };
  const { first, second } = halves({ rows: real.rows.rows, seed });
  return { train: take(real, first), test: take(real, second) };
}

const take = ({ rows, labels }: Labelled, chosen: Int32Array): Labelled => ({
  rows: takeRows(rows, chosen),
  labels: chosen.map((i) => labels[i] ?? 0),
});

const some = (of: Labelled, n: number, purpose: string, seed: number): Labelled =>
  of.rows.rows === n ? of : take(of, drawRows({ n, of: of.rows.rows, seed, purpose }));
