import { UserError } from "@duelo/core";
import { bootstrap } from "../metrics/bootstrap.ts";
import { drawRows } from "../metrics/draw.ts";
import { inceptionScore } from "../metrics/inception.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import { around, counts, equalRows } from "./floor.ts";
import type { Metric } from "./metric.ts";

const resamples = 20;

/**
 * The Inception Score over whichever classifier gives the features, and named for it: only that of the
 * classic network is the published one.
 */
export const classScore: Metric = {
  name: "inception-score",
  aliases: ["is"],
  title: "Inception Score",
  about:
    "How sure a classifier is of each sample while all its classes appear: 1 at worst, the number of classes at best. It never looks at the data; the classifier is named with it.",
  better: "higher",
  needs: ["probabilities"],
  leastRows: 20,
  async compute(evidence) {
    const { probabilities, seed, brief, by } = evidence;
    if (probabilities === undefined)
      throw new UserError(
        `Metric ${this.name} needs features of a classifier, and ${by.name} are none.`,
      );
    const fake = shuffled(probabilities.fake, seed);
    const value = inceptionScore({ probabilities: fake }).mean;
    const title = by.isClassic === true ? this.title : `${this.title} by ${by.name}`;
    const base = {
      metric: this.name,
      title,
      better: "higher",
      value,
      ...counts(evidence),
    } as const;
    if (brief) return [base];
    const spread = bootstrap({
      rows: fake.rows,
      statistic: (rows) => inceptionScore({ probabilities: takeRows(fake, rows) }).mean,
      resamples,
      seed,
    });
    const real = takeRows(probabilities.real, equalRows(evidence)); // drawn, so in random order
    const floor = inceptionScore({ probabilities: real }).mean;
    return [{ ...base, interval: around(value, spread), floor }];
  },
};

/** The score takes its parts in the order of the rows, and files come in order of classes. */
const shuffled = (m: Matrix, seed: number): Matrix =>
  takeRows(m, drawRows({ n: m.rows, of: m.rows, seed, purpose: "class score" }));
