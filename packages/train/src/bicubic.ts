import { bicubicTaps } from "@duelo/core";

interface Extent {
  readonly height: number;
  readonly width: number;
}

/**
 * Brings planes of pixels 0 to 255, [height, width] of `from`, to the size `to` by Keys' bicubic filter, widened
 * against aliasing where it gets smaller, and mirrored at the border. What is returned computes some rows of the
 * result as bytes: all, unless a first one and an end are named. [end - first, to.width]
 */
export function bicubicResizer(
  from: Extent,
  to: Extent,
): (
  plane: ArrayLike<number>,
  rows?: { readonly first: number; readonly end: number },
) => Uint8Array {
  const down = Array.from({ length: to.height }, (_, y) =>
    bicubicTaps(y, { from: from.height, to: to.height }),
  );
  const across = Array.from({ length: to.width }, (_, x) =>
    bicubicTaps(x, { from: from.width, to: to.width }),
  );
  return (plane, { first, end } = { first: 0, end: to.height }) => {
    const out = new Uint8Array((end - first) * to.width);
    const line = new Float64Array(from.width);
    for (const [row, taps] of down.slice(first, end).entries()) {
      line.fill(0);
      for (const { place, weight } of taps)
        for (let x = 0; x < from.width; x++)
          line[x] = (line[x] ?? 0) + weight * (plane[place * from.width + x] ?? 0);
      for (const [x, beside] of across.entries()) {
        let sum = 0;
        for (const { place, weight } of beside) sum += weight * (line[place] ?? 0);
        out[row * to.width + x] = Math.min(Math.max(Math.round(sum), 0), 255);
      }
    }
    return out;
  };
}
