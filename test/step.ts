import { inputName, interpret, sizeOf, type Graph } from "@duelo/core";
import { initialState } from "@duelo/train";
import { traceStep, type Context, type Recipe, type StateSpec, type StepGraph } from "@duelo/zoo";

export type Values = Record<string, ArrayLike<number>>;

/** One training step of a recipe as it is traced; the passes come before ONNX Runtime alone. */
export interface Step {
  readonly graphs: readonly StepGraph[];
  readonly specs: ReadonlyMap<string, StateSpec>;
}

export function traced(recipe: Recipe, context: Context): Step {
  const graphs = traceStep(recipe, context);
  return { graphs, specs: new Map(graphs.flatMap((g) => [...g.stateSpecs])) };
}

/** The state in which a run of `seed` begins. */
export function begun(step: Step, seed: number): Values {
  const state = initialState(step.specs, seed);
  return Object.fromEntries(Object.entries(state).map(([name, t]) => [name, t.data]));
}

/** Runs one graph of a step: its outputs by name, and the state that follows. */
export function runGraph(
  { graph, state }: Pick<StepGraph, "graph" | "state">,
  before: Values,
  feeds: Values,
): { outputs: Values; after: Values } {
  const results = interpret(graph, { ...before, ...feeds });
  const outputs = Object.fromEntries(Object.entries(results).map(([name, v]) => [name, v.data]));
  const moved = Object.entries(state).map(([name, next]) => [name, outputs[next] ?? []] as const);
  return { outputs, after: { ...before, ...Object.fromEntries(moved) } };
}

/** Number of elements of each input. */
export const sizes = (graph: Graph): Record<string, number> =>
  Object.fromEntries(graph.inputs.map((t) => [inputName(t), sizeOf(t.shape)]));
