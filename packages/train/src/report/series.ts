/** One number that was logged over time, in order of steps. NaN: it was not a number. */
export interface Series {
  readonly name: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

export interface SeriesPoint {
  readonly step: number;
  /** NaN breaks the line. */
  readonly value: number;
}

/**
 * At most about `3 * nBins` points that look like all of them: the lowest and the highest of each
 * bin, in their order, and a gap where a bin holds a value that is not finite.
 */
export function downsample({ steps, values }: Series, nBins: number): SeriesPoint[] {
  const n = values.length;
  const at = (i: number): SeriesPoint => {
    const value = values[i] ?? Number.NaN;
    return { step: steps[i] ?? 0, value: Number.isFinite(value) ? value : Number.NaN };
  };
  if (n <= 2 * nBins) return values.map((_, i) => at(i));
  const points: SeriesPoint[] = [];
  for (let bin = 0; bin < nBins; bin++) {
    const from = Math.floor((bin * n) / nBins);
    const to = Math.floor(((bin + 1) * n) / nBins);
    points.push(...binPoints(from, to, at));
  }
  return points;
}

function binPoints(from: number, to: number, at: (i: number) => SeriesPoint): SeriesPoint[] {
  let low = -1;
  let high = -1;
  let gap = -1;
  for (let i = from; i < to; i++) {
    const { value } = at(i);
    if (Number.isNaN(value)) gap = i;
    else {
      if (low < 0 || value < at(low).value) low = i;
      if (high < 0 || value > at(high).value) high = i;
    }
  }
  const chosen = new Set([low, high, gap].filter((i) => i >= 0));
  return [...chosen].toSorted((a, b) => a - b).map(at);
}

/** The mean of the finite values around each one, over a window of `width` of them; NaN if none. */
export function runningMean(series: Series, width: number): Series {
  const { values } = series;
  const sums = new Float64Array(values.length + 1);
  const counts = new Float64Array(values.length + 1);
  for (const [i, value] of values.entries()) {
    const finite = Number.isFinite(value);
    sums[i + 1] = (sums[i] ?? 0) + (finite ? value : 0);
    counts[i + 1] = (counts[i] ?? 0) + (finite ? 1 : 0);
  }
  const half = Math.floor(width / 2);
  const means = values.map((_, i) => {
    const from = Math.max(0, i - half);
    const to = Math.min(values.length, i + half + 1);
    const count = (counts[to] ?? 0) - (counts[from] ?? 0);
    return count > 0 ? ((sums[to] ?? 0) - (sums[from] ?? 0)) / count : Number.NaN;
  });
  return { ...series, values: means };
}

/** The mean of the finite values among the last tenth (at least one) of them; NaN if none. */
export function finalMean({ values }: Series): number {
  const last = values.slice(-Math.max(1, Math.ceil(values.length / 10))).filter(Number.isFinite);
  return last.length > 0 ? last.reduce((a, b) => a + b, 0) / last.length : Number.NaN;
}
