import type { Runtime } from "@duelo/runtime";
import { buildModel, Feeder, functionOnnx, random } from "@duelo/train";
import {
  findRecipe,
  resolveOptions,
  type Context,
  type OptionValue,
  type Recipe,
} from "@duelo/zoo";
import { benchRecords } from "./records.ts";

/** One timed unit of work, set up. */
export interface Work {
  run(): Promise<void>;
  /** Trained numbers of all nets. */
  readonly params: number;
}

interface Training {
  readonly recipe: string;
  readonly set: Readonly<Record<string, OptionValue>>;
  readonly shape: readonly number[];
  /** Leaves out the phases after the first. */
  readonly firstPhaseOnly?: boolean;
}

/** Names and work are those of bench/torch/peer.py. */
export const cases: Readonly<Record<string, (runtime: Runtime) => Promise<Work>>> = {
  "dcgan64-w64": training({ recipe: "dcgan", set: { width: 64, batch: 64 }, shape: [3, 64, 64] }),
  "dcgan64-w32": training({ recipe: "dcgan", set: { width: 32, batch: 64 }, shape: [3, 64, 64] }),
  "wgan-gp-critic": training({
    recipe: "wgan-gp",
    set: { width: 64, nCritic: 1 },
    shape: [3, 32, 32],
    firstPhaseOnly: true,
  }),
  ring8: training({ recipe: "gan-2d", set: {}, shape: [2] }),
  "sample-dcgan64": sampling,
};

function contextOf({ recipe, set, shape }: Training): { recipe: Recipe; context: Context } {
  const found = findRecipe(recipe);
  const options = resolveOptions(found.options, set);
  const context = { ...options, shape: { x: shape }, nClasses: 0 } as unknown as Context;
  return { recipe: found, context };
}

function training(t: Training): (runtime: Runtime) => Promise<Work> {
  return async (runtime) => {
    const { recipe: whole, context } = contextOf(t);
    const recipe: Recipe = t.firstPhaseOnly
      ? { ...whole, phases: (c) => whole.phases(c).slice(0, 1) }
      : whole;
    const model = await buildModel({ recipe, context, runtime, seed: 0 });
    const streams = { data: await benchRecords(t.shape) };
    const feeder = new Feeder({ seed: 0, fields: recipe.data, streams });
    let step = 0;
    return {
      params: [...model.specs.values()]
        .filter((s) => s.kind === "param")
        .reduce((n, s) => n + s.shape.reduce((a, b) => a * b, 1), 0),
      async run() {
        await model.step(feeder, { step, nImages: step * context.batch, progress: 0 });
        step++;
      },
    };
  };
}

async function sampling(runtime: Runtime): Promise<Work> {
  const { recipe, context } = contextOf({ recipe: "dcgan", set: {}, shape: [3, 64, 64] });
  const model = await buildModel({ recipe, context, runtime, seed: 0 });
  const state = await model.state.read();
  const { bytes } = functionOnnx({ recipe, context, state, step: 0, classes: [] });
  await model.close();
  const program = await runtime.load(bytes);
  let counter = 0;
  return {
    params: 0,
    async run() {
      const data = new Float32Array(100);
      random.fillNormal(data, { seed: 0, stream: 1, counter: counter++ });
      await program.run({ z: { dtype: "float32", shape: [1, 100], data } });
    },
  };
}
