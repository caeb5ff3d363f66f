import { optimize } from "@duelo/core";
import type { HostTensor, Runtime, State } from "@duelo/runtime";
import {
  traceFunction,
  withBatch,
  type Context,
  type FunctionGraph,
  type Recipe,
} from "@duelo/zoo";
import { fillNoise, readFields, type Feeds } from "./feeder.ts";
import { classWatched, groupsOf, nWatched, spread } from "./pictures.ts";
import { streamOf } from "./random.ts";
import type { Pixels } from "./report/grid.ts";
import { streamName, type Streams } from "./streams.ts";

/** Rows of a grid of samples and what they are made from. */
const nRows = 8;

/** Makes the same samples again and again while a run goes on, from noise and records that stay fixed. */
export interface Watcher {
  /** Shape [n, ...] and values of the samples of the state as it is now. */
  sample(state: State): Promise<HostTensor>;
  /** Images that the samples are made from, to be drawn before them. */
  readonly before: readonly Pixels[];
  /** Images of the same records that the samples ought to be like. */
  readonly after: readonly Pixels[];
  close(): Promise<void>;
}

/**
 * Compiles the sampling of a recipe for one grid from fixed noise and fixed records. Drawn labels,
 * where there are any, go through the classes in turn, a row of each. Undefined where the recipe makes
 * no samples.
 */
export async function watch(options: {
  recipe: Recipe;
  context: Context;
  runtime: Runtime;
  seed: number;
  /** The data set of each stream. */
  streams: Streams;
}): Promise<Watcher | undefined> {
  const { recipe, runtime } = options;
  if (!Object.hasOwn(recipe.functions(options.context), "sample")) return undefined;
  const { before, after } = shown(recipe, options.context);
  const nPictures = before.length + after.length;
  const n = nPictures === 0 ? nWatched(options.context.nClasses) : nRows * groupsOf(nPictures + 1);
  const context = withBatch(options.context, n);
  const traced = traceFunction(recipe, context);
  const program = await runtime.compile(optimize(traced.graph), { name: `${recipe.name}.sample` });
  const records = (names: readonly string[]): Feeds =>
    readFields({ ...options, fields: recipe.data, names, places: (d) => spread(d.length, n) });
  const fixed = { ...records(traced.fields), ...fixedNoise({ ...options, traced, context }) };
  const pixels = (names: readonly string[]): Pixels[] => Object.values(records(names)).map(images);
  return {
    before: pixels(before),
    after: pixels(after),
    async sample(state) {
      const values = await state.read([...traced.state.values()]);
      const weights: Feeds = {};
      for (const [input, entry] of traced.state) {
        const value = values[entry];
        if (value !== undefined) weights[input] = value;
      }
      const { samples } = await program.run({ ...weights, ...fixed });
      if (samples === undefined) throw new TypeError("the sampling graph has no output");
      return samples;
    },
    close: () => program.close(),
  };
}

/** The image fields that samples are made from, and the other ones of the same records. */
function shown(recipe: Recipe, context: Context): { before: string[]; after: string[] } {
  const { fields } = traceFunction(recipe, context);
  const images = Object.entries(recipe.data).filter(([, f]) => f.domain === "image");
  const before = images.filter(([name]) => fields.includes(name));
  const streams = before.map(([, field]) => streamName(field));
  const after = images.filter(
    ([name, field]) => !fields.includes(name) && streams.includes(streamName(field)),
  );
  return { before: before.map(([name]) => name), after: after.map(([name]) => name) };
}

function fixedNoise(o: {
  traced: FunctionGraph;
  context: Context;
  seed: number;
  streams: Streams;
}): Feeds {
  const labelled = Object.values(o.streams).find((d) => d.fields["y"] !== undefined);
  const noise: Feeds = {};
  for (const [name, spec] of o.traced.noise) {
    const key = { seed: o.seed, stream: streamOf(`watch ${name}`), counter: 0 };
    noise[name] =
      spec.kind === "label"
        ? labelRows(o.context.batch, o.context.nClasses)
        : fillNoise(spec, key, labelled);
  }
  return noise;
}

/** A row of the grid for each class. */
function labelRows(n: number, nClasses: number): HostTensor {
  const data = Int32Array.from({ length: n }, (_, i) => classWatched(i, nClasses));
  return { dtype: "int32", shape: [n], data };
}

function images({ shape, data }: HostTensor): Pixels {
  const [n = 1, c = 1, h = 1, w = 1] = shape;
  return { pixels: Uint8Array.from(data), shape: [n, c, h, w], range: [0, 255] };
}
