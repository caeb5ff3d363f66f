export { findRecipe, recipes } from "./registry.ts";
export { choice, findOption, flag, int, number, readOption, resolveOptions } from "./options.ts";
export type { OptionSpec, OptionTable, OptionValue } from "./options.ts";
export { image, label, recipe, vector, withBatch } from "./recipe.ts";
export type {
  BoundNets,
  Context,
  DataTable,
  FieldSpec,
  ImageField,
  InputTensors,
  LookAhead,
  NetFunction,
  Phase,
  PhaseResult,
  Preset,
  Recipe,
  Stage,
} from "./recipe.ts";
export { nameMaps, nameMapsFor, type NameMap } from "./name-maps.ts";
export { featureNames, type FeatureName } from "./blocks/features.ts";
export { traceFeatures, traceFunction, traceStatistics, traceStep } from "./trace.ts";
export type { FunctionGraph, StateSpec, StepGraph } from "./trace.ts";
