import { UserError } from "@duelo/core";
import { drawRowsAgain } from "./draw.ts";

export interface BootstrapOptions {
  /** How many rows there are. */
  readonly rows: number;
  /** The metric of the rows that are named; some come more than once. */
  readonly statistic: (rows: Int32Array) => number;
  /** How often rows are drawn again; 200 unless said otherwise. */
  readonly resamples?: number;
  /** The share of resamples inside the interval; 0.95 unless said otherwise. */
  readonly level?: number;
  readonly seed?: number;
  /** Moves the interval by minus the bias, so that it lies around the estimate. */
  readonly centred?: boolean;
}

export interface Interval {
  /** The statistic of all rows, each once. */
  readonly estimate: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation over the resamples. */
  readonly standardError: number;
  /** Mean over the resamples, less the estimate. */
  readonly bias: number;
  readonly level: number;
  readonly resamples: number;
}

/**
 * A percentile interval by the bootstrap (Efron 1979): the statistic of rows drawn again with return.
 * It says how much the result hangs on which samples were drawn, not how much on the training: that
 * takes several seeds. A resample has copies instead of new samples, so a distance of distributions
 * is larger there, often by more than the interval is wide: use `centred` for those.
 * @throws UserError for no rows, or a level or number of resamples out of range
 */
export function bootstrap({
  rows,
  statistic,
  resamples = 200,
  level = 0.95,
  seed = 0,
  centred = false,
}: BootstrapOptions): Interval {
  if (rows < 1) throw new UserError("An interval cannot be drawn from no samples.");
  if (!(Number.isInteger(resamples) && resamples >= 2)) {
    throw new UserError(`An interval needs at least 2 resamples, not ${resamples}.`);
  }
  if (!(level > 0 && level < 1)) {
    throw new UserError(`The level of an interval lies between 0 and 1; it is ${level}.`);
  }
  const estimate = statistic(Int32Array.from({ length: rows }, (_, i) => i));
  const values = Float64Array.from({ length: resamples }, (_, counter) =>
    statistic(drawRowsAgain({ n: rows, of: rows, seed, purpose: "bootstrap", counter })),
  ).toSorted();
  const middle = mean(values);
  const variance = values.reduce((s, v) => s + (v - middle) ** 2, 0) / (resamples - 1);
  const bias = middle - estimate;
  const shift = centred ? bias : 0;
  return {
    estimate,
    low: quantile(values, (1 - level) / 2) - shift,
    high: quantile(values, (1 + level) / 2) - shift,
    standardError: Math.sqrt(variance),
    bias,
    level,
    resamples,
  };
}

/** The interval of a mean over samples, such as precision: one number a sample. */
export function bootstrapMean({
  values,
  ...options
}: Omit<BootstrapOptions, "rows" | "statistic"> & { values: ArrayLike<number> }): Interval {
  const statistic = (rows: Int32Array) =>
    rows.reduce((sum, row) => sum + (values[row] ?? 0), 0) / rows.length;
  return bootstrap({ ...options, rows: values.length, statistic });
}

/** The mean of numbers, of which there is at least one. */
export function mean(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const v of values) sum += v;
  return sum / values.length;
}

/** The `share` quantile of rising numbers, with a straight line between neighbours. */
export function quantile(rising: ArrayLike<number>, share: number): number {
  const place = share * (rising.length - 1);
  const below = Math.floor(place);
  const a = rising[below] ?? NaN;
  const b = rising[Math.min(below + 1, rising.length - 1)] ?? NaN;
  return a + (place - below) * (b - a);
}
