import { optimize, toOnnx, UserError } from "@duelo/core";
import { readFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import {
  findRecipe,
  recipes,
  traceSample,
  withBatch,
  type Context,
  type ImageField,
  type Recipe,
} from "@duelo/zoo";
import type { HostTensor } from "@duelo/runtime";
import { loadCheckpoint } from "./run/checkpoint.ts";
import { onDisk } from "./run/disk-failure.ts";
import { commitFile, nodeFileSystem, writeAll } from "./run/file-system.ts";
import type { RunFolder } from "./run/folder.ts";
import { findRun, type RunInfo } from "./run/runs.ts";

export const generatorName = "G.onnx";

/** What feeds one input of a generator; kept in the file's metadata as JSON, `duelo.inputs`. */
export interface GeneratorInput {
  readonly name: string;
  readonly kind: "normal" | "uniform" | "ints" | "label";
  /** Shape of one sample's part, without the batch. */
  readonly shape: readonly number[];
  readonly low?: number;
  readonly high?: number;
}

/** All that a generator's file says of itself, beside its graph. */
export interface GeneratorCard {
  readonly recipe: string;
  readonly step: number;
  readonly inputs: readonly GeneratorInput[];
  /** Range of the output's values; left out when they are no pixels. */
  readonly range?: readonly [number, number];
  readonly classes: readonly string[];
}

/**
 * The generator of a run as one ONNX file: averaged weights inside, a free batch size, and metadata
 * that says how to feed it.
 */
export function generatorOnnx(options: {
  recipe: Recipe;
  context: Context;
  state: Readonly<Record<string, HostTensor>>;
  step: number;
  classes: readonly string[];
}): { bytes: Uint8Array; card: GeneratorCard } {
  const { recipe, context, state, step, classes } = options;
  const traceAt = (batch: number) => {
    const traced = traceSample(recipe, withBatch(context, batch));
    return { ...traced, graph: optimize(traced.graph) };
  };
  const traced = traceAt(5);
  const initializers: Record<string, Float32Array> = {};
  for (const [input, entry] of traced.state) {
    const value = state[entry];
    if (!(value?.data instanceof Float32Array)) throw new TypeError(`no state entry "${entry}"`);
    initializers[input] = value.data;
  }
  const card = cardOf({ recipe, traced: traced.noise, step, classes });
  const bytes = toOnnx(traced.graph, {
    name: `${recipe.name}.G`,
    initializers,
    freeBatch: { other: traceAt(7).graph },
    metadata: {
      "duelo.recipe": recipe.name,
      "duelo.step": String(step),
      "duelo.inputs": JSON.stringify(card.inputs),
      "duelo.classes": JSON.stringify(classes),
      ...(card.range === undefined ? {} : rangeMetadata(card.range)),
    },
  });
  return { bytes, card };
}

function cardOf(o: {
  recipe: Recipe;
  traced: ReturnType<typeof traceSample>["noise"];
  step: number;
  classes: readonly string[];
}): GeneratorCard {
  const inputs = [...o.traced].map(([name, spec]): GeneratorInput => {
    const shape = spec.shape.slice(1);
    if (spec.kind === "uniform")
      return { name, kind: spec.kind, shape, low: spec.low, high: spec.high };
    if (spec.kind === "ints") return { name, kind: spec.kind, shape, low: 0, high: spec.high };
    return { name, kind: spec.kind, shape };
  });
  const image = Object.values(o.recipe.data).find((f): f is ImageField => f.domain === "image");
  const range = image === undefined ? {} : { range: image.range };
  return { recipe: o.recipe.name, step: o.step, inputs, classes: o.classes, ...range };
}

const rangeMetadata = ([low, high]: readonly [number, number]): Record<string, string> => ({
  "duelo.range": JSON.stringify([low, high]),
  "Image.NominalPixelRange": low === -1 ? "Normalized_1_1" : "Normalized_0_1",
});

/** Writes `G.onnx` into a run that is being trained and says how it is fed. */
export async function writeGenerator(options: {
  run: RunFolder;
  recipe: Recipe;
  context: Context;
  state: Readonly<Record<string, HostTensor>>;
  step: number;
}): Promise<GeneratorCard> {
  const classes = options.run.options["classes"] as readonly string[];
  const { bytes, card } = generatorOnnx({ ...options, classes });
  await options.run.write(generatorName, bytes);
  return card;
}

/**
 * The generator of a run at its last checkpoint: its `G.onnx` when that is as new, else made anew.
 * `recipe` is needed for a recipe that is not in the zoo. Throws UserError.
 */
export async function readGenerator(request: {
  runs: string;
  run: string;
  recipe?: Recipe;
}): Promise<{ bytes: Uint8Array; info: RunInfo }> {
  const info = await findRun({ root: request.runs, run: request.run });
  const known = request.recipe ?? recipes.find((r) => r.name === info.options.recipe);
  if (known === undefined) {
    const bytes = await readFile(`${info.dir}/${generatorName}`).catch(() => undefined);
    if (bytes !== undefined) return { bytes, info };
    findRecipe(info.options.recipe); // says that there is none
  }
  const checkpoint = await loadCheckpoint({ dir: info.dir });
  if (checkpoint === undefined || known === undefined) {
    throw new UserError(
      `Run ${info.name} has no checkpoint yet, so there is no generator. Train it a little longer.`,
    );
  }
  const state = checkpoint.tensors as Readonly<Record<string, HostTensor>>;
  const base = contextOf(known, info);
  const stage = known.stages(base).find((s) => s.name === checkpoint.meta["stage"]);
  const context = { ...base, ...stage?.options } as Context;
  const classes = (info.options["classes"] ?? []) as readonly string[];
  const step = checkpoint.meta.step;
  return { bytes: generatorOnnx({ recipe: known, context, state, step, classes }).bytes, info };
}

/** The context that a run was traced with, from its `options.json`. */
function contextOf(recipe: Recipe, info: RunInfo): Context {
  const shape = Object.fromEntries(
    Object.entries(recipe.data).map(([name, f]) => [
      name,
      f.domain === "label" ? [] : (info.options["shape"] as readonly number[]),
    ]),
  );
  const options = info.options["options"] as Record<string, number>;
  const nClasses = (info.options["classes"] as readonly string[]).length;
  return { ...options, batch: Number(options["batch"]), shape, nClasses } as unknown as Context;
}

/** Writes the generator of a run as one ONNX file: whole, or not at all. Throws UserError, FailureError. */
export async function exportRun(request: {
  runs: string;
  run: string;
  out: string;
  recipe?: Recipe;
}): Promise<{ path: string; nBytes: number }> {
  const { bytes } = await readGenerator(request);
  const [dir, name] = [dirname(resolve(request.out)), basename(request.out)];
  await onDisk({ task: `write ${request.out}`, safe: "The run itself is unchanged." }, () =>
    commitFile(nodeFileSystem, { dir, name }, (file) => writeAll(file, bytes, 0)),
  );
  return { path: request.out, nBytes: bytes.length };
}
