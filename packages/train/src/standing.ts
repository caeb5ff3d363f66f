import { optimize } from "@duelo/core";
import { openRuntime, type HostTensor } from "@duelo/runtime";
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
}): Promise<State> {
  const { recipe, context, state, truncation } = o;
  if (recipe.standing === undefined) return state;
  const traced = traceStatistics(recipe, context);
  const weights: Feeds = {};
  for (const [input, entry] of traced.state) {
    const value = state[entry];
    if (value === undefined) throw new TypeError(`no state entry "${entry}"`);
    weights[input] = value;
  }
  const runtime = await openRuntime();
  try {
    const program = await runtime.compile(optimize(traced.graph));
    let statistics: Feeds = {};
    for (let k = 0; k < recipe.standing; k++) {
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
    return { ...state, ...statistics };
  } finally {
    await runtime.close();
  }
}

function anyClass(o: { n: number; nClasses: number; k: number }): HostTensor {
  const data = new Int32Array(o.n);
  fillInts(data, o.nClasses, { seed: 0, stream: streamOf("standing classes"), counter: o.k });
  return { dtype: "int32", shape: [o.n], data };
}
