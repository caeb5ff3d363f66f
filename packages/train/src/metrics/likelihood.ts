import { UserError } from "@duelo/core";
import { mean } from "./bootstrap.ts";
import type { Matrix } from "./matrix.ts";

/** log of the sum of exp(values), with no overflow; -Infinity for none. */
export function logSumExp(values: ArrayLike<number>): number {
  let top = -Infinity;
  for (let i = 0; i < values.length; i++) top = Math.max(top, values[i] ?? -Infinity);
  if (!Number.isFinite(top)) return top;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp((values[i] ?? -Infinity) - top);
  return top + Math.log(sum);
}

export interface Likelihood {
  /** Mean over samples of the evidence lower bound E_q log w (Kingma, Welling 2013, Eq. 3), in nats. */
  readonly bound: number;
  /** Mean over samples of log (1/k) sum w: at least the bound, and nearer to log p(x) as k grows. */
  readonly importance: number;
  /** Draws for each sample. */
  readonly k: number;
  /** What they are means of, for an interval: one number a sample. */
  readonly rows: { readonly bound: Float64Array; readonly importance: Float64Array };
}

/**
 * The bound and the importance-weighted likelihood (Burda et al. 2015, arXiv:1509.00519, Eq. 8) from
 * log w = log p(x|z) + log p(z) - log q(z|x), a row a sample and a column a draw of z from q(z|x).
 * In nats per sample; a density only where p(x|z) is one, which cross entropy is for pixels of 0 and 1.
 * @throws UserError for no samples or draws, and weights that are NaN or +Infinity
 */
export function likelihood({ logWeights }: { logWeights: Matrix }): Likelihood {
  const { rows, cols, data } = logWeights;
  if (rows < 1 || cols < 1) {
    throw new UserError(
      `The likelihood needs at least 1 sample and 1 draw for it, and there are ${rows} and ${cols}.`,
    );
  }
  const bad = data.findIndex((v) => !(v < Infinity));
  if (bad >= 0) {
    throw new UserError(
      `The likelihood of sample ${Math.floor(bad / cols)} is ${data[bad]}. A net that has diverged gives such numbers.`,
    );
  }
  const each = (value: (row: Float32Array | Float64Array) => number) =>
    Float64Array.from({ length: rows }, (_, i) => value(data.subarray(i * cols, (i + 1) * cols)));
  const sums = { bound: each(mean), importance: each((w) => logSumExp(w) - Math.log(cols)) };
  return {
    bound: mean(sums.bound),
    importance: mean(sums.importance),
    k: cols,
    rows: sums,
  };
}

/** log N(x; mean, exp(logVar)) summed over the last axis: one number a row. Parameters default to N(0, I). */
export function logNormal({
  x,
  mean,
  logVar,
}: {
  x: Matrix;
  mean?: Matrix;
  logVar?: Matrix;
}): Float64Array {
  const { rows, cols } = x;
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let at = i * cols; at < (i + 1) * cols; at++) {
      const log = logVar?.data[at] ?? 0;
      const off = (x.data[at] ?? 0) - (mean?.data[at] ?? 0);
      sum -= 0.5 * (Math.log(2 * Math.PI) + log + off * off * Math.exp(-log));
    }
    return sum;
  });
}

/**
 * log p(x) of independent Bernoulli pixels with the given logits, summed over the columns:
 * x l - log(1 + e^l), without overflow. For x between 0 and 1 it is minus the cross entropy, which is
 * no log density.
 */
export function logBernoulli({ x, logits }: { x: Matrix; logits: Matrix }): Float64Array {
  const { rows, cols } = x;
  return Float64Array.from({ length: rows }, (_, i) => {
    let sum = 0;
    for (let at = i * cols; at < (i + 1) * cols; at++) {
      const l = logits.data[at] ?? 0;
      sum += (x.data[at] ?? 0) * l - (Math.max(l, 0) + Math.log1p(Math.exp(-Math.abs(l))));
    }
    return sum;
  });
}
