// The public surface of Duelo, in one list. Anything not named here may change without notice.

// The language that recipes are written in.
export {
  abs,
  adam,
  adamW,
  add,
  affineGrid,
  amax,
  amin,
  and,
  atan,
  avgPool,
  cast,
  ceil,
  clamp,
  concat,
  constant,
  conv,
  convTranspose,
  cos,
  cosine,
  cumsum,
  div,
  downsample,
  elu,
  equal,
  erf,
  exp,
  expand,
  exponentialDecay,
  firDown,
  firUp,
  flip,
  floor,
  full,
  gather,
  gelu,
  globalAvgPool,
  grad,
  greater,
  greaterOrEqual,
  gridSample,
  input,
  leakyRelu,
  less,
  lessOrEqual,
  linearDecay,
  log,
  logsumexp,
  matmul,
  max,
  maxPool,
  mean,
  min,
  momentum,
  mul,
  neg,
  nn,
  norm2,
  not,
  notEqual,
  oneHot,
  or,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  pow,
  reciprocal,
  relu,
  reshape,
  resizeBilinear,
  rmsprop,
  round,
  scalar,
  scatterAdd,
  selu,
  sgd,
  sigmoid,
  sign,
  silu,
  sin,
  slice,
  softplus,
  split,
  sqrt,
  square,
  squeeze,
  stack,
  stopGradient,
  straightThrough,
  sub,
  sum,
  tan,
  tanh,
  Tensor,
  transpose,
  unsqueeze,
  upfirdn2d,
  upsampleBilinear,
  upsampleNearest,
  variance,
  where,
} from "@duelo/core";
export type { DType, Layer, Net, NoiseSpec, Optimizer, Schedule, Shape } from "@duelo/core";
export { choice, flag, image, int, label, number, recipe, vector } from "@duelo/zoo";
export type {
  Context,
  NetFunction,
  OptionTable,
  OptionValue,
  Phase,
  Preset,
  Recipe,
} from "@duelo/zoo";

// What is wrong, said in one sentence.
export { FailureError, GraphError, UserError } from "@duelo/core";

// What the commands do.
export { findRecipe, recipes } from "@duelo/zoo"; // list
export { describePhase, describeRecipe } from "./describe.ts"; // show
export { plan, train } from "@duelo/train"; // train
export { readRange, tune } from "@duelo/train"; // tune
export { sampleRun } from "@duelo/train"; // sample
export { translateRun } from "@duelo/train"; // translate, colorize
export { editRun, interpolateRun, mixRun, projectRun, restoreRun, truncateRun } from "@duelo/train";
export { openStyleRun, type StyleRun } from "@duelo/train"; // what they are made of
export { upscaleRun } from "@duelo/train"; // upscale
export { writeSamples, type WriteSamplesRequest } from "./write-samples.ts";
export { exportRun } from "@duelo/train"; // export
export { importWeights, readWeights } from "@duelo/train"; // import
export { evaluate, metrics, writeJudgementPage } from "@duelo/train"; // eval
export { compareRuns } from "@duelo/train"; // compare
export { openFunction } from "@duelo/train";
export { featureNet, featureNets, featuresOf, openNetworkFile, rawPixels } from "@duelo/train";
export { checkData, namedSets, openData } from "@duelo/train"; // data check
export { diagnose, type Diagnosis } from "./diagnose.ts"; // doctor
export { calmVerdicts, examineRun, verdictOf, type Examination, type Verdict } from "@duelo/train"; // doctor RUN
export { measure, type Measurement } from "./measure.ts"; // bench
export { cacheDir } from "./cache-dir.ts";
export { findRun, listRuns } from "@duelo/train";
export type {
  AttributeRequest,
  Budget,
  ComparedRun,
  Comparison,
  DataReport,
  FeatureNet,
  FeatureRequest,
  Features,
  NetworkFile,
  DataRequest,
  Dataset,
  DirectionRequest,
  Edited,
  EditRequest,
  Effect,
  Imported,
  ImportRequest,
  CallOptions,
  FunctionCard,
  FunctionInput,
  FunctionOutput,
  FunctionRequest,
  Interpolated,
  InterpolateRequest,
  MixRequest,
  NamedSet,
  OpenFunction,
  Plan,
  Progress,
  Projected,
  Projection,
  ProjectRequest,
  Restoration,
  Restored,
  RestoreRequest,
  RunInfo,
  RunOptions,
  SampleRequest,
  Samples,
  StateDict,
  Table,
  TrainHooks,
  TrainRequest,
  TrainResult,
  Trial,
  TruncateRequest,
  TuneHooks,
  TuneRequest,
  TuneResult,
} from "@duelo/train";

// How good samples are: docs/guide/metrics.md.
export {
  bootstrap,
  bootstrapMean,
  classScores,
  frechetByClass,
  frechetDistance,
  frechetOfMoments,
  halves,
  inceptionScore,
  kernelDistance,
  l1Distance,
  likelihood,
  memorisation,
  mergeMoments,
  mixtureScores,
  momentsOf,
  msSsim,
  msSsimDiversity,
  nearestNeighbourAccuracy,
  neighbourScores,
  pathLength,
  perceptualDistance,
  psnr,
  slicedDistance,
  ssim,
  stackedLabels,
  takeRows,
  vaeLikelihood,
} from "@duelo/train";
export type { Interval, Matrix, Moments, Pictures } from "@duelo/train";

// The graphs underneath, and where they run.
export { print, toOnnx, verify, type Graph } from "@duelo/core";
export { devices, openRuntime } from "@duelo/runtime";
export type { Device, HostTensor, Program, Runtime, State } from "@duelo/runtime";
export { traceFunction, traceStep } from "@duelo/zoo";
export type { FunctionGraph, StepGraph } from "@duelo/zoo";
