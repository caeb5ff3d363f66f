import { Tensor } from "./ir.ts";
import { add, div, max, min, mul, neg, pow, sub } from "./ops/arithmetic.ts";
import { stopGradient } from "./ops/control.ts";
import {
  abs,
  atan,
  ceil,
  cos,
  elu,
  erf,
  exp,
  floor,
  gelu,
  leakyRelu,
  log,
  reciprocal,
  relu,
  round,
  selu,
  sigmoid,
  sign,
  silu,
  sin,
  softplus,
  sqrt,
  square,
  tan,
  tanh,
} from "./ops/elementwise.ts";
import { gather, gatherElements } from "./ops/gather.ts";
import {
  and,
  cast,
  clamp,
  equal,
  greater,
  greaterOrEqual,
  less,
  lessOrEqual,
  not,
  notEqual,
  oneHot,
  or,
  where,
} from "./ops/logic.ts";
import { matmul } from "./ops/matmul.ts";
import { amax, amin, cumsum, logsumexp, mean, norm2, sum, variance } from "./ops/reduce.ts";
import {
  expand,
  flip,
  reshape,
  slice,
  split,
  squeeze,
  transpose,
  unsqueeze,
  zeroPad,
} from "./ops/shape.ts";
import { logSoftmax, softmax } from "./ops/softmax.ts";
import { argmax, sort, topK } from "./ops/sort.ts";

// x.add(y).relu().mean(): every function here is a method of its first argument.

const functions = {
  add,
  sub,
  mul,
  div,
  pow,
  max,
  min,
  neg,
  abs,
  sign,
  square,
  sqrt,
  reciprocal,
  exp,
  log,
  erf,
  sin,
  cos,
  tan,
  atan,
  floor,
  ceil,
  round,
  clamp,
  cast,
  relu,
  leakyRelu,
  elu,
  selu,
  gelu,
  silu,
  sigmoid,
  tanh,
  softplus,
  softmax,
  logSoftmax,
  equal,
  notEqual,
  less,
  lessOrEqual,
  greater,
  greaterOrEqual,
  and,
  or,
  not,
  where,
  oneHot,
  reshape,
  transpose,
  expand,
  slice,
  split,
  squeeze,
  unsqueeze,
  flip,
  zeroPad,
  sum,
  mean,
  variance,
  amax,
  amin,
  logsumexp,
  norm2,
  cumsum,
  matmul,
  gather,
  gatherElements,
  sort,
  topK,
  argmax,
  stopGradient,
};

type Functions = typeof functions;
type Method<F> = F extends (x: Tensor, ...rest: infer Rest) => infer Result
  ? (...rest: Rest) => Result
  : never;
type Methods = { readonly [K in keyof Functions]: Method<Functions[K]> };

declare module "./ir.ts" {
  interface Tensor extends Methods {}
}

for (const [name, f] of Object.entries<(x: Tensor, ...rest: never[]) => unknown>(functions)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: never[]) {
      return f(this, ...rest);
    },
  });
}
