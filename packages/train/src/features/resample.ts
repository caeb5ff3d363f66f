/** How pixels along one axis are made: each from the inputs at `from` and after, by its taps, which sum to 1. */
export interface Axis {
  readonly from: Int32Array;
  readonly taps: readonly Float64Array[];
}

export interface Stretch {
  /** Pixels along the axis before and after. */
  readonly before: number;
  readonly after: number;
}

/**
 * Bilinear as TensorFlow 1 does it without `align_corners`: output i lies at i * before / after, so that
 * both grids begin at the same pixel, not at the same edge; nothing is smoothed before it shrinks.
 */
export function tensorFlow1({ before, after }: Stretch): Axis {
  const from = new Int32Array(after);
  const taps = Array.from({ length: after }, (_, i) => {
    const place = (i * before) / after;
    const low = Math.min(Math.floor(place), before - 1);
    from[i] = low;
    const share = place - low;
    return low + 1 < before ? Float64Array.of(1 - share, share) : Float64Array.of(1);
  });
  return { from, taps };
}

/** Lanczos with support 3, stretched where the axis shrinks, so that nothing aliases. */
export function lanczos({ before, after }: Stretch): Axis {
  const ratio = before / after;
  const scale = Math.max(1, ratio);
  const from = new Int32Array(after);
  const taps = Array.from({ length: after }, (_, i) => {
    const middle = (i + 0.5) * ratio;
    const low = Math.max(0, Math.ceil(middle - 3 * scale - 0.5));
    const high = Math.min(before - 1, Math.floor(middle + 3 * scale - 0.5));
    from[i] = low;
    const raw = Float64Array.from({ length: high - low + 1 }, (_, t) =>
      kernel((low + t + 0.5 - middle) / scale),
    );
    const total = raw.reduce((a, b) => a + b, 0);
    return raw.map((v) => v / total);
  });
  return { from, taps };
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const kernel = (x: number): number => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);

/** Planes [n, height, width] at another size, in float64 inside and not rounded: [n, rows, columns]. */
export function resample(
  planes: { readonly data: ArrayLike<number>; readonly height: number; readonly width: number },
  to: { readonly rows: Axis; readonly columns: Axis },
): Float32Array {
  const { data, height, width } = planes;
  const n = data.length / (height * width);
  const [h, w] = [to.rows.taps.length, to.columns.taps.length];
  const across = new Float64Array(height * w);
  const out = new Float32Array(n * h * w);
  for (let plane = 0; plane < n; plane++) {
    const at = plane * height * width;
    along(to.columns, { lines: height, width }, data, at, across);
    for (let y = 0; y < h; y++) {
      const [first, taps] = [to.rows.from[y] ?? 0, to.rows.taps[y] ?? []];
      for (let x = 0; x < w; x++) {
        let sum = 0;
        for (let t = 0; t < taps.length; t++)
          sum += (taps[t] ?? 0) * (across[(first + t) * w + x] ?? 0);
        out[(plane * h + y) * w + x] = sum;
      }
    }
  }
  return out;
}

/** Each line of a plane along the axis, one after the other. */
function along(
  { from, taps }: Axis,
  { lines, width }: { lines: number; width: number },
  data: ArrayLike<number>,
  at: number,
  out: Float64Array,
): void {
  for (let line = 0; line < lines; line++) {
    for (let i = 0; i < taps.length; i++) {
      const [first, weights] = [at + line * width + (from[i] ?? 0), taps[i] ?? []];
      let sum = 0;
      for (let t = 0; t < weights.length; t++) sum += (weights[t] ?? 0) * (data[first + t] ?? 0);
      out[line * taps.length + i] = sum;
    }
  }
}
