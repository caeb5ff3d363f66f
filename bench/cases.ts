import type { HostTensor, Runtime } from "@duelo/runtime";
import {
  buildModel,
  Enlarger,
  enlargedStrips,
  Feeder,
  functionOnnx,
  initialState,
  random,
} from "@duelo/train";
import {
  findRecipe,
  resolveOptions,
  traceStep,
  type Context,
  type OptionValue,
  type Recipe,
} from "@duelo/zoo";
import { benchRecords, withClasses } from "./records.ts";

/** One timed unit of work, set up. */
export interface Work {
  run(): Promise<void>;
  /** Trained numbers of all nets. */
  readonly params: number;
}

interface System {
  readonly recipe: string;
  readonly set: Readonly<Record<string, OptionValue>>;
  /** Of a record of every field but labels. */
  readonly shape: readonly number[];
  readonly nClasses?: number;
}
interface Training extends System {
  /** Leaves out the phases after the first. */
  readonly firstPhaseOnly?: boolean;
  /** Steps in one unit of work; 1 unless said otherwise. */
  readonly steps?: number;
}

const styles = {
  recipe: "stylegan2",
  set: {
    batch: 16,
    zDim: 64,
    wDim: 64,
    mapLayers: 2,
    base: 2048,
    maxChannels: 64,
    augment: "none",
  },
  shape: [3, 32, 32],
} as const;

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
  "sample-dcgan64": sampling({ recipe: "dcgan", set: {}, shape: [3, 64, 64] }),
  "stylegan2-32": training({ ...styles, set: { ...styles.set, gamma: 0, pathWeight: 0 } }),
  "stylegan2-32-lazy": training({ ...styles, steps: 16 }),
  cyclegan64: training({
    recipe: "cyclegan",
    set: { widthG: 32, widthD: 32, blocks: 6, batch: 1 },
    shape: [3, 64, 64],
  }),
  biggan32: training({
    recipe: "biggan",
    set: { width: 32, batch: 32, nCritic: 1, attention: 0 },
    shape: [3, 32, 32],
    nClasses: 10,
  }),
  "upscale-512": upscaling,
  "sample-stylegan2-64": sampling({ ...styles, shape: [3, 64, 64] }),
};

function contextOf({ recipe, set, shape, nClasses = 0 }: System): {
  recipe: Recipe;
  context: Context;
} {
  const found = findRecipe(recipe);
  const shapes = Object.entries(found.data).map(([name, f]) => [
    name,
    f.domain === "label" ? [] : shape,
  ]);
  const context = {
    ...resolveOptions(found.options, set),
    ...{ shape: Object.fromEntries(shapes) as Context["shape"], nClasses },
  } as unknown as Context;
  return { recipe: found, context };
}

function training(t: Training): (runtime: Runtime) => Promise<Work> {
  return async (runtime) => {
    const { recipe: whole, context } = contextOf(t);
    const recipe: Recipe = t.firstPhaseOnly
      ? { ...whole, phases: (c) => whole.phases(c).slice(0, 1) }
      : whole;
    const model = await buildModel({ recipe, context, runtime, seed: 0 });
    const plain = await benchRecords(t.shape);
    const data = t.nClasses === undefined ? plain : withClasses(plain, t.nClasses);
    const names = Object.values(recipe.data).map((f) => f.stream ?? "data");
    const streams = Object.fromEntries(names.map((name) => [name, data]));
    const feeder = new Feeder({ seed: 0, fields: recipe.data, streams });
    let step = 0;
    return {
      params: [...model.specs.values()]
        .filter((s) => s.kind === "param")
        .reduce((n, s) => n + s.shape.reduce((a, b) => a * b, 1), 0),
      async run() {
        for (let i = 0; i < (t.steps ?? 1); i++, step++)
          await model.step(feeder, { step, nImages: step * context.batch, progress: 0 });
      },
    };
  };
}

/** A recipe as a run of it begins. */
function begun(system: System) {
  const { recipe, context } = contextOf(system);
  const specs = new Map(traceStep(recipe, context).flatMap((s) => [...s.stateSpecs]));
  return { recipe, context, state: initialState(specs, 0), step: 0, classes: [], untrained: [] };
}

/** One sample at a time, from noise that is drawn anew. */
function sampling(system: System): (runtime: Runtime) => Promise<Work> {
  return async (runtime) => {
    const { bytes, card } = functionOnnx(begun(system));
    const program = await runtime.load(bytes);
    let counter = 0;
    return {
      params: 0,
      async run() {
        const feeds: Record<string, HostTensor> = {};
        for (const [stream, { name, shape }] of card.inputs.entries()) {
          const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
          random.fillNormal(data, { seed: 0, stream, counter });
          feeds[name] = { dtype: "float32", shape: [1, ...shape], data };
        }
        counter++;
        await program.run(feeds);
      },
    };
  };
}

/** A picture of 512x512 to 2048x2048 by the small ESRGAN, as `duelo upscale` does it between its files. */
async function upscaling(): Promise<Work> {
  const set = { widthG: 24, growth: 12, blocks: 2, widthD: 16 }; // as in the preset "small"
  const trained = begun({ recipe: "esrgan", set, shape: [3, 64, 64] });
  const enlarger = await Enlarger.open(trained, 2);
  if (enlarger === undefined) throw new TypeError("esrgan makes pictures larger");
  const data = new Uint8Array(512 * 512 * 3);
  random.fillWords(new Uint32Array(data.buffer), { seed: 0, stream: 0, counter: 0 });
  const picture = { data, height: 512, width: 512, channels: 3 } as const;
  return {
    params: 0,
    async run() {
      for await (const strip of enlargedStrips(picture, { enlarger })) void strip;
    },
  };
}
