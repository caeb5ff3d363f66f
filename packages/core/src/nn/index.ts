export * as init from "./init.ts";
export {
  atTest,
  chain,
  compose,
  conv,
  convTranspose,
  dropout,
  embedding,
  flatten,
  leakyRelu,
  linear,
  maxout,
  named,
  prelu,
  relu,
  reshape,
  residual,
  scoped,
  sigmoid,
  tanh,
  type Reparam,
} from "./layers.ts";
export {
  batchNorm,
  conditionalBatchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  spectralNorm,
} from "./norm.ts";
export { attention } from "./attention.ts";
