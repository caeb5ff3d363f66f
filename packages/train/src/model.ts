import { optimize, sameShape, sizeOf, type Clock, type RandomSource } from "@duelo/core";
import type { HostTensor, Program, Runtime, State } from "@duelo/runtime";
import { traceStep, type Context, type Recipe, type StateSpec, type StepGraph } from "@duelo/zoo";
import { frozenState } from "./features/shipped.ts";
import type { Feeder, Feeds } from "./feeder.ts";
import { fillNormal, fillUniform, streamOf } from "./random.ts";

/** Numbers that a step wrote down, by name. */
export type Log = Record<string, number>;

/** A recipe compiled for training, with its state. */
export interface Model {
  readonly steps: readonly StepGraph[];
  readonly state: State;
  /** Names and beginnings of everything that is kept between steps. */
  readonly specs: ReadonlyMap<string, StateSpec>;
  /** Runs one step of every phase and returns what the last run of each wrote down. */
  step(feeder: Feeder, clock: Clock): Promise<Log>;
  close(): Promise<void>;
}

/**
 * Traces and compiles a recipe. The state is `saved` where that has an entry of the same name and
 * shape, and begins from `seed` elsewhere; frozen nets begin as they are.
 */
export async function buildModel(options: {
  recipe: Recipe;
  context: Context;
  runtime: Runtime;
  seed: number;
  saved?: Readonly<Record<string, HostTensor>>;
  /** Whether the steps write down the norms of gradients; they do unless said otherwise. */
  norms?: boolean;
}): Promise<Model> {
  const { recipe, context, runtime, seed, saved, norms = true } = options;
  const traced = traceStep(recipe, context, { norms });
  const steps = traced.map((s) => ({ ...s, graph: optimize(s.graph) }));
  const specs = new Map(steps.flatMap((s) => [...s.stateSpecs]));
  const state = runtime.createState({
    ...initialState(specs, seed),
    ...fitting(await frozenState(recipe, context), specs),
    ...fitting(saved ?? {}, specs),
  });
  const programs: Program[] = [];
  for (const [i, s] of steps.entries()) {
    programs.push(await runtime.compile(s.graph, { state: s.state, name: `${recipe.name}.${i}` }));
  }
  return {
    steps,
    state,
    specs,
    async step(feeder, clock) {
      const log: Log = {};
      for (const [i, s] of steps.entries()) {
        const times = typeof s.times === "function" ? s.times(clock) : (s.times ?? 1);
        for (let k = 0; k < times; k++) {
          const feeds: Feeds = feeder.next(i, s, context.batch, clock);
          const out = await programs[i]?.run(feeds, state);
          for (const name of s.logs) log[name] = Number(out?.[`log:${name}`]?.data[0]);
        }
      }
      return log;
    },
    async close() {
      for (const program of programs) await program.close();
    },
  };
}

/** The entries of `saved` that the model has too, with the same shape. */
function fitting(
  saved: Readonly<Record<string, HostTensor>>,
  specs: ReadonlyMap<string, StateSpec>,
): Record<string, HostTensor> {
  const fits = Object.entries(saved).filter(([name, value]) => {
    const spec = specs.get(name);
    return spec !== undefined && sameShape(spec.shape, value.shape);
  });
  return Object.fromEntries(fits);
}

/** Initial values, each from the seed and its own name, so that no order matters. */
export function initialState(
  specs: ReadonlyMap<string, StateSpec>,
  seed: number,
): Record<string, HostTensor> {
  const values: Record<string, HostTensor> = {};
  const make = (name: string, spec: StateSpec): Float32Array => {
    if (spec.init === "zeros") return new Float32Array(sizeOf(spec.shape));
    if (typeof spec.init === "function") return spec.init(spec.shape, randomFor(name, seed));
    const origin = specs.get(spec.init.copy);
    if (origin === undefined) throw new TypeError(`"${name}" copies what does not exist`);
    return make(spec.init.copy, origin);
  };
  for (const [name, spec] of specs) {
    values[name] = { dtype: "float32", shape: spec.shape, data: make(name, spec) };
  }
  return values;
}

function randomFor(name: string, seed: number): RandomSource {
  const stream = streamOf(`init ${name}`);
  let counter = 0;
  return {
    normal: (out) => fillNormal(out, { seed, stream, counter: counter++ }),
    uniform: (out) => fillUniform(out, { seed, stream, counter: counter++ }),
  };
}
