import { UserError } from "@duelo/core";
import { minimise } from "./lbfgs.ts";
import { checkMatrix, checkColumns, type Matrix } from "./matrix.ts";

/** A fitted linear classifier. */
export interface SoftmaxRegression {
  /** The class of each row: the most likely one. */
  classify(rows: Matrix): Int32Array;
  /** [rows, classes] */
  probabilities(rows: Matrix): Matrix & { readonly data: Float64Array };
}

/**
 * Multinomial logistic regression: minimises mean(-log p(label)) + strength / 2 |W|^2 over weights W and
 * free biases, on columns brought to mean 0 and variance 1 (a constant column counts as 0). The least is
 * unique, so there is no seed.
 * @throws UserError for no rows, and numbers that are not finite
 */
export function softmaxRegression(o: {
  readonly rows: Matrix;
  /** The class of each row, 0 to nClasses - 1. */
  readonly labels: ArrayLike<number>;
  readonly nClasses: number;
  /** 1e-3 unless said otherwise. */
  readonly strength?: number;
}): SoftmaxRegression {
  const { rows, labels, nClasses, strength = 1e-3 } = o;
  const metric = "The classifier score";
  checkMatrix(rows, { metric, which: "training", leastRows: 2 });
  if (labels.length !== rows.rows)
    throw new RangeError(`${labels.length} labels for ${rows.rows} rows`);
  const scale = scaleOf(rows);
  const x = scaled(rows, scale);
  const width = rows.cols + 1; // the last is the bias
  const loss = (weights: Float64Array, gradient: Float64Array): number => {
    const logits = logitsOf(x, weights, nClasses);
    let value = lossAndErrors(logits, labels, nClasses);
    slopes(x, logits, nClasses, gradient);
    for (let at = 0; at < weights.length; at++) {
      if (at % width === rows.cols) continue;
      const w = weights[at] ?? 0;
      value += (strength / 2) * w * w;
      gradient[at] = (gradient[at] ?? 0) + strength * w;
    }
    return value;
  };
  const weights = minimise({ start: new Float64Array(nClasses * width), loss });
  const probabilities = (of: Matrix): Matrix & { readonly data: Float64Array } => {
    checkMatrix(of, { metric, which: "tested", leastRows: 1 });
    checkColumns({ real: rows.cols, fake: of.cols }, { metric });
    const data = logitsOf(scaled(of, scale), weights, nClasses);
    for (let i = 0; i < of.rows; i++) softmax(data.subarray(i * nClasses, (i + 1) * nClasses));
    return { rows: of.rows, cols: nClasses, data };
  };
  return {
    probabilities,
    classify(of) {
      const { data } = probabilities(of);
      return Int32Array.from({ length: of.rows }, (_, i) => {
        const row = data.subarray(i * nClasses, (i + 1) * nClasses);
        return row.indexOf(row.reduce((a, b) => Math.max(a, b), 0));
      });
    },
  };
}

interface Scale {
  readonly mean: Float64Array;
  readonly factor: Float64Array;
}

function scaleOf({ rows, cols, data }: Matrix): Scale {
  const mean = new Float64Array(cols);
  const square = new Float64Array(cols);
  for (let at = 0; at < rows * cols; at++) {
    mean[at % cols] = (mean[at % cols] ?? 0) + (data[at] ?? 0) / rows;
  }
  for (let at = 0; at < rows * cols; at++) {
    const off = (data[at] ?? 0) - (mean[at % cols] ?? 0);
    square[at % cols] = (square[at % cols] ?? 0) + (off * off) / rows;
  }
  return { mean, factor: square.map((v) => (v > 0 ? 1 / Math.sqrt(v) : 0)) };
}

const scaled = ({ rows, cols, data }: Matrix, { mean, factor }: Scale): Matrix => ({
  rows,
  cols,
  data: Float64Array.from(data, (v, at) => (v - (mean[at % cols] ?? 0)) * (factor[at % cols] ?? 0)),
});

/** x W^T + b, [rows, nClasses]; `weights` is [nClasses, cols + 1]. */
function logitsOf(
  { rows, cols, data }: Matrix,
  weights: Float64Array,
  nClasses: number,
): Float64Array {
  const out = new Float64Array(rows * nClasses);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < nClasses; k++) {
      const from = k * (cols + 1);
      let sum = weights[from + cols] ?? 0;
      for (let j = 0, at = i * cols; j < cols; j++, at++)
        sum += (data[at] ?? 0) * (weights[from + j] ?? 0);
      out[i * nClasses + k] = sum;
    }
  }
  return out;
}

/** Turns a row of logits into probabilities. @returns the logarithm of the sum of their exponentials */
function softmax(row: Float64Array): number {
  const highest = row.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  for (let k = 0; k < row.length; k++) total += row[k] = Math.exp((row[k] ?? 0) - highest);
  for (let k = 0; k < row.length; k++) row[k] = (row[k] ?? 0) / total;
  return highest + Math.log(total);
}

/** The mean of -log p(label); logits become (p - one-hot) / rows. */
function lossAndErrors(logits: Float64Array, labels: ArrayLike<number>, nClasses: number): number {
  const rows = labels.length;
  let loss = 0;
  for (let i = 0; i < rows; i++) {
    const row = logits.subarray(i * nClasses, (i + 1) * nClasses);
    const label = labels[i] ?? -1;
    const own = row[label];
    if (own === undefined)
      throw new UserError(`Sample ${i} has the label ${label}; classes are 0 to ${nClasses - 1}.`);
    loss += (softmax(row) - own) / rows;
    row[label] = (row[label] ?? 0) - 1;
    for (let k = 0; k < nClasses; k++) row[k] = (row[k] ?? 0) / rows;
  }
  return loss;
}

/** errors^T x into [nClasses, cols + 1]. */
function slopes(
  { rows, cols, data }: Matrix,
  errors: Float64Array,
  nClasses: number,
  into: Float64Array,
): void {
  into.fill(0);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < nClasses; k++) {
      const error = errors[i * nClasses + k] ?? 0;
      const to = k * (cols + 1);
      for (let j = 0, at = i * cols; j < cols; j++, at++)
        into[to + j] = (into[to + j] ?? 0) + error * (data[at] ?? 0);
      into[to + cols] = (into[to + cols] ?? 0) + error;
    }
  }
}
