import { optimize, print, sizeOf, topological } from "@duelo/core";
import { estimateMemory } from "@duelo/runtime";
import { traceStep, type Context, type Recipe } from "@duelo/zoo";
import type { Hooks as DataHooks } from "./data/source.ts";
import type { Budget } from "./counters.ts";
import { closeAll, firstOf } from "./streams.ts";
import { contextFor, openFor, resolveRequest, type TrainRequest } from "./request.ts";

/** What a training would do, without doing it. */
export interface Plan {
  readonly recipe: string;
  readonly preset: string;
  readonly options: Readonly<Record<string, number | string | boolean>>;
  readonly budget: Budget;
  readonly data: {
    readonly name: string;
    readonly nRecords: number;
    readonly shape: readonly number[];
    readonly nClasses: number;
  };
  /** Trained numbers of each net. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Compiled graphs of one step, in order. */
  readonly graphs: readonly {
    readonly updates: readonly string[];
    readonly nNodes: number;
    /** State, batch and the largest set of values alive at once. */
    readonly peakBytes: number;
  }[];
  /** Parameters, optimiser slots, averages and buffers. */
  readonly stateBytes: number;
}

/** Resolves a request, opens its data and traces its graphs. Throws UserError. */
export async function plan(request: TrainRequest, hooks: DataHooks = {}): Promise<Plan> {
  const resolved = resolveRequest(request);
  const streams = await openFor(resolved, hooks);
  closeAll(streams);
  const dataset = firstOf(streams);
  const context = contextFor(resolved, streams);
  const steps = traceStep(resolved.recipe, context);
  const specs = new Map(steps.flatMap((s) => [...s.stateSpecs]));
  const parameters: Record<string, number> = {};
  let stateBytes = 0;
  for (const [name, spec] of specs) {
    stateBytes += 4 * sizeOf(spec.shape);
    const net = name.slice(0, name.indexOf("."));
    if (spec.kind === "param") parameters[net] = (parameters[net] ?? 0) + sizeOf(spec.shape);
  }
  return {
    recipe: resolved.recipe.name,
    preset: resolved.presetName,
    options: resolved.options,
    budget: resolved.budget,
    data: {
      name: dataset.name,
      nRecords: dataset.length,
      shape: dataset.fields["x"]?.shape ?? [],
      nClasses: dataset.classes?.length ?? 0,
    },
    parameters,
    graphs: steps.map((s) => {
      const graph = optimize(s.graph);
      const nNodes = topological(Object.values(graph.outputs)).length;
      return { updates: s.updates, nNodes, peakBytes: estimateMemory(graph) };
    }),
    stateBytes,
  };
}

/** The optimised graphs of one step as text, of those phases that train `net` (all without it). */
export function printPhases(request: { recipe: Recipe; context: Context; net?: string }): string[] {
  const steps = traceStep(request.recipe, request.context);
  const chosen = steps.filter((s) => request.net === undefined || s.updates.includes(request.net));
  return chosen.map((s) => print(optimize(s.graph)));
}
