import { avgPool, constant, mul, type Tensor } from "@duelo/core";

/**
 * Mean over windows of 3 x 3 around each place; what lies beyond the edge does not count: TensorFlow's
 * rule for "same", PyTorch's `count_include_pad=False`. [N, C, H, W] -> the same.
 */
export function meanInside(x: Tensor): Tensor {
  const [h = 1, w = 1] = x.shape.slice(2);
  const inside = (size: number): number[] =>
    Array.from({ length: size }, (_, i) => (i > 0 ? 1 : 0) + 1 + (i < size - 1 ? 1 : 0));
  const shares = inside(h).flatMap((a) => inside(w).map((b) => 9 / (a * b)));
  const weights = constant(shares, { shape: [1, 1, h, w] });
  return mul(avgPool(x, { kernel: 3, stride: 1, pads: 1 }), weights);
}
