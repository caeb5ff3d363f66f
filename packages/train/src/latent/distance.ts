import { add, avgPool, div, mean, slice, sqrt, square, sub, sum, type Tensor } from "@duelo/core";

/**
 * How far pictures are from others, pair by pair: the mean squared difference of pixels, summed over
 * full size and every halving of it while both sides are even and the smaller is at least 8. Coarse
 * scales count what is roughly in place; a shift by a pixel costs little there. [N, C, H, W] to [N].
 */
export function scaleDistance(a: Tensor, b: Tensor): Tensor {
  const here = mean(square(sub(a, b)), { axes: [1, 2, 3] });
  const [, , h = 1, w = 1] = a.shape;
  if (h % 2 !== 0 || w % 2 !== 0 || Math.min(h, w) < 8) return here;
  return add(here, scaleDistance(avgPool(a, { kernel: 2 }), avgPool(b, { kernel: 2 })));
}

/**
 * How far pictures are from others by what a network makes of them, pair by pair: see `perceptualDistance`.
 * @param maps its maps of all the pictures and after them of all the others, [2N, C, H, W]
 * @returns [N]
 */
export function mapDistance(maps: readonly Tensor[]): Tensor {
  const distances = maps.map((map) => {
    const length = sqrt(add(sum(square(map), { axes: [1], keep: true }), 1e-10));
    const unit = div(map, length);
    const [two = 2] = map.shape;
    const half = (start: number): Tensor => slice(unit, { axis: 0, start, end: start + two / 2 });
    const apart = square(sub(half(0), half(two / 2)));
    return mean(sum(apart, { axes: [1] }), { axes: [1, 2] });
  });
  return distances.reduce(add);
}
