import type { Tensor } from "../ir.ts";
import { add, div, min, mul, sub } from "../ops/arithmetic.ts";
import { exp, sqrt, square, tanh } from "../ops/elementwise.ts";
import { scalar } from "../ops/leaf.ts";
import { clamp } from "../ops/logic.ts";
import { sum } from "../ops/reduce.ts";

/** Where a run stands when a step begins. */
export interface Clock {
  /** Steps done. */
  readonly step: number;
  /** Real records that D or the first phase has seen. */
  readonly nImages: number;
  /** Steps done over steps planned, 0 to 1. */
  readonly progress: number;
}

/** A number, or a function of the clock; evaluated on the host and fed to the step. */
export type Schedule = number | ((clock: Clock) => number);

export const scheduled = (value: Schedule, clock: Clock): number =>
  typeof value === "number" ? value : value(clock);

/** `from` falling linearly to 0 between the `start` and the `end` of the run (fractions, 0 to 1). */
export const linearDecay =
  (o: { from: number; start?: number; end?: number }): Schedule =>
  ({ progress }) => {
    const [start, end] = [o.start ?? 0, o.end ?? 1];
    return o.from * (1 - Math.min(Math.max((progress - start) / (end - start), 0), 1));
  };

/** `from` to `to` along half a cosine over the run. */
export const cosine =
  (o: { from: number; to: number }): Schedule =>
  ({ progress }) =>
    o.to + ((o.from - o.to) * (1 + Math.cos(Math.PI * Math.min(progress, 1)))) / 2;

/** `from`, multiplied by `factor` after every step, not below `floor`. */
export const exponentialDecay =
  (o: { from: number; factor: number; floor?: number }): Schedule =>
  ({ step }) =>
    Math.max(o.from * o.factor ** step, o.floor ?? 0);

export interface UpdateInputs {
  readonly param: Tensor;
  readonly grad: Tensor;
  readonly slots: Readonly<Record<string, Tensor>>;
  /** Learning rate, rank 0. */
  readonly lr: Tensor;
  /** 1 at the first update, rank 0. */
  readonly t: Tensor;
  /** Values of `scalars`, rank 0. */
  readonly scalars: Readonly<Record<string, Tensor>>;
}

/** One rule of first-order optimisation, traced into the step's graph. */
export interface Optimizer {
  readonly name: string;
  readonly lr: Schedule;
  /** Kept tensors of the parameter's shape, zero at first; named as in PyTorch's optimiser state. */
  readonly slots: readonly string[];
  /** Further scheduled numbers, such as a momentum that ramps up. */
  readonly scalars?: Readonly<Record<string, Schedule>>;
  /** Scales the gradients of a net so that their joint L2 norm is at most this. */
  readonly clipNorm?: number | undefined;
  update(inputs: UpdateInputs): { param: Tensor; slots: Record<string, Tensor> };
}

const slot = (slots: Readonly<Record<string, Tensor>>, name: string): Tensor => {
  const tensor = slots[name];
  if (tensor === undefined) throw new TypeError(`no optimiser slot "${name}"`);
  return tensor;
};

interface Common {
  readonly lr: Schedule;
  readonly clipNorm?: number;
  /** L2 penalty whose gradient, weightDecay * param, joins the gradient. */
  readonly weightDecay?: number;
}

const decayed = ({ param, grad }: UpdateInputs, weightDecay = 0): Tensor =>
  weightDecay === 0 ? grad : add(grad, mul(param, weightDecay));

/** p <- p - lr g. */
export function sgd(o: Common): Optimizer {
  return {
    name: "sgd",
    lr: o.lr,
    slots: [],
    clipNorm: o.clipNorm,
    update: (i) => ({ param: sub(i.param, mul(decayed(i, o.weightDecay), i.lr)), slots: {} }),
  };
}

/** b <- momentum b - lr g; p <- p + b (the classical form, in which lr scales what is remembered). */
export function momentum(o: Common & { readonly momentum: Schedule }): Optimizer {
  return {
    name: "momentum",
    lr: o.lr,
    slots: ["momentum_buffer"],
    scalars: { momentum: o.momentum },
    clipNorm: o.clipNorm,
    update(i) {
      const kept = mul(slot(i.slots, "momentum_buffer"), slot(i.scalars, "momentum"));
      const b = sub(kept, mul(decayed(i, o.weightDecay), i.lr));
      return { param: add(i.param, b), slots: { momentum_buffer: b } };
    },
  };
}

/** 1 - beta^t without cancellation: -expm1(t ln beta) = -tanh(t ln beta / 2) (beta^t + 1). */
function biasCorrection(beta: number, t: Tensor): Tensor {
  if (beta === 0) return scalar(1);
  const x = mul(t, Math.log(beta));
  return mul(mul(tanh(mul(x, 0.5)), add(exp(x), 1)), -1);
}

interface AdamOptions extends Common {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly eps?: number;
  /** Added under the root, so that steps can be differentiated where a gradient is zero; 0 at first. */
  readonly epsRoot?: number;
}

function adamStep(
  i: UpdateInputs,
  g: Tensor,
  o: AdamOptions,
): { delta: Tensor; slots: Record<string, Tensor> } {
  const [beta1, beta2] = [o.beta1 ?? 0.9, o.beta2 ?? 0.999];
  const m = beta1 === 0 ? g : add(mul(slot(i.slots, "exp_avg"), beta1), mul(g, 1 - beta1));
  const v = add(mul(slot(i.slots, "exp_avg_sq"), beta2), mul(square(g), 1 - beta2));
  // lr m^ / (sqrt(v^) + eps), with the two corrections gathered into scalars:
  // (lr sqrt(c2) / c1) m / (sqrt(v) + eps sqrt(c2)).
  const c2 = sqrt(biasCorrection(beta2, i.t));
  const rate = div(mul(i.lr, c2), biasCorrection(beta1, i.t));
  const root = sqrt(o.epsRoot === undefined ? v : add(v, o.epsRoot));
  const delta = div(mul(m, rate), add(root, mul(c2, o.eps ?? 1e-8)));
  return { delta, slots: { ...(beta1 === 0 ? {} : { exp_avg: m }), exp_avg_sq: v } };
}

/** Adam (Kingma, Ba 2014, Algorithm 1). Without beta1 no first moment is kept. */
export function adam(o: AdamOptions): Optimizer {
  return {
    name: "adam",
    lr: o.lr,
    slots: (o.beta1 ?? 0.9) === 0 ? ["exp_avg_sq"] : ["exp_avg", "exp_avg_sq"],
    clipNorm: o.clipNorm,
    update(i) {
      const { delta, slots } = adamStep(i, decayed(i, o.weightDecay), o);
      return { param: sub(i.param, delta), slots };
    },
  };
}

/** Adam with decoupled weight decay: p <- p (1 - lr weightDecay) - Adam's step (Loshchilov, Hutter 2017). */
export function adamW(o: AdamOptions): Optimizer {
  return {
    ...adam({ ...o, weightDecay: 0 }),
    name: "adamW",
    update(i) {
      const { delta, slots } = adamStep(i, i.grad, o);
      const kept = sub(1, mul(i.lr, o.weightDecay ?? 0.01));
      return { param: sub(mul(i.param, kept), delta), slots };
    },
  };
}

/** v <- alpha v + (1 - alpha) g^2; p <- p - lr g / (sqrt(v) + eps) (Hinton 2012). */
export function rmsprop(o: Common & { readonly alpha?: number; readonly eps?: number }): Optimizer {
  const alpha = o.alpha ?? 0.99;
  return {
    name: "rmsprop",
    lr: o.lr,
    slots: ["square_avg"],
    clipNorm: o.clipNorm,
    update(i) {
      const g = decayed(i, o.weightDecay);
      const v = add(mul(slot(i.slots, "square_avg"), alpha), mul(square(g), 1 - alpha));
      const delta = div(mul(g, i.lr), add(sqrt(v), o.eps ?? 1e-8));
      return { param: sub(i.param, delta), slots: { square_avg: v } };
    },
  };
}

/** A rule after whose every update each weight is moved into [-bound, bound] (Arjovsky et al. 2017). */
export function clipWeights(o: { readonly rule: Optimizer; readonly bound: number }): Optimizer {
  return {
    ...o.rule,
    update(i) {
      const { param, slots } = o.rule.update(i);
      return { param: clamp(param, { min: -o.bound, max: o.bound }), slots };
    },
  };
}

/** Scales gradients so that their joint L2 norm is at most `clipNorm`. */
export function clipByNorm(grads: readonly Tensor[], clipNorm: number): Tensor[] {
  const total = grads.map((g) => sum(square(g))).reduce((a, b) => add(a, b));
  const scale = min(div(clipNorm, add(sqrt(total), 1e-6)), 1);
  return grads.map((g) => mul(g, scale));
}
