import { UserError } from "@duelo/core";
import { checkMatrix, type Matrix } from "./matrix.ts";

const metric = "The Inception Score";

export interface InceptionScore {
  /** Mean over the splits, 1 to the number of classes. */
  readonly mean: number;
  /** Over the splits (over n, not n - 1). */
  readonly standardDeviation: number;
  readonly splits: number;
}

/**
 * The Inception Score exp(E_x KL(p(y|x) || p(y))) (Salimans et al. 2016, arXiv:1606.03498), with p(y)
 * the mean within each of `splits` (10 unless said otherwise) parts of the rows in their order; so
 * classes must not come in runs. 1 where all rows are equal; the number of classes where every row is
 * sure and all classes come equally often. 0 log 0 is 0.
 * @throws UserError for fewer rows than splits, and rows that are no probabilities
 */
export function inceptionScore({
  probabilities,
  splits = 10,
}: {
  /** [images, classes]: what a classifier says, after its softmax. */
  probabilities: Matrix;
  splits?: number;
}): InceptionScore {
  if (!(Number.isInteger(splits) && splits >= 1)) {
    throw new UserError(`${metric} takes at least 1 split, not ${splits}.`);
  }
  checkMatrix(probabilities, { metric, which: "generated", leastRows: splits });
  checkProbabilities(probabilities);
  const { rows } = probabilities;
  const scores = Array.from({ length: splits }, (_, i) =>
    score(probabilities, Math.floor((i * rows) / splits), Math.floor(((i + 1) * rows) / splits)),
  );
  const mean = scores.reduce((a, b) => a + b, 0) / splits;
  const variance = scores.reduce((s, v) => s + (v - mean) ** 2, 0) / splits;
  return { mean, standardDeviation: Math.sqrt(variance), splits };
}

function checkProbabilities({ rows, cols, data }: Matrix): void {
  for (let i = 0; i < rows; i++) {
    let [sum, least] = [0, 0];
    for (let j = 0; j < cols; j++) {
      sum += data[i * cols + j] ?? 0;
      least = Math.min(least, data[i * cols + j] ?? 0);
    }
    if (least >= 0 && Math.abs(sum - 1) < 1e-3) continue;
    throw new UserError(
      `${metric} needs probabilities, and row ${i} sums to ${sum} with a least value of ${least}. ` +
        "Take the classifier's output after its softmax.",
    );
  }
}

/** exp of the mean over rows of sum p log(p / q), q the mean row: exp(H(q) - mean H(p)). */
function score({ cols, data }: Matrix, from: number, to: number): number {
  const mean = new Float64Array(cols);
  let certainty = 0; // the sum of p log p
  for (let at = from * cols; at < to * cols; at++) {
    const p = data[at] ?? 0;
    mean[at % cols] = (mean[at % cols] ?? 0) + p / (to - from);
    if (p > 0) certainty += p * Math.log(p);
  }
  const marginal = mean.reduce((sum, q) => (q > 0 ? sum + q * Math.log(q) : sum), 0);
  return Math.exp(Math.max(0, certainty / (to - from) - marginal));
}
