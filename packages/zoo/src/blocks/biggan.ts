import {
  add,
  matmul,
  maxPool,
  mul,
  nn,
  relu,
  reshape,
  softmax,
  square,
  sub,
  sum,
  upsampleNearest,
  type Layer,
  type Net,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { pyramid, refusePyramid } from "./pyramid.ts";

// What BigGAN and BigGAN-deep have in common (Brock et al. 2018, Appendix B).

const init = nn.init.orthogonal();

/** Channels over the width by resolution, from G's first map to its last and from D's first to its last. */
export function channelsOf(shape: Shape): {
  readonly G: readonly number[];
  readonly D: readonly number[];
} {
  const { levels } = pyramid(shape);
  if (levels === 4) return { G: [16, 16, 8, 4, 2], D: [1, 2, 4, 8, 16] };
  if (levels === 5) return { G: [16, 16, 8, 4, 2, 1], D: [1, 2, 4, 8, 16, 16] };
  if (levels === 6) return { G: [16, 16, 8, 8, 4, 2, 1], D: [1, 2, 4, 8, 8, 16, 16] };
  const same = new Array<number>(levels + 1).fill(4);
  return { G: same, D: same };
}

/** Why these nets cannot make images of this shape, or nothing. */
export function refuseSize(shape: Shape): string | undefined {
  if (pyramid(shape).levels <= 6) return refusePyramid(shape);
  const [, height = 1, width = 1] = shape;
  return `${height}x${width} is larger than the 256x256 for which the channels are known; choose --size 256 or less`;
}

/** Layers whose weights begin orthogonal and are spectrally normalised; `seen` collects the weights. */
export function snLayers(seen: Tensor[] = []) {
  const normalised = nn.spectralNorm({ eps: 1e-6 });
  const reparam: nn.Reparam = (s, w) => {
    seen.push(w);
    return normalised(s, w);
  };
  return {
    /** A convolution that keeps the size. */
    conv: (o: { out: number; kernel: 1 | 3; bias?: boolean }): Layer =>
      nn.conv({ ...o, pad: (o.kernel - 1) / 2, init, reparam }),
    linear: (o: { out: number; bias?: boolean }): Layer => nn.linear({ ...o, init, reparam }),
    embedding: (o: { count: number; out: number }): Layer => nn.embedding({ ...o, init, reparam }),
  };
}
export type SnLayers = ReturnType<typeof snLayers>;

/** G's table of classes, which all its norms share: orthogonal, not normalised. */
export const sharedEmbedding = (o: { count: number; out: number }): Layer =>
  nn.embedding({ ...o, init });

/** Batch norm with gain 1 + W c and shift V c of a condition c [N, K]. */
export const conditionalNorm = (
  { linear }: SnLayers,
  eps: number,
): Net<readonly [x: Tensor, c: Tensor], Tensor> => {
  const of = (out: number): Layer => linear({ out, bias: false });
  return nn.conditionalBatchNorm({ gain: of, bias: of, eps });
};

/**
 * Self-attention over places (Zhang et al. 2018, as released): softmax(theta^T phi) without a scale, phi
 * and g at half the size, added to x with a weight that begins at 0. x [N, C, H, W]
 */
export function placeAttention({ conv }: SnLayers): Layer {
  return (s, x) => {
    const [n = 1, c = 1, h = 1, w = 1] = x.shape;
    const few = Math.max(Math.floor(c / 8), 1);
    const half = Math.max(Math.floor(c / 2), 1);
    const point = (name: string, out: number): Tensor =>
      s.child(name, (l) => conv({ out, kernel: 1, bias: false })(l, x));
    const small = (y: Tensor, channels: number): Tensor =>
      reshape(maxPool(y, { kernel: 2 }), [n, channels, (h * w) / 4]);
    const theta = reshape(point("theta", few), [n, few, h * w]);
    const phi = small(point("phi", few), few);
    const g = small(point("g", half), half); // [N, C / 2, H W / 4]
    const beta = softmax(matmul(theta, phi, { transA: true }), { axis: -1 }); // [N, H W, H W / 4]
    const seen = reshape(matmul(g, beta, { transB: true }), [n, half, h, w]);
    const o = s.child("o", (l) => conv({ out: c, kernel: 1, bias: false })(l, seen));
    const gamma = s.param("gamma", { shape: [], init: nn.init.zeros });
    return add(mul(o, gamma), x);
  };
}

/** Of images of these sides attention looks at the maps whose smaller side is `side`; 0 for none. */
export const attendsTo = (x: Tensor, side: number): boolean =>
  side > 0 && Math.min(x.shape[2] ?? 0, x.shape[3] ?? 0) === side;

/**
 * Sum of |W W^T (1 - I)|^2 (Eq. 3) over weights, taken as [out, rest]: the whole less the diagonal, whose
 * entries are the rows' squared lengths.
 */
export function orthogonality(weights: readonly Tensor[]): Tensor {
  const one = (w: Tensor): Tensor => {
    const rows = reshape(w, [w.shape[0] ?? 1, -1]);
    const gram = matmul(rows, rows, { transB: true });
    return sub(sum(square(gram)), sum(square(sum(square(rows), { axes: [1] }))));
  };
  return weights.map(one).reduce(add);
}

/** Twice the size, each pixel four times. */
export const double = (x: Tensor): Tensor => upsampleNearest(x, { scale: 2 });

/** D's last step: features summed over places, a score of them, and their product with the class. */
export function projected(
  { linear, embedding }: SnLayers,
  count: number,
): Net<readonly [h: Tensor, y: Tensor], Tensor> {
  return (s, h, y) => {
    const features = sum(relu(h), { axes: [2, 3] }); // [N, C]
    const score = s.child("linear", (l) => linear({ out: 1 })(l, features));
    const e = s.child("embed", (l) => embedding({ count, out: features.shape[1] ?? 1 })(l, y));
    return add(score, sum(mul(e, features), { axes: [1], keep: true }));
  };
}
