import {
  add,
  conv as convolve,
  matmul,
  maxPool,
  mean,
  mul,
  nn,
  relu,
  reshape,
  slice,
  softmax,
  square,
  sub,
  sum,
  upsampleNearest,
  type Bound,
  type Layer,
  type Net,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { int, number } from "../options.ts";
import type { Phase } from "../recipe.ts";
import { hinge, scores } from "./losses.ts";
import { pyramid, refusePyramid } from "./pyramid.ts";

// What BigGAN and BigGAN-deep have in common (Brock et al. 2018, Appendix B).

interface Made {
  readonly image: Tensor;
  /** How far the rows of its weights are from orthogonal. */
  readonly skew: Tensor;
}
export type Maker = Net<readonly [z: Tensor, y: Tensor], Made>;
export type Judge = Net<readonly [x: Tensor, y: Tensor], Tensor>;
export type Block = Net<readonly [x: Tensor, c: Tensor], Tensor>;

const init = nn.init.orthogonal();

/** How both are trained; a recipe's presets change the numbers. */
export const trainingOptions = {
  lrG: number({
    default: 5e-5,
    min: 0,
    max: 1,
    about: "learning rate of G",
    source: "(Section 3)",
  }),
  lrD: number({
    default: 2e-4,
    min: 0,
    max: 1,
    about: "learning rate of D",
    source: "(Section 3)",
  }),
  nCritic: int({
    default: 2,
    min: 1,
    max: 100,
    about: "updates of D for one of G",
    source: "(Section 3)",
  }),
  ortho: number({
    default: 1e-4,
    min: 0,
    max: 1,
    about: "weight of the orthogonal regularisation of G",
    source: "(Eq. 3)",
  }),
  ema: number({
    default: 0.9999,
    min: 0,
    max: 1,
    about: "decay of the average of G's weights",
    source: "(Section 3)",
  }),
  emaStart: int({
    default: 20_000,
    min: 0,
    max: 1e9,
    about: "steps before the average begins",
    source: "[1]",
  }),
};

/** What both play: hinge losses, and orthogonal regularisation of G where it is asked for. */
export const game = (c: {
  readonly nCritic: number;
  readonly ortho: number;
}): readonly Phase<
  { readonly G: Bound<Maker>; readonly D: Bound<Judge> },
  Readonly<Record<"x" | "y" | "z" | "yFake", Tensor>>
>[] => [
  {
    update: ["D"],
    times: c.nCritic,
    loss({ G, D }, { x, y, z, yFake }) {
      const [real, fake] = [D(x, y), D(G(z, yFake).image, yFake)];
      return { loss: hinge({ real, fake }), log: scores({ real, fake }) };
    },
  },
  {
    update: ["G"],
    loss({ G, D }, { z, yFake }) {
      const { image, skew } = G(z, yFake);
      const fool = mean(D(image, yFake)).mul(-1);
      if (c.ortho === 0) return { loss: fool };
      return { loss: fool.add(skew.mul(c.ortho)), log: { "G/fool": fool, "G/skew": skew } };
    },
  },
];

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
    /** The first channels of a 3x3 convolution to `out`: the others have weights, and are not computed. */
    firstOfConv: (o: { out: number; first: number }): Layer => {
      const first = (t: Tensor): Tensor => slice(t, { axis: 0, start: 0, end: o.first });
      return (s, x) => {
        const shape = [o.out, x.shape[1] ?? 1, 3, 3];
        const w = reparam(s, s.param("weight", { shape, init }));
        const b = s.param("bias", {
          shape: [o.out],
          init: nn.init.fanInUniform(nn.init.fans(shape)),
        });
        return add(convolve(x, first(w), { pads: 1 }), reshape(first(b), [o.first, 1, 1]));
      };
    },
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
function placeAttention({ conv }: SnLayers): Layer {
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

/** `placeAttention` where the smaller side of the maps is `side`, which is 0 for nowhere; else nothing. */
export const attention =
  (layers: SnLayers, side: number): Layer =>
  (s, x) =>
    side > 0 && Math.min(x.shape[2] ?? 0, x.shape[3] ?? 0) === side
      ? s.child("attention", (l) => placeAttention(layers)(l, x))
      : x;

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
