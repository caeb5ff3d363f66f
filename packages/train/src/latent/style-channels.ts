import { UserError } from "@duelo/core";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import type { Affine } from "./affines.ts";
import { deviation, type WShape } from "./directions.ts";

const nExamples = 50; // the paper takes 10 to 50

/**
 * The channel of a style that says most of an attribute (Wu et al. 2020, Section 4.2): over the samples
 * that have most of it, its difference from the mean in standard deviations, of which the mean over its
 * own deviation is farthest from 0: that is the score, negative where they have less of the channel.
 */
export function bestChannel(o: {
  affines: readonly Affine[];
  shape: WShape;
  w: Matrix;
  scores: ArrayLike<number>;
}): { affine: Affine; channel: number; score: number } {
  const order = Array.from({ length: o.w.rows }, (_, i) => i).toSorted(
    (a, b) => (o.scores[b] ?? 0) - (o.scores[a] ?? 0),
  );
  // of all samples the examples would be their own mean
  const n = Math.min(nExamples, Math.max(1, Math.floor(o.w.rows / 10)));
  const examples = takeRows(o.w, order.slice(0, n));
  const all = o.affines.flatMap((affine) =>
    Array.from({ length: affine.weight.rows }, (_, channel) => {
      return { affine, channel, score: relevance(affine, channel, examples, o.shape) };
    }),
  );
  const [best] = all.toSorted((a, b) => Math.abs(b.score) - Math.abs(a.score));
  if (best === undefined) throw new UserError("These layers have no style. Choose others.");
  return best;
}

/** Mean of d / deviation of d, with d = (style - its mean) / its deviation, over examples of w. */
function relevance(affine: Affine, channel: number, examples: Matrix, shape: WShape): number {
  const { cols, data } = affine.weight;
  const row = data.subarray(channel * cols, (channel + 1) * cols);
  const size = deviation(row, shape);
  if (size === 0) return 0;
  const differences = Array.from({ length: examples.rows }, (_, i) => {
    let sum = 0;
    for (let j = 0; j < cols; j++)
      sum += (row[j] ?? 0) * ((examples.data[i * cols + j] ?? 0) - (shape.mean[j] ?? 0));
    return sum / size;
  });
  const mean = differences.reduce((a, b) => a + b, 0) / examples.rows;
  const square = differences.reduce((a, d) => a + (d - mean) ** 2, 0) / examples.rows;
  return mean / (Math.sqrt(square) || Infinity);
}
