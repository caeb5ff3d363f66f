import { bicubicTaps } from "@duelo/core";

/** One channel of a picture, 0 to 255, [height, width]. */
export interface Plane {
  readonly data: ArrayLike<number>;
  readonly height: number;
  readonly width: number;
}

/**
 * Rows `from` to `to` of a plane at another size, as bytes, by Keys' bicubic filter, widened against aliasing where it
 * gets smaller, and mirrored at the border. [to - from, size.width]
 */
export function bicubicRows(
  { data, height, width }: Plane,
  o: {
    readonly size: { readonly height: number; readonly width: number };
    readonly from: number;
    readonly to: number;
  },
): Uint8Array {
  const { size, from, to } = o;
  const out = new Uint8Array((to - from) * size.width);
  const line = new Float64Array(width);
  const across = Array.from({ length: size.width }, (_, x) =>
    bicubicTaps(x, { from: width, to: size.width }),
  );
  for (let row = from; row < to; row++) {
    line.fill(0);
    for (const { place, weight } of bicubicTaps(row, { from: height, to: size.height }))
      for (let x = 0; x < width; x++)
        line[x] = (line[x] ?? 0) + weight * (data[place * width + x] ?? 0);
    for (const [x, taps] of across.entries()) {
      let sum = 0;
      for (const { place, weight } of taps) sum += weight * (line[place] ?? 0);
      out[(row - from) * size.width + x] = Math.min(Math.max(Math.round(sum), 0), 255);
    }
  }
  return out;
}
