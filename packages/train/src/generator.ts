import { optimize } from "@duelo/core";
import type { HostTensor, Runtime, State } from "@duelo/runtime";
import { traceSample, withBatch, type Context, type Recipe } from "@duelo/zoo";
import type { Dataset } from "./data/dataset.ts";
import { fillNoise, type Feeds } from "./feeder.ts";
import { classWatched, nWatched } from "./pictures.ts";
import { streamOf } from "./random.ts";

/** Makes the same samples again and again while a run goes on, from noise that stays fixed. */
export interface Watcher {
  /** Shape [n, ...] and values of the samples of the state as it is now. */
  sample(state: State): Promise<HostTensor>;
  close(): Promise<void>;
}

/**
 * Compiles the sampling of a recipe for one grid from fixed noise. Labels, where there are any, go
 * through the classes in turn, a row of each.
 */
export async function watch(options: {
  recipe: Recipe;
  context: Context;
  runtime: Runtime;
  seed: number;
  dataset: Dataset;
}): Promise<Watcher> {
  const { recipe, runtime, seed, dataset } = options;
  const context = withBatch(options.context, nWatched(options.context.nClasses));
  const traced = traceSample(recipe, context);
  const program = await runtime.compile(optimize(traced.graph), { name: `${recipe.name}.sample` });
  const noise: Feeds = {};
  for (const [name, spec] of traced.noise) {
    const key = { seed, stream: streamOf(`watch ${name}`), counter: 0 };
    noise[name] =
      spec.kind === "label" ? labelRows(context.nClasses) : fillNoise(spec, key, dataset);
  }
  return {
    async sample(state) {
      const values = await state.read([...traced.state.values()]);
      const weights: Feeds = {};
      for (const [input, entry] of traced.state) {
        const value = values[entry];
        if (value !== undefined) weights[input] = value;
      }
      const { samples } = await program.run({ ...weights, ...noise });
      if (samples === undefined) throw new TypeError("the sampling graph has no output");
      return samples;
    },
    close: () => program.close(),
  };
}

/** A row of the grid for each class. */
function labelRows(nClasses: number): HostTensor {
  const n = nWatched(nClasses);
  const data = Int32Array.from({ length: n }, (_, i) => classWatched(i, nClasses));
  return { dtype: "int32", shape: [n], data };
}
