export { runOptions, train } from "./loop.ts";
export type { Progress, TrainHooks, TrainResult } from "./session.ts";
export { examineRun, type Examination } from "./health/doctor.ts";
export { examine, type Course, type Findings, type Stretch } from "./health/examine.ts";
export { probesOf, type Probe } from "./health/history.ts";
export { verdictOf, type Verdict } from "./health/verdict.ts";
export { calmVerdicts } from "./health/verdict-name.ts";
export type { VerdictName } from "./health/verdict-name.ts";
export { plan, printPhases, type Plan } from "./plan.ts";
export {
  contextFor,
  openFor,
  resolveRequest,
  sameForBoth,
  type Resolved,
  type TrainRequest,
} from "./request.ts";
export { exportRun, functionOnnx, readFunction } from "./export.ts";
export { standingState } from "./standing.ts";
export type { FunctionCard, FunctionInput, FunctionOutput } from "./function-card.ts";
export {
  openFunction,
  type CallOptions,
  type FunctionRequest,
  type OpenFunction,
} from "./open-function.ts";
export { featuresOf } from "./features/cache.ts";
export type { FeatureNet, FeatureRequest, Features } from "./features/feature-net.ts";
export { openNetworkFile, type NetworkFile } from "./features/network-file.ts";
export { featureNet, featureNets, type NamedNet } from "./features/named-net.ts";
export { rawPixels } from "./features/raw.ts";
export { openRunData } from "./run-data.ts";
export { besideGrid } from "./pictures.ts";
export { demandPlace } from "./picture-files.ts";
export { sampleRun, type SampleRequest, type Samples } from "./sample.ts";
export {
  interpolateRun,
  type Interpolated,
  type InterpolateRequest,
} from "./latent/interpolate.ts";
export {
  mixRun,
  truncateRun,
  type MixRequest,
  type Table,
  type TruncateRequest,
} from "./latent/tables.ts";
export {
  projectRun,
  type Projected,
  type Projection,
  type ProjectRequest,
} from "./latent/project.ts";
export { editRun, type Edited, type EditRequest, type Effect } from "./latent/edit.ts";
export type { AttributeRequest } from "./latent/attribute.ts";
export type { DirectionRequest } from "./latent/direction.ts";
export {
  restoreRun,
  type Restoration,
  type Restored,
  type RestoreRequest,
} from "./latent/restore.ts";
export { openStyleRun, type StyleRun } from "./latent/style-run.ts";
export { importWeights, type Imported, type ImportRequest } from "./weights/import.ts";
export { readWeights } from "./weights/read.ts";
export type { StateDict } from "./weights/state-dict.ts";
export { buildModel, initialState, type Model } from "./model.ts";
export { Feeder, readField, type Cursors, type Feeds } from "./feeder.ts";
export { Enlarger } from "./upscale/enlarger.ts";
export { enlargedStrips } from "./upscale/strips.ts";
export { upscaleRun, type Upscaled, type UpscaleRequest } from "./upscale/upscale.ts";
export { translateRun, type Translated, type TranslateRequest } from "./translate.ts";
export { closeAll, openStreams, type OtherSet, type Streams } from "./streams.ts";
export type { Derivation, PairRequest } from "./data/pairs.ts";
export { openData } from "./data/open.ts";
export type { Hooks as DataHooks } from "./data/source.ts";
export { domainOf } from "./data/locate.ts";
export { checkData, type DataReport } from "./data/check.ts";
export { namedSets, type NamedSet } from "./data/named.ts";
export { toys } from "./data/toy.ts";
export type { DataRequest, Dataset, Field } from "./data/dataset.ts";
export { createSampler } from "./data/sampler.ts";
export * as random from "./random.ts";
export { findRun, listRuns, type RunInfo, type RunOptions } from "./run/runs.ts";
export { loadCheckpoint } from "./run/checkpoint.ts";
export { encodeImages, imageGrid, toBytes } from "./report/grid.ts";
export { pointPlot } from "./report/points.ts";
export { writeReport } from "./report/report.ts";
export { evaluate, type EvaluateRequest } from "./judge/evaluate.ts";
export type { Judgement } from "./judge/judgement.ts";
export { metrics } from "./judge/metric-table.ts";
export { featureKinds } from "./judge/features.ts";
export { writeJudgementPage } from "./report/judgement-page.ts";
export { compareRuns } from "./report/compare.ts";
export {
  conditionRows,
  scoreRows,
  type ComparedRun,
  type Comparison,
  type ConditionRows,
  type ScoreRows,
} from "./report/comparison.ts";
export type { Budget } from "./counters.ts";
export { takeRows, type Matrix, type Pair } from "./metrics/matrix.ts";
export { bootstrap, bootstrapMean, type Interval } from "./metrics/bootstrap.ts";
export { drawRows, halves } from "./metrics/draw.ts";
export { frechetByClass, frechetDistance, frechetOfMoments } from "./metrics/frechet.ts";
export { kernelDistance, type KernelDistance } from "./metrics/kernel.ts";
export {
  classScores,
  mixtureScores,
  stackedLabels,
  type ClassScores,
  type MixtureScores,
} from "./metrics/modes.ts";
export { mergeMoments, momentsOf, type Moments } from "./metrics/moments.ts";
export { neighbourScores, type NeighbourScores } from "./metrics/neighbours.ts";
export { inceptionScore, type InceptionScore } from "./metrics/inception.ts";
export {
  likelihood,
  logBernoulli,
  logNormal,
  logSumExp,
  type Likelihood,
} from "./metrics/likelihood.ts";
export {
  memorisation,
  nearestNeighbourAccuracy,
  type Memorisation,
  type NearestNeighbourAccuracy,
} from "./metrics/memorisation.ts";
export { pathLength, perceptualDistance, type LayerPair } from "./metrics/perceptual.ts";
export {
  inChannels,
  l1Distance,
  psnr,
  resizedBicubic,
  takePictures,
  type Pictures,
} from "./metrics/pictures.ts";
export { slicedDistance, type SlicedDistance } from "./metrics/sliced.ts";
export { msSsim, msSsimDiversity, ssim } from "./metrics/ssim.ts";
export { vaeLikelihood, type VaeRequest } from "./vae-likelihood.ts";
export {
  tune,
  type Trial,
  type TrialAt,
  type TuneHooks,
  type TuneRequest,
  type TuneResult,
} from "./tune/tune.ts";
export { readRange, type Range } from "./tune/space.ts";
export { stepsOfAll, type Round } from "./tune/halving.ts";
export { demandWritable, writeInto, writeWhole } from "./writing.ts";
