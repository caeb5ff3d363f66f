import { graphError, sizeOf, type Tensor } from "../ir.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { stopGradient } from "../ops/control.ts";
import { reciprocal, sqrt, square } from "../ops/elementwise.ts";
import { matmul } from "../ops/matmul.ts";
import { mean, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/shape.ts";
import { normal, ones, zeros, type Initializer } from "./init.ts";
import type { Reparam } from "./layers.ts";
import type { Layer, Net, Scope } from "./scope.ts";

/** A value per channel, shaped to broadcast over [N, C, ...]. */
function perChannel(v: Tensor, rank: number): Tensor {
  return reshape(v, [v.size, ...new Array<number>(rank - 2).fill(1)]);
}

interface Moments {
  readonly centred: Tensor;
  readonly mean: Tensor;
  /** Biased. */
  readonly variance: Tensor;
}

function moments(x: Tensor, axes: readonly number[]): Moments {
  const mu = mean(x, { axes, keep: true });
  const centred = sub(x, mu);
  return { centred, mean: mu, variance: mean(square(centred), { axes, keep: true }) };
}

const normalised = (m: Moments, eps: number): Tensor =>
  mul(m.centred, reciprocal(sqrt(add(m.variance, eps))));

interface Affine {
  /** Adds a trained gain and shift; true unless said otherwise. */
  readonly affine?: boolean;
  readonly gainInit?: Initializer;
  readonly eps?: number;
}

/** The trained gain and shift of a norm, over `n` channels. */
function gainAndShift(s: Scope, n: number, o: Affine): { gain: Tensor; shift: Tensor } {
  return {
    gain: s.param("weight", { shape: [n], init: o.gainInit ?? ones }),
    shift: s.param("bias", { shape: [n], init: zeros }),
  };
}

function affinePerChannel(s: Scope, x: Tensor, o: Affine): Tensor {
  if (o.affine === false) return x;
  const { gain, shift } = gainAndShift(s, x.shape[1] ?? 1, o);
  return add(mul(x, perChannel(gain, x.rank)), perChannel(shift, x.rank));
}

/**
 * The statistics part of batch normalisation (Ioffe, Szegedy 2015): batch statistics while training,
 * running ones otherwise. x [N, C, ...]. `running_var` is unbiased and `momentum` is the weight of
 * the new value, as in PyTorch. Returns the scale and the offset of x, one a channel.
 */
function batchScale(
  s: Scope,
  x: Tensor,
  o: { eps: number; momentum: number },
): { centred: Tensor; inverse: Tensor } {
  const channels = x.shape[1] ?? 1;
  const runningMean = s.buffer("running_mean", { shape: [channels], init: zeros });
  const runningVar = s.buffer("running_var", { shape: [channels], init: ones });
  if (!s.training) {
    return {
      centred: sub(x, perChannel(runningMean, x.rank)),
      inverse: perChannel(reciprocal(sqrt(add(runningVar, o.eps))), x.rank),
    };
  }
  const axes = x.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
  const count = x.size / channels;
  if (count < 2) {
    throw graphError("batchNorm", "one value per channel has no variance", "Use a larger batch.");
  }
  const m = moments(x, axes);
  const momentum = s.momentum ?? o.momentum;
  const rest = typeof momentum === "number" ? 1 - momentum : sub(1, momentum);
  const blend = (old: Tensor, value: Tensor): Tensor =>
    add(mul(old, rest), mul(reshape(stopGradient(value), [channels]), momentum));
  s.setBuffer("running_mean", blend(runningMean, m.mean));
  s.setBuffer("running_var", blend(runningVar, mul(m.variance, count / (count - 1))));
  return { centred: m.centred, inverse: reciprocal(sqrt(add(m.variance, o.eps))) };
}

/**
 * Batch normalisation. x [N, C, ...]; `weight`, `bias`, `running_mean`, `running_var` [C].
 * `atTest: "own"` keeps no running statistics: when not training, each sample is normalised by its
 * own, as a test batch of one is by the batch's.
 */
export function batchNorm(
  o: Affine & { readonly momentum?: number; readonly atTest?: "running" | "own" } = {},
): Layer {
  const own = instanceNorm({ ...o, affine: o.affine ?? true });
  return (s, x) => {
    if (o.atTest === "own" && (!s.training || x.shape[0] === 1)) return own(s, x);
    if (o.atTest === "own") {
      const axes = x.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
      return affinePerChannel(s, normalised(moments(x, axes), o.eps ?? 1e-5), o);
    }
    const { centred, inverse } = batchScale(s, x, {
      eps: o.eps ?? 1e-5,
      momentum: o.momentum ?? 0.1,
    });
    if (o.affine === false) return mul(centred, inverse);
    const { gain, shift } = gainAndShift(s, x.shape[1] ?? 1, o);
    return add(mul(centred, mul(inverse, perChannel(gain, x.rank))), perChannel(shift, x.rank));
  };
}

/**
 * Batch normalisation whose gain 1 + gain(c) and shift bias(c) come from a condition c [N, K]
 * (de Vries et al. 2017). `gain` and `bias` give [N, C].
 */
export function conditionalBatchNorm(o: {
  readonly gain: (channels: number) => Layer;
  readonly bias: (channels: number) => Layer;
  readonly eps?: number;
  readonly momentum?: number;
}): Net<readonly [x: Tensor, condition: Tensor], Tensor> {
  return (s, x, condition) => {
    const [n = 1, channels = 1] = x.shape;
    const { centred, inverse } = batchScale(s, x, {
      eps: o.eps ?? 1e-5,
      momentum: o.momentum ?? 0.1,
    });
    const shaped = (v: Tensor): Tensor =>
      reshape(v, [n, channels, ...new Array<number>(x.rank - 2).fill(1)]);
    const gain = s.child("gain", (c) => o.gain(channels)(c, condition));
    const bias = s.child("bias", (c) => o.bias(channels)(c, condition));
    return add(mul(mul(centred, inverse), add(shaped(gain), 1)), shaped(bias));
  };
}

/** Instance normalisation (Ulyanov et al. 2016): each sample and channel by itself. No affine by default. */
export function instanceNorm(o: Affine = {}): Layer {
  return (s, x) => {
    const axes = x.shape.map((_, i) => i).slice(2);
    return affinePerChannel(s, normalised(moments(x, axes), o.eps ?? 1e-5), {
      ...o,
      affine: o.affine ?? false,
    });
  };
}

/** Group normalisation (Wu, He 2018): each sample, over `groups` groups of channels. */
export function groupNorm(o: Affine & { readonly groups: number }): Layer {
  return (s, x) => {
    const [n = 1, channels = 1] = x.shape;
    if (channels % o.groups !== 0) {
      throw graphError("groupNorm", `${channels} channels do not split into ${o.groups} groups`);
    }
    const grouped = reshape(x, [n, o.groups, -1]);
    const y = reshape(normalised(moments(grouped, [2]), o.eps ?? 1e-5), x.shape);
    return affinePerChannel(s, y, o);
  };
}

/** Layer normalisation (Ba et al. 2016) over the last axes of extent `shape`; gain and shift of `shape`. */
export function layerNorm(o: Affine & { readonly shape: readonly number[] }): Layer {
  return (s, x) => {
    const axes = o.shape.map((_, i) => x.rank - o.shape.length + i);
    const y = normalised(moments(x, axes), o.eps ?? 1e-5);
    if (o.affine === false) return y;
    const { gain, shift } = gainAndShift(s, sizeOf(o.shape), o);
    return add(mul(y, reshape(gain, o.shape)), reshape(shift, o.shape));
  };
}

/**
 * Divides a weight by its largest singular value, estimated by power iterations on a kept vector u
 * (Miyato et al. 2018, Algorithm 1). The weight is taken as [out, rest]; the gradient flows through
 * sigma = u^T W v with u and v held fixed. u moves only while its net is trained.
 */
export function spectralNorm(o: { iterations?: number; eps?: number } = {}): Reparam {
  const eps = o.eps ?? 1e-12;
  const unit = (v: Tensor): Tensor => div(v, add(sqrt(sum(square(v))), eps));
  return (s, w) => {
    const rows = w.shape[0] ?? 1;
    const matrix = reshape(w, [rows, -1]);
    const fixed = stopGradient(matrix);
    let u = reshape(s.buffer("weight_u", { shape: [rows], init: unitNormal }), [rows, 1]);
    let v = unit(matmul(fixed, u, { transA: true }));
    for (let i = 0; s.training && i < (o.iterations ?? 1); i++) {
      if (i > 0) v = unit(matmul(fixed, u, { transA: true }));
      u = unit(matmul(fixed, v));
    }
    if (s.training) s.setBuffer("weight_u", reshape(u, [rows]));
    const sigma = sum(mul(stopGradient(u), matmul(matrix, stopGradient(v))));
    return div(w, sigma);
  };
}

const unitNormal: Initializer = (shape, random) => {
  const v = normal({ std: 1 })(shape, random);
  const length = Math.hypot(...v);
  return v.map((x) => x / length);
};
