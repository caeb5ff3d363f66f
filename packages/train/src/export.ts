import { optimize, toOnnx, UserError } from "@duelo/core";
import { readFile } from "node:fs/promises";
import {
  findRecipe,
  recipes,
  traceFunction,
  withBatch,
  type Context,
  type FunctionGraph,
  type Recipe,
} from "@duelo/zoo";
import type { HostTensor } from "@duelo/runtime";
import { metadataOf, signatureOf, type FunctionCard } from "./function-card.ts";
import { demandState, loadCheckpoint } from "./run/checkpoint.ts";
import { bestName, type RunFolder } from "./run/folder.ts";
import { findRun, type RunInfo } from "./run/runs.ts";
import { standingState } from "./standing.ts";
import { demandWritable, writeWhole } from "./writing.ts";

export const generatorName = "G.onnx";

/**
 * A function of a run (`sample`, the generator, unless said otherwise) as one ONNX file: averaged
 * weights inside, a free batch size, and metadata that says how to feed it. Throws UserError when the
 * recipe has no such function.
 */
export function functionOnnx(options: {
  recipe: Recipe;
  context: Context;
  state: Readonly<Record<string, HostTensor>>;
  step: number;
  classes: readonly string[];
  function?: string;
  /** Nets that no weights are known of. */
  untrained?: readonly string[];
}): { bytes: Uint8Array; card: FunctionCard } {
  const { recipe, context, state, step, classes, function: name = "sample" } = options;
  const traceAt = (batch: number) => {
    const traced = traceFunction(recipe, withBatch(context, batch), name);
    return { ...traced, graph: optimize(traced.graph) };
  };
  const traced = traceAt(5);
  const what = `Function ${name} of ${recipe.name}`;
  demandWeights({ what, nets: netsIn(traced), untrained: options.untrained });
  const initializers: Record<string, Float32Array> = {};
  for (const [input, entry] of traced.state) {
    const value = state[entry];
    if (!(value?.data instanceof Float32Array)) throw new TypeError(`no state entry "${entry}"`);
    initializers[input] = value.data;
  }
  const signature = signatureOf({ recipe, context, name, traced });
  const card = { recipe: recipe.name, function: name, step, classes, ...signature };
  const bytes = toOnnx(traced.graph, {
    name: `${recipe.name}.${name === "sample" ? "G" : name}`,
    initializers,
    freeBatch: { other: traceAt(7).graph },
    metadata: metadataOf(card),
  });
  return { bytes, card };
}

/** Throws UserError for a net that no weights were imported of. */
export function demandWeights(o: {
  what: string;
  nets: readonly string[];
  untrained: readonly string[] | undefined;
}): void {
  const chance = o.nets.find((net) => o.untrained?.includes(net));
  if (chance === undefined) return;
  throw new UserError(
    `${o.what} needs net ${chance}, and no weights of it were imported. Import them too: ${chance}=FILE.`,
  );
}

/** The nets whose weights a function is made of. */
export const netsIn = ({ state }: FunctionGraph): string[] => [
  ...new Set([...state.keys()].map((entry) => entry.slice(0, entry.indexOf(".")))),
];

/** Writes `G.onnx` into a run that is being trained and says how it is fed. */
export async function writeGenerator(options: {
  run: RunFolder;
  recipe: Recipe;
  context: Context;
  state: Readonly<Record<string, HostTensor>>;
  step: number;
}): Promise<FunctionCard> {
  const classes = options.run.options["classes"] as readonly string[];
  const state = await standingState(options);
  const { bytes, card } = functionOnnx({ ...options, state, classes });
  await options.run.write(generatorName, bytes);
  return card;
}

/** A run at a checkpoint: what its functions are traced from. */
export interface Trained {
  readonly info: RunInfo;
  readonly recipe: Recipe;
  readonly context: Context;
  readonly state: Readonly<Record<string, HostTensor>>;
  readonly classes: readonly string[];
  readonly step: number;
  /** Nets of an imported run that no weights were given for. */
  readonly untrained: readonly string[];
}

/** A trained run, and how to run it. */
export interface RunChoice {
  /** Folder of run folders; `runs` unless said otherwise. */
  readonly runs?: string;
  /** Number, name, `latest`, or the path of a run folder. */
  readonly run: string;
  /** The best checkpoint in place of the last. */
  readonly best?: boolean;
  /** The recipe, when it is not one of the zoo. */
  readonly recipe?: Recipe;
  readonly threads?: number;
}

export interface TrainedRequest extends Omit<RunChoice, "threads"> {
  readonly runs: string;
}

/**
 * A function of a run at its last checkpoint as an ONNX file; `sample` unless said otherwise. `recipe`
 * is needed for a recipe that is not in the zoo. Throws UserError.
 */
export async function readFunction(
  request: TrainedRequest & {
    readonly function?: string;
    /** Of the normal noise that it will be fed with; see `standing` of recipes. */
    readonly truncation?: number | undefined;
    readonly threads?: number | undefined;
  },
): Promise<{ bytes: Uint8Array; info: RunInfo }> {
  const { function: name = "sample" } = request;
  const info = await findRun({ root: request.runs, run: request.run });
  if (recipeOf(request, info) === undefined && name === "sample" && request.best !== true) {
    const bytes = await readFile(`${info.dir}/${generatorName}`).catch(() => undefined);
    if (bytes !== undefined) return { bytes, info };
  }
  const { truncation, threads } = request;
  const trained = await readTrained(request);
  return { bytes: await functionOf(trained, { function: name, truncation, threads }), info };
}

/** The same of what `readTrained` gave. */
export async function functionOf(
  trained: Trained,
  o: {
    readonly function?: string | undefined;
    readonly truncation?: number | undefined;
    readonly threads?: number | undefined;
  },
): Promise<Uint8Array> {
  const { function: name = "sample", truncation, threads } = o;
  const state =
    name === "sample" ? await standingState({ ...trained, truncation, threads }) : trained.state;
  return functionOnnx({ ...trained, state, function: name }).bytes;
}

/** The recipe of a run: the one given, or that of the zoo; undefined where neither is there. */
export const recipeOf = (given: Pick<RunChoice, "recipe">, info: RunInfo): Recipe | undefined =>
  given.recipe ?? recipes.find((r) => r.name === info.options.recipe);

/**
 * Reads a run's last checkpoint. Throws UserError when there is none, it is of another run, or its
 * recipe is not known.
 */
export async function readTrained(request: TrainedRequest): Promise<Trained> {
  const info = await findRun({ root: request.runs, run: request.run });
  const recipe = recipeOf(request, info) ?? findRecipe(info.options.recipe); // says that there is none
  const best = request.best === true;
  const dir = best ? `${info.dir}/${bestName}` : info.dir;
  const checkpoint = await loadCheckpoint({ dir, expect: info.options });
  if (checkpoint === undefined && best) {
    throw new UserError(
      `Run ${info.name} has no best checkpoint: train with --eval-every STEPS to keep one, or leave out --best.`,
    );
  }
  if (checkpoint === undefined) {
    throw new UserError(
      `Run ${info.name} has no checkpoint yet, so there is nothing to export. Train it a little longer.`,
    );
  }
  const state = checkpoint.tensors as Readonly<Record<string, HostTensor>>;
  const base = contextOf(recipe, info);
  const stage = recipe.stages(base).find((s) => s.name === checkpoint.meta["stage"]);
  const context = { ...base, ...stage?.options } as Context;
  const specs = Object.keys(recipe.functions(context)).flatMap((name) => {
    const { state: entries, stateSpecs } = traceFunction(recipe, context, name);
    return [...stateSpecs].map(([input, spec]) => [entries.get(input) ?? input, spec] as const);
  });
  demandState({ state, specs, dir });
  const classes = (info.options["classes"] ?? []) as readonly string[];
  const untrained = (info.options["untrained"] ?? []) as readonly string[];
  return { info, recipe, context, state, classes, step: checkpoint.meta.step, untrained };
}

/** The context that a run was traced with, from its `options.json`; of its first stage, where it has stages. */
export function contextOf(recipe: Recipe, info: RunInfo): Context {
  const shapes = (info.options["shapes"] ?? {}) as Readonly<Record<string, readonly number[]>>;
  const shape = Object.fromEntries(
    Object.entries(recipe.data).map(([name, f]) => [
      name,
      f.domain === "label" ? [] : (shapes[name] ?? info.options["shape"]),
    ]),
  );
  const options = info.options["options"] as Record<string, number>;
  const nClasses = (info.options["classes"] as readonly string[]).length;
  return { ...options, batch: Number(options["batch"]), shape, nClasses } as unknown as Context;
}

/**
 * Writes a function of a run (`sample`, the generator, unless said otherwise) as one ONNX file: whole,
 * or not at all. Throws UserError, FailureError.
 */
export async function exportRun(request: {
  runs: string;
  run: string;
  out: string;
  recipe?: Recipe;
  function?: string;
  /** The best checkpoint in place of the last. */
  best?: boolean;
}): Promise<{ path: string; nBytes: number }> {
  demandWritable(request.out, "file");
  const { bytes } = await readFunction(request);
  await writeWhole(request.out, bytes);
  return { path: request.out, nBytes: bytes.length };
}
