import { add, avgPool, mean, square, sub, type Tensor } from "@duelo/core";

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
