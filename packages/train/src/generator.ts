import { optimize, UserError } from "@duelo/core";
import type { HostTensor, Runtime, State } from "@duelo/runtime";
import {
  traceFunction,
  withBatch,
  type Context,
  type FunctionGraph,
  type Recipe,
} from "@duelo/zoo";
import type { Dataset } from "./data/dataset.ts";
import { fillNoise, readFields, type Feeds } from "./feeder.ts";
import { classWatched, groupsOf, nWatched, spread } from "./pictures.ts";
import { streamOf } from "./random.ts";
import { openStanding } from "./standing.ts";
import type { Pixels } from "./report/grid.ts";
import { firstOf, streamName, type Streams } from "./streams.ts";

/** Throws UserError for a recipe whose samples are made from records, or that makes none; `who` judges them. */
export function demandNoiseSamples(o: { recipe: Recipe; context: Context; who: string }): void {
  const { recipe, context, who } = o;
  const makes = Object.hasOwn(recipe.functions(context), "sample");
  if (makes && traceFunction(recipe, context).fields.length === 0) return;
  throw new UserError(
    `Recipe ${recipe.name} makes no samples from noise alone, so ${who} has nothing to judge.`,
  );
}

/** Batches for standing statistics that do for a look at a run: all of them cost as much as many steps. */
const nGlance = 10;

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
  /** Whether the samples are made from records. */
  readonly fromRecords: boolean;
  /** The set that the samples ought to be like: the other one, where they are made from one of two. */
  readonly target: Dataset;
  /** `n` other samples of it, from noise that is the same at every call; classes as in the data. */
  many(state: State, n: number): Promise<HostTensor>;
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
  const records = (names: readonly string[], places = evenly(n)): Feeds =>
    readFields({ ...options, fields: recipe.data, names, places });
  const noiseAt = (counter: number) => fixedNoise({ ...options, traced, context, counter });
  const fixed = { ...records(traced.fields), ...noiseAt(0) };
  const pixels = (names: readonly string[]): Pixels[] => Object.values(records(names)).map(images);
  const standing = await openStanding(options);
  const needs = [...new Set([...traced.state.values(), ...standing.needs])];
  const weightsOf = async (state: State, most?: number): Promise<Feeds> => {
    const read = await state.read(needs);
    const values = { ...read, ...(await standing.of(read, most === undefined ? {} : { most })) };
    const weights: Feeds = {};
    for (const [input, entry] of traced.state) {
      const value = values[entry];
      if (value !== undefined) weights[input] = value;
    }
    return weights;
  };
  const run = async (feeds: Feeds): Promise<HostTensor> => {
    const { samples } = await program.run(feeds);
    if (samples === undefined) throw new TypeError("the sampling graph has no output");
    return samples;
  };
  return {
    before: pixels(before),
    after: pixels(after),
    fromRecords: traced.fields.length > 0,
    target: targetOf(options, traced.fields),
    sample: async (state) => run({ ...(await weightsOf(state, nGlance)), ...fixed }),
    async many(state, nSamples) {
      const weights = await weightsOf(state);
      const parts: HostTensor[] = [];
      for (let from = 0; from < nSamples; from += n) {
        const given = records(traced.fields, following(from, n));
        parts.push(await run({ ...weights, ...given, ...noiseAt(parts.length + 1) }));
      }
      return firstRows(parts, nSamples);
    },
    async close() {
      await program.close();
      await standing.close();
    },
  };
}

function targetOf(o: { recipe: Recipe; streams: Streams }, fields: readonly string[]): Dataset {
  const used = fields.flatMap((name) => {
    const field = o.recipe.data[name];
    return field === undefined ? [] : [streamName(field)];
  });
  const others = Object.entries(o.streams).filter(([name]) => !used.includes(name));
  return (used.length > 0 ? others[0]?.[1] : undefined) ?? firstOf(o.streams);
}

type Places = (dataset: Dataset) => Int32Array;

/** `n` records evenly over a set. */
const evenly =
  (n: number): Places =>
  (dataset) =>
    spread(dataset.length, n);

/** `n` records from place `from` on, and from the start again where they end. */
const following =
  (from: number, n: number): Places =>
  (dataset) =>
    Int32Array.from({ length: n }, (_, i) => (from + i) % dataset.length);

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
  /** Number of the draw; the grid is 0, and has a row of each class. */
  counter: number;
}): Feeds {
  const labelled = Object.values(o.streams).find((d) => d.fields["y"] !== undefined);
  const noise: Feeds = {};
  for (const [name, spec] of o.traced.noise) {
    const key = { seed: o.seed, stream: streamOf(`watch ${name}`), counter: o.counter };
    noise[name] =
      spec.kind === "label" && o.counter === 0
        ? labelRows(o.context.batch, o.context.nClasses)
        : fillNoise(spec, key, labelled);
  }
  return noise;
}

/** The first `n` rows of batches of float32, one after the other. */
function firstRows(parts: readonly HostTensor[], n: number): HostTensor {
  const one = parts[0]?.shape.slice(1) ?? [];
  const size = one.reduce((a, b) => a * b, 1);
  const data = new Float32Array(n * size);
  let at = 0;
  for (const part of parts) {
    const values = Float32Array.from(part.data).subarray(0, data.length - at);
    data.set(values, at);
    at += values.length;
  }
  return { dtype: "float32", shape: [n, ...one], data };
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
