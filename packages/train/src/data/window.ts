import type { Manifest } from "./cache.ts";
import { wanted, type Batch } from "./dataset.ts";

/** What is read of a decoded record [C, H, W]: planes of x, then of its pair, cut out by one window. */
export interface Window {
  readonly record: readonly number[]; // [C, H, W]
  readonly x: readonly number[];
  readonly pair?: readonly number[];
  /** Pixels by which H and W are larger than the window. */
  readonly jitter: number;
}

export function windowOf({ shape, channelsOfX }: Manifest, jitter: number): Window {
  const [channels = 1, height = 1, width = 1] = shape;
  const part = (c: number): readonly number[] => [c, height - jitter, width - jitter];
  const pair = channelsOfX === undefined ? {} : { pair: part(channels - channelsOfX) };
  return { record: shape, x: part(channelsOfX ?? channels), ...pair, jitter };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Reads records into `out.x` and `out.pair`, from the middle or from `places` (row, column of each). */
export function readWindows(o: {
  window: Window;
  indices: ArrayLike<number>;
  out: Batch;
  places: ArrayLike<number> | undefined;
  /** Reads one whole record. */
  read(index: number, whole: Uint8Array): void;
}): void {
  const { window, indices, out, places } = o;
  const { jitter, x, pair = [0] } = window;
  const n = indices.length;
  const toX = wanted(out, "x", Uint8Array, n * sizeOf(x));
  const toPair = wanted(out, "pair", Uint8Array, n * sizeOf(pair));
  if (toX === undefined && toPair === undefined) return;
  const whole = new Uint8Array(sizeOf(window.record));
  const middle = Math.floor(jitter / 2);
  for (let i = 0; i < n; i++) {
    o.read(indices[i] ?? 0, whole);
    const [top, left] = [places?.[2 * i] ?? middle, places?.[2 * i + 1] ?? middle];
    const parts = [
      { to: toX, shape: x, plane: 0 },
      { to: toPair, shape: pair, plane: x[0] ?? 0 },
    ];
    for (const { to, shape, plane } of parts) {
      if (to !== undefined) cut(whole, window.record, { top, left, plane }, shape, to, i);
    }
  }
}

/** Copies planes [c, h, w] of a record, from `plane`, row `top` and column `left`, to place `i`. */
function cut(
  whole: Uint8Array,
  [, height = 1, width = 1]: readonly number[],
  from: { top: number; left: number; plane: number },
  [c = 0, h = 0, w = 0]: readonly number[],
  to: Uint8Array,
  i: number,
): void {
  for (let row = 0; row < c * h; row++) {
    const plane = from.plane + Math.floor(row / h);
    const at = (plane * height + from.top + (row % h)) * width + from.left;
    to.set(whole.subarray(at, at + w), (i * c * h + row) * w);
  }
}
