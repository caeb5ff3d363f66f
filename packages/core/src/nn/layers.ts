import { graphError, sizeOf, type Shape, type Tensor } from "../ir.ts";
import { add, min, mul } from "../ops/arithmetic.ts";
import { conv as convolve, convTranspose as convolveTransposed } from "../ops/conv.ts";
import {
  leakyRelu as leakyReluOf,
  relu as reluOf,
  sigmoid as sigmoidOf,
  tanh as tanhOf,
} from "../ops/elementwise.ts";
import { gather } from "../ops/gather.ts";
import { cast, greaterOrEqual } from "../ops/logic.ts";
import { matmul } from "../ops/matmul.ts";
import { amax } from "../ops/reduce.ts";
import { reshape as reshapeTo } from "../ops/shape.ts";
import { constantOf, fanInUniform, fans, normal, type Initializer } from "./init.ts";
import type { Layer, Net, Scope } from "./scope.ts";

/** Changes a stored weight into the one that is used: spectral norm, equalised learning rate. */
export type Reparam = (s: Scope, weight: Tensor) => Tensor;

interface Weighted {
  /** Width of the result. */
  readonly out: number;
  /** Adds a trained bias; true unless said otherwise. */
  readonly bias?: boolean;
  /** Initial weight; U(-1/sqrt(fanIn), 1/sqrt(fanIn)) unless said otherwise. */
  readonly init?: Initializer;
  /** Initial bias; as the weight's default unless said otherwise. */
  readonly biasInit?: Initializer;
  readonly reparam?: Reparam;
}

function weightOf(s: Scope, shape: Shape, o: Weighted): Tensor {
  const w = s.param("weight", { shape, init: o.init ?? fanInUniform() });
  return o.reparam === undefined ? w : o.reparam(s, w);
}

function biased(s: Scope, y: Tensor, o: Weighted, fanIn: number): Tensor {
  if (o.bias === false) return y;
  const b = s.param("bias", { shape: [o.out], init: o.biasInit ?? fanInUniform({ fanIn }) });
  return add(y, reshapeTo(b, [o.out, ...new Array<number>(Math.max(y.rank - 2, 0)).fill(1)]));
}

/** y = x W^T + b, over the last axis. x [..., in], y [..., out]; `weight` [out, in], `bias` [out]. */
export function linear(o: Weighted): Layer {
  return (s, x) => {
    const fanIn = x.shape.at(-1) ?? 1;
    const w = weightOf(s, [o.out, fanIn], o);
    const rows = x.rank === 2 ? x : reshapeTo(x, [-1, fanIn]);
    const y = biased(s, matmul(rows, w, { transB: true }), o, fanIn);
    return x.rank === 2 ? y : reshapeTo(y, [...x.shape.slice(0, -1), o.out]);
  };
}

interface Convolving extends Weighted {
  /** Extent along every axis, or one a spatial axis. */
  readonly kernel: number | readonly number[];
  readonly stride?: number;
  /** Zeros added at each side of each axis. */
  readonly pad?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

const each = (value: number | readonly number[], axes: number): number[] =>
  typeof value === "number" ? new Array<number>(axes).fill(value) : [...value];

/** Convolution over 1, 2 or 3 spatial axes. x [N, in, ...], `weight` [out, in / groups, ...kernel]. */
export function conv(o: Convolving): Layer {
  return (s, x) => {
    const axes = x.rank - 2;
    const groups = o.groups ?? 1;
    const channels = channelsOf("conv", x, groups);
    const shape = [o.out, channels / groups, ...each(o.kernel, axes)];
    const y = convolve(x, weightOf(s, shape, o), {
      strides: each(o.stride ?? 1, axes),
      pads: each(o.pad ?? 0, axes * 2),
      dilations: each(o.dilation ?? 1, axes),
      groups,
    });
    return biased(s, y, o, fans(shape).fanIn);
  };
}

/**
 * Transposed convolution. x [N, in, ...], `weight` [in, out / groups, ...kernel]; extent
 * (n - 1) stride - 2 pad + dilation (kernel - 1) + outputPad + 1.
 */
export function convTranspose(o: Convolving & { readonly outputPad?: number }): Layer {
  return (s, x) => {
    const axes = x.rank - 2;
    const groups = o.groups ?? 1;
    const shape = [channelsOf("convTranspose", x, groups), o.out / groups, ...each(o.kernel, axes)];
    const y = convolveTransposed(x, weightOf(s, shape, o), {
      strides: each(o.stride ?? 1, axes),
      pads: each(o.pad ?? 0, axes * 2),
      dilations: each(o.dilation ?? 1, axes),
      outputPadding: each(o.outputPad ?? 0, axes),
      groups,
    });
    return biased(s, y, o, fans(shape).fanIn);
  };
}

function channelsOf(layer: string, x: Tensor, groups: number): number {
  const channels = x.shape[1] ?? 0;
  if (x.rank < 3 || channels % groups !== 0) {
    throw graphError(
      layer,
      `input [${x.shape.join(", ")}] has no ${groups} equal groups of channels on axis 1 before its spatial axes`,
      "Reshape it to [N, C, ...] first.",
    );
  }
  return channels;
}

/** Rows of a trained table. x int32 of any shape S; y [...S, out]; `weight` [count, out] ~ N(0, 1). */
export function embedding(o: {
  count: number;
  out: number;
  init?: Initializer;
  reparam?: Reparam;
}): Layer {
  return (s, x) => {
    const shape = [o.count, o.out];
    const w = s.param("weight", { shape, init: o.init ?? normal({ std: 1 }) });
    return gather(o.reparam === undefined ? w : o.reparam(s, w), x, { axis: 0 });
  };
}

/**
 * The largest of `pieces` affine maps for each unit (Goodfellow et al. 2013). x [N, in],
 * y [N, out]; `weight` [out * pieces, in].
 */
export function maxout(o: Weighted & { readonly pieces: number }): Layer {
  const affine = linear({ ...o, out: o.out * o.pieces });
  return (s, x) => {
    return amax(reshapeTo(affine(s, x), [-1, o.out, o.pieces]), { axes: [2] });
  };
}

/**
 * Zeroes each value with probability `p` while training and scales the rest by 1 / (1 - p); with
 * `atTest` always.
 */
export function dropout(o: { readonly p: number; readonly atTest?: boolean }): Layer {
  return (s, x) => {
    if (!(s.training || o.atTest === true) || o.p === 0) return x;
    const u = s.noise({ kind: "uniform", shape: x.shape, low: 0, high: 1 });
    return mul(x, mul(cast(greaterOrEqual(u, o.p), "float32"), 1 / (1 - o.p)));
  };
}

/** Layers one after the other, named 0, 1, 2, … as in PyTorch's Sequential. */
export function chain(...layers: readonly Layer[]): Layer {
  return (s, x) => layers.reduce((y, layer, i) => s.child(String(i), (c) => layer(c, y)), x);
}

/** Layers one after the other in the same scope, without names. */
export function compose(...layers: readonly Layer[]): Layer {
  return (s, x) => layers.reduce((y, layer) => layer(s, y), x);
}

/** Layers one after the other under names of their own. */
export function named(layers: Readonly<Record<string, Layer>>): Layer {
  return (s, x) =>
    Object.entries(layers).reduce((y, [name, layer]) => s.child(name, (c) => layer(c, y)), x);
}

/** A net under a name, such as `main`. */
export function scoped<I extends readonly unknown[], R>(name: string, net: Net<I, R>): Net<I, R> {
  return (s, ...inputs) => s.child(name, (c) => net(c, ...inputs));
}

/** A net as it is when not training: running statistics, no dropout. */
export const atTest =
  <I extends readonly unknown[], R>(net: Net<I, R>): Net<I, R> =>
  (s, ...inputs) =>
    net(s.atTest(), ...inputs);

/** y = shortcut(x) + body(x). */
export function residual(o: { readonly body: Layer; readonly shortcut?: Layer }): Layer {
  return (s, x) =>
    add(
      o.shortcut === undefined ? x : s.child("shortcut", (c) => (o.shortcut ?? o.body)(c, x)),
      s.child("body", (c) => o.body(c, x)),
    );
}

/** x [N, ...] to [N, ...shape]. */
export const reshape = (shape: Shape): Layer => {
  return (_, x) => reshapeTo(x, [x.shape[0] ?? 1, ...shape]);
};
/** x [N, ...] to [N, everything]. */
export const flatten: Layer = (_, x) => reshapeTo(x, [x.shape[0] ?? 1, sizeOf(x.shape.slice(1))]);
export const relu: Layer = (_, x) => reluOf(x);
export const tanh: Layer = (_, x) => tanhOf(x);
export const sigmoid: Layer = (_, x) => sigmoidOf(x);
export const leakyRelu = (o: { readonly slope: number }): Layer => {
  return (_, x) => leakyReluOf(x, { slope: o.slope });
};
/** x where positive, else `weight` x (He et al. 2015, Eq. 1); one slope for all channels, `weight` [1]. */
export function prelu(o: { readonly init?: number } = {}): Layer {
  return (s, x) => {
    const slope = s.param("weight", { shape: [1], init: constantOf(o.init ?? 0.25) });
    return add(reluOf(x), mul(min(x, 0), slope));
  };
}
