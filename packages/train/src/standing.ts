import { optimize } from "@duelo/core";
import { openRuntime, type HostTensor, type Runtime } from "@duelo/runtime";
import { traceStatistics, type Context, type Recipe } from "@duelo/zoo";
import { drawNoise } from "./draw-noise.ts";
import type { Feeds } from "./feeder.ts";
import { fillInts, streamOf } from "./random.ts";

type State = Readonly<Record<string, HostTensor>>;

/**
 * The state with the running statistics behind `sample` as means over `recipe.standing` batches of noise,
 * made with the averaged weights; every class is as likely as another. Other recipes' states as they are.
 * @param o.truncation normal noise within -t to t, as the samples will have
 */
export async function standingState(o: {
  recipe: Recipe;
  context: Context;
  state: State;
  truncation?: number | undefined;
  threads?: number | undefined;
}): Promise<State> {
  if (o.recipe.standing === undefined) return o.state;
  const runtime = await openRuntime(o.threads === undefined ? {} : { threads: o.threads });
  try {
    const standing = await openStanding({ ...o, runtime });
    return { ...o.state, ...(await standing.of(o.state, { truncation: o.truncation })) };
  } finally {
    await runtime.close();
  }
}

interface StandingOptions {
  readonly truncation?: number | undefined;
  /** Batches at most; all of `recipe.standing` unless said otherwise. */
  readonly most?: number;
}

/** The statistics of `standingState` again and again, as entries of a state; none for other recipes. */
export interface Standing {
  /** Entries of the state that they are made of. */
  readonly needs: readonly string[];
  of(state: State, o?: StandingOptions): Promise<State>;
  close(): Promise<void>;
}

export async function openStanding(o: {
  recipe: Recipe;
  context: Context;
  runtime: Runtime;
}): Promise<Standing> {
  const { recipe, context, runtime } = o;
  const { standing: nBatches } = recipe;
  if (nBatches === undefined)
    return { needs: [], of: () => Promise.resolve({}), close: () => Promise.resolve() };
  const traced = traceStatistics(recipe, context);
  const program = await runtime.compile(optimize(traced.graph), {
    name: `${recipe.name}.standing`,
  });
  const of = async (
    state: State,
    { truncation, most = nBatches }: StandingOptions = {},
  ): Promise<State> => {
    const weights: Feeds = {};
    for (const [input, entry] of traced.state) {
      const value = state[entry];
      if (value === undefined) throw new TypeError(`no state entry "${entry}"`);
      weights[input] = value;
    }
    let statistics: Feeds = {};
    for (let k = 0; k < Math.min(most, nBatches); k++) {
      const noise: Feeds = {
        momentum: { dtype: "float32", shape: [], data: Float32Array.of(1 / (k + 1)) },
      };
      for (const [name, { kind, shape, ...bounds }] of traced.noise) {
        const [n = 1, ...each] = shape;
        if (kind === "label") noise[name] = anyClass({ n, nClasses: context.nClasses, k });
        else {
          const input = { name: `standing ${k} ${name}`, kind, shape: each, ...bounds };
          noise[name] = drawNoise({ input, n, seed: 0, truncation });
        }
      }
      const moved = await program.run({ ...weights, ...statistics, ...noise });
      statistics = Object.fromEntries(
        Object.entries(traced.next).flatMap(([name, output]) => {
          const value = moved[output];
          return value === undefined ? [] : [[name, value] as const];
        }),
      );
    }
    return statistics;
  };
  return { needs: [...traced.state.values()], of, close: () => program.close() };
}

function anyClass(o: { n: number; nClasses: number; k: number }): HostTensor {
  const data = new Int32Array(o.n);
  fillInts(data, o.nClasses, { seed: 0, stream: streamOf("standing classes"), counter: o.k });
  return { dtype: "int32", shape: [o.n], data };
}
