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

/**
 * The course of a noisy series: the means of at most `nBins` bins, each then averaged with those
 * around it, a fortieth of all in width. Values that are not finite do not count; NaN where all are.
 */
export function smooth({ name, steps, values }: Series, nBins: number): Series {
  const n = values.length;
  const count = Math.min(nBins, n);
  const edges = Array.from({ length: count + 1 }, (_, bin) => Math.floor((bin * n) / count));
  const bins = edges.slice(1).map((to, bin) => ({ from: edges[bin] ?? 0, to }));
  const means = bins.map(({ from, to }) => finiteMean(values.slice(from, to)));
  const half = Math.ceil(count / 80);
  return {
    name,
    steps: bins.map(({ from, to }) => steps[Math.floor((from + to - 1) / 2)] ?? 0),
    values: means.map((mean, i) =>
      Number.isNaN(mean) ? mean : finiteMean(means.slice(Math.max(0, i - half), i + half + 1)),
    ),
  };
}

function finiteMean(values: readonly number[]): number {
  const finite = values.filter(Number.isFinite);
  return finite.reduce((a, b) => a + b, 0) / finite.length; // NaN when there are none
}

/** The mean of the finite values among the last tenth (at least one) of them; NaN if none. */
export function finalMean({ values }: Series): number {
  return finiteMean(values.slice(-Math.max(1, Math.ceil(values.length / 10))));
}
