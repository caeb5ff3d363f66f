import { suggestion, UserError, type Shape } from "@duelo/core";
import {
  findRecipe,
  resolveOptions,
  type Context,
  type ImageField,
  type OptionValue,
  type Preset,
  type Recipe,
} from "@duelo/zoo";
import { checkBudget, type Budget } from "./counters.ts";
import type { EvaluationPlan } from "./evaluation.ts";
import type { DataRequest } from "./data/dataset.ts";
import type { Hooks as DataHooks } from "./data/source.ts";
import {
  datasetField,
  firstOf,
  openStreams,
  streamName,
  streamRequests,
  type OtherSet,
  type Streams,
} from "./streams.ts";

/** What a user asks for; everything left out has a stated default. */
export interface TrainRequest extends OtherSet {
  /** A recipe of the zoo by name, or one of your own. */
  readonly recipe: string | Recipe;
  /** A named set or a path; see `openData`. */
  readonly data: string;
  /** `small` unless said otherwise (or the recipe's first). */
  readonly preset?: string;
  /** Options by name, over the preset's. */
  readonly set?: Readonly<Record<string, OptionValue>>;
  /** Pixels; the preset's or the recipe's own unless said otherwise. */
  readonly height?: number;
  readonly width?: number;
  readonly channels?: 1 | 3 | 4;
  readonly fit?: NonNullable<DataRequest["fit"]>;
  readonly background?: string;
  /** Mirror images; the recipe's own choice unless said otherwise. */
  readonly flip?: boolean;
  /** Pixels by which pictures are decoded larger, to be cut at random places; the recipe's own. */
  readonly jitter?: number;
  readonly limit?: number;
  /** See `DataRequest`. */
  readonly holdOut?: number;
  readonly select?: Readonly<Record<string, string>>;
  /** The preset's steps unless said otherwise. */
  readonly budget?: Budget;
  /** 0 to 2^53 - 1; 0 unless said otherwise. */
  readonly seed?: number;
  readonly device?: "cpu" | "webgpu" | "cuda";
  readonly threads?: number;
  /** Judges the samples every so often while training, and keeps the best checkpoint. */
  readonly evaluate?: EvaluationPlan;
  /** Begins another run where the same request would go on with an earlier one. */
  readonly fresh?: boolean;
  /** Seconds between two checkpoints; 60 unless said otherwise. Does not change what is trained. */
  readonly checkpointSeconds?: number;
  /**
   * What follows when weights or losses run away or become no numbers: the run ends (unless said
   * otherwise), or goes back to its last safe point with a quarter of the learning rate, three times at
   * most.
   */
  readonly onDivergence?: "stop" | "rollback";
  /**
   * The share of the time that looking at samples may take, 0 to 1; 0.03 unless said otherwise. Does not
   * change what is trained.
   */
  readonly probeShare?: number;
  /** Folder of run folders; `runs` unless said otherwise. */
  readonly runs?: string;
  /** Where decoded data is kept. */
  readonly cacheDir: string;
}

/** A set for a request of a recipe, and the same as its other set where it trains on two. */
export function sameForBoth(
  recipe: TrainRequest["recipe"],
  data: string,
): OtherSet & { data: string } {
  const fields = (typeof recipe === "string" ? findRecipe(recipe) : recipe).data;
  const nStreams = new Set(Object.values(fields).map(streamName)).size;
  return { data, ...(nStreams > 1 ? { to: data } : {}) };
}

/** A request with every choice made. */
export interface Resolved {
  readonly recipe: Recipe;
  readonly presetName: string;
  readonly preset: Preset;
  readonly options: Readonly<Record<string, OptionValue>>;
  /** What is asked of each stream of data, in the recipe's order. */
  readonly data: Readonly<Record<string, DataRequest>>;
  readonly budget: Budget;
  readonly seed: number;
  readonly device: "cpu" | "webgpu" | "cuda";
  readonly evaluate?: EvaluationPlan;
  readonly onDivergence: "stop" | "rollback";
}

/** Makes every choice of a request that needs no data. Throws UserError. */
export function resolveRequest(request: TrainRequest): Resolved {
  const recipe = typeof request.recipe === "string" ? findRecipe(request.recipe) : request.recipe;
  const names = Object.keys(recipe.presets);
  const presetName = request.preset ?? (names.includes("small") ? "small" : (names[0] ?? ""));
  const preset = Object.hasOwn(recipe.presets, presetName) ? recipe.presets[presetName] : undefined;
  if (preset === undefined) {
    throw new UserError(
      `Recipe ${recipe.name} has no preset "${presetName}".${suggestion(presetName, names)} Presets: ${names.join(", ")}.`,
    );
  }
  const options = resolveOptions(recipe.options, { ...defined(preset.options), ...request.set });
  return {
    recipe,
    presetName,
    preset,
    options,
    data: streamRequests(recipe, dataRequest(recipe, preset, request), request),
    budget: checkBudget(request.budget ?? { steps: preset.steps }),
    seed: request.seed ?? 0,
    device: request.device ?? "cpu",
    ...(request.evaluate === undefined ? {} : { evaluate: request.evaluate }),
    onDivergence: request.onDivergence ?? "stop",
  };
}

function dataRequest(recipe: Recipe, preset: Preset, request: TrainRequest): DataRequest {
  const fields = Object.values(recipe.data);
  const image = fields.find((f): f is ImageField => f.domain === "image");
  const size = preset.size ?? image?.size;
  const label = fields.find((f) => f.domain === "label");
  const pixels =
    image === undefined || size === undefined
      ? {}
      : {
          height: request.height ?? request.width ?? size[0],
          width: request.width ?? request.height ?? size[1],
        };
  const channels = request.channels ?? image?.channels;
  const flip = request.flip ?? image?.flip;
  const side = Math.min(pixels.height ?? 0, pixels.width ?? 0);
  const jitter = request.jitter ?? Math.round(side * (image?.jitter ?? 0));
  return {
    spec: request.data,
    domain: image === undefined ? "vector" : "image",
    ...pixels,
    ...(channels === undefined ? {} : { channels }),
    labels: label === undefined ? "ignore" : label.optional === true ? "use" : "require",
    cacheDir: request.cacheDir,
    ...(request.fit === undefined ? {} : { fit: request.fit }),
    ...(request.background === undefined ? {} : { background: request.background }),
    ...(flip === undefined ? {} : { flip }),
    ...(jitter === 0 ? {} : { jitter }),
    ...(request.limit === undefined ? {} : { limit: request.limit }),
    ...(request.holdOut === undefined ? {} : { holdOut: request.holdOut }),
    ...(request.select === undefined ? {} : { select: request.select }),
  };
}

/** Opens the data of a resolved request and checks that the recipe's nets can take it. */
export const openFor = (resolved: Resolved, hooks: DataHooks): Promise<Streams> =>
  openStreams(resolved.recipe, resolved.data, resolved.options, hooks);

function defined(options: Preset["options"]): Record<string, OptionValue> {
  const entries = Object.entries(options ?? {});
  return Object.fromEntries(
    entries.flatMap(([k, v]) => (v === undefined ? [] : [[k, v] as const])),
  );
}

/** What the recipe is traced with. */
export function contextFor(resolved: Resolved, streams: Streams): Context {
  const shape: Record<string, Shape> = {};
  for (const name of Object.keys(resolved.recipe.data)) {
    const found = datasetField(resolved.recipe.data, streams, name);
    if (found !== undefined) shape[name] = found.shape;
  }
  const batch = resolved.options["batch"];
  return {
    ...resolved.options,
    batch: typeof batch === "number" ? batch : 64,
    shape,
    nClasses: firstOf(streams).classes?.length ?? 0,
  } as Context;
}
