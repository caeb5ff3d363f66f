import "./fluent.ts";

export { FailureError, GraphError, UserError } from "./errors.ts";
export { nearest, suggestion } from "./nearest.ts";
export { at, sameShape, sizeOf, Tensor } from "./ir.ts";
export type { DType, NdArray, OpDef, Shape, TensorType } from "./ir.ts";
export { inputName, print, topological, verify, type Graph } from "./graph.ts";
export { grad } from "./grad.ts";
export { interpret } from "./interpret.ts";

export { add, div, max, min, mul, neg, pow, sub } from "./ops/arithmetic.ts";
export { constant, full, input, scalar } from "./ops/leaf.ts";
export {
  concat,
  expand,
  flip,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
  zeroPad,
} from "./ops/shape.ts";
export { amax, amin, cumsum, logsumexp, mean, norm2, sum, variance } from "./ops/reduce.ts";
export {
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
export {
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
export { matmul } from "./ops/matmul.ts";
export { gather, scatterAdd } from "./ops/gather.ts";
export { argmax, sort, topK } from "./ops/sort.ts";
export { logSoftmax, softmax } from "./ops/softmax.ts";
export { stopGradient, straightThrough } from "./ops/control.ts";
export { conv, convTranspose } from "./ops/conv.ts";
export { pad } from "./ops/pad.ts";
export { avgPool, globalAvgPool, maxPool } from "./ops/pool.ts";
export {
  bicubicTaps,
  downsample,
  pixelShuffle,
  pixelUnshuffle,
  resizeBicubic,
  resizeBilinear,
  upsampleBilinear,
  upsampleNearest,
} from "./ops/resample.ts";
export { firDown, firUp, upfirdn2d } from "./ops/fir.ts";
export { affineGrid, gridSample } from "./ops/grid-sample.ts";

export * as nn from "./nn/index.ts";
export type { Initializer, RandomSource } from "./nn/init.ts";
export { noiseType, Scope, Variables } from "./nn/scope.ts";
export type { Layer, Net, NoiseSpec, VariableSpec } from "./nn/scope.ts";
export { Binding, type Bound } from "./nn/bind.ts";
export * from "./optim/index.ts";

export { blockProbe, optimize, splitLongProducts, useBlockedConvs } from "./passes/index.ts";
export { toOnnx, type OnnxOptions } from "./onnx/emit.ts";
export { readInitializers, readMetadata } from "./onnx/decode.ts";
export { withFloatInput } from "./onnx/float-input.ts";
