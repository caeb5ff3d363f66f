import { sameShape, sizeOf, UserError, type Shape } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import {
  nameMapsFor,
  traceFunction,
  traceStep,
  type Context,
  type NameMap,
  type StateSpec,
} from "@duelo/zoo";
import { rm } from "node:fs/promises";
import type { Dataset } from "../data/dataset.ts";
import { netsIn, writeGenerator } from "../export.ts";
import { runOptions } from "../loop.ts";
import { initialState } from "../model.ts";
import { writeModelCard } from "../report/model-card.ts";
import { contextFor, resolveRequest, sameForBoth, type TrainRequest } from "../request.ts";
import type { Streams } from "../streams.ts";
import { createRun } from "../run/folder.ts";
import type { Tensors } from "../run/safetensors.ts";
import { digestOf, readWeights } from "./read.ts";

/** Of weights, averages and slots together: 8 GiB. */
const mostNumbers = 2 ** 31;

/** Weights of other codes for some nets of a recipe. */
export interface ImportRequest extends Pick<
  TrainRequest,
  "recipe" | "preset" | "set" | "height" | "width" | "channels" | "seed"
> {
  /** For each net, its file: safetensors, or a state dict that `torch.save` wrote. */
  readonly files: Readonly<Record<string, string>>;
  /** Names one of several sets of weights in a PyTorch file. */
  readonly key?: string;
  /** Names of classes, for recipes that are told the class. */
  readonly classes?: readonly string[];
  readonly runs: string;
}

export interface Imported {
  /** The new run: `sample`, `export` and the rest take it. */
  readonly dir: string;
  /** For each net, how many tensors were taken and by which names. */
  readonly nets: Readonly<Record<string, { readonly map: string; readonly nTensors: number }>>;
  /** Nets without a file: functions that need them are refused. */
  readonly untrained: readonly string[];
  /** Entries of the files that the recipe has no place for. */
  readonly leftOut: readonly string[];
}

/**
 * Begins a run with weights that another code trained. Nets without a file keep the beginning that
 * the seed gives. Nothing is written unless every weight of every named net was found with its shape.
 * Throws UserError.
 */
export async function importWeights(request: ImportRequest): Promise<Imported> {
  const { files, key, classes = [], runs, ...rest } = request;
  const resolved = resolveRequest({
    ...rest,
    ...sameForBoth(rest.recipe, "imported"),
    cacheDir: "",
  });
  const { recipe, seed } = resolved;
  const told = Object.values(recipe.data).some((f) => f.domain === "label" && !f.optional);
  if (told && classes.length === 0)
    throw new UserError(
      `Recipe ${recipe.name} is told the class. Say how many classes the nets know, such as --classes 10.`,
    );
  if (!Object.values(recipe.data).some((f) => f.domain === "label") && classes.length > 0)
    throw new UserError(`Recipe ${recipe.name} is told no class. Leave out --classes.`);
  const paths = Object.values(files);
  if (key !== undefined && paths.every((path) => path.endsWith(".safetensors")))
    throw new UserError(
      "A key names one of several sets of weights in a PyTorch file, and none of these is one. Leave out --key.",
    );
  const streams = standIn({ resolved, classes, key: await digestOf(paths), files });
  const context = contextFor(resolved, streams);
  const specs = new Map(traceStep(recipe, context).flatMap((s) => [...s.stateSpecs]));
  const nNumbers = [...specs.values()].reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  if (nNumbers > mostNumbers)
    throw new UserError(
      `Recipe ${recipe.name} would hold ${nNumbers.toLocaleString("en")} numbers, more than ${mostNumbers.toLocaleString("en")}. Choose a smaller --size, or smaller options (--set).`,
    );
  const state = initialState(specs, seed);
  const taken: Record<string, { map: string; nTensors: number }> = {};
  const leftOut: string[] = [];
  for (const [net, path] of Object.entries(files)) {
    const own = [...specs].filter(([name, s]) => name.startsWith(`${net}.`) && s.kind !== "slot");
    if (own.length === 0) {
      const nets = Object.keys(recipe.nets(context)).join(", ");
      throw new UserError(`Recipe ${recipe.name} has no net "${net}". Its nets: ${nets}.`);
    }
    const { tensors, leftOut: ignored } = await readWeights({
      path,
      ...(key === undefined ? {} : { key }),
    });
    const { map, found } = matched({ recipe: recipe.name, net, path, own, tensors });
    for (const [name, tensor] of found) {
      state[name] = tensor;
      if (specs.has(`ema/${name}`)) state[`ema/${name}`] = tensor;
    }
    taken[net] = { map: map.name, nTensors: found.size };
    const ours = own.map(([name]) => name.slice(net.length + 1));
    const used = new Set(ours.map((name) => map.theirs(name, ours)));
    leftOut.push(...ignored, ...Object.keys(tensors).filter((name) => !used.has(name)));
  }
  const frozen = recipe.frozen(context);
  const untrained = Object.keys(recipe.nets(context)).filter((net) => {
    const hasWeights = [...specs.keys()].some((name) => name.startsWith(`${net}.`));
    return hasWeights && files[net] === undefined && frozen[net] === undefined;
  });
  const dir = await writeRun({ runs, resolved, streams, context, state, untrained });
  return { dir, nets: taken, untrained, leftOut };
}

type Own = readonly (readonly [name: string, spec: StateSpec])[];

/** The map under which every weight is there; else the reason why the nearest one does not fit. */
function matched(o: { recipe: string; net: string; path: string; own: Own; tensors: Tensors }): {
  map: NameMap;
  found: Map<string, HostTensor>;
} {
  const ours = o.own.map(([name]) => name.slice(o.net.length + 1));
  let best: { nMissing: number; why: string } | undefined;
  for (const map of nameMapsFor(o.recipe, o.net)) {
    const found = new Map<string, HostTensor>();
    const missing: string[] = [];
    for (const [name, spec] of o.own) {
      const theirs = map.theirs(name.slice(o.net.length + 1), ours);
      const tensor = theirs === undefined ? undefined : o.tensors[theirs];
      if (theirs === undefined) continue;
      if (tensor?.dtype !== "float32") missing.push(`it has no ${theirs}`);
      else if (!sameShape(without1(tensor.shape), without1(spec.shape)))
        missing.push(
          `its ${theirs} has shape [${tensor.shape.join(", ")}], and ${o.net} of this recipe needs [${spec.shape.join(", ")}]`,
        );
      else if (!tensor.data.every(Number.isFinite))
        throw new UserError(`${o.path} is not used: its ${theirs} holds NaN or infinity.`);
      else found.set(name, { ...tensor, shape: spec.shape });
    }
    if (missing.length === 0) return { map, found };
    if (best === undefined || missing.length < best.nMissing)
      best = { nMissing: missing.length, why: missing[0] ?? "" };
  }
  throw new UserError(
    `${o.path} does not fit ${o.recipe}: ${best?.why}. Check the options (--set), --size and --channels, and the net.`,
  );
}

/** A vector may lie in a file as one row. */
const without1 = (shape: Shape): Shape => shape.filter((n) => n !== 1);

/** What a run says of its data where there is none. */
function standIn(o: {
  resolved: ReturnType<typeof resolveRequest>;
  classes: readonly string[];
  key: string;
  files: Readonly<Record<string, string>>;
}): Streams {
  const sets = Object.entries(o.resolved.data).map(([name, request]): [string, Dataset] => {
    const { height = 0, width = 0, channels = 3, pair } = request;
    const shape = (c: number): number[] => [c, height, width];
    return [name, noRecords(o, { x: shape(channels), pair: shape(pair?.channels ?? channels) })];
  });
  return Object.fromEntries(sets);
}

function noRecords(
  o: Pick<Parameters<typeof standIn>[0], "classes" | "key" | "files">,
  shapes: { x: number[]; pair: number[] },
): Dataset {
  return {
    name: "imported",
    length: 0,
    fields: {
      x: { dtype: "uint8", shape: shapes.x },
      pair: { dtype: "uint8", shape: shapes.pair },
      y: { dtype: "int32", shape: [] },
    },
    classes: o.classes,
    key: o.key,
    settings: { files: o.files },
    skipped: [],
    read() {
      throw new TypeError("imported weights come without data");
    },
    close() {},
  };
}

async function writeRun(o: {
  runs: string;
  resolved: ReturnType<typeof resolveRequest>;
  streams: Streams;
  context: Context;
  state: Readonly<Record<string, HostTensor>>;
  untrained: readonly string[];
}): Promise<string> {
  const { resolved, streams, context, state, untrained } = o;
  const options = {
    ...runOptions(resolved, streams, { device: "cpu", threads: 1 }),
    ...(untrained.length === 0 ? {} : { untrained }),
  };
  const run = await createRun({ root: o.runs, options });
  try {
    await run.load();
    const nothing = {
      step: 0,
      nImages: 0,
      timeMs: 0,
      cursors: { data: {}, runs: [] },
      stage: null,
    };
    await run.save({ tensors: state as Tensors, meta: nothing });
    const { recipe } = resolved;
    const functions = recipe.functions(context);
    const makes =
      Object.hasOwn(functions, "sample") &&
      !netsIn(traceFunction(recipe, context)).some((net) => untrained.includes(net));
    const parts = { run, recipe, context, state, step: 0 };
    const generator = makes ? await writeGenerator(parts) : undefined;
    await writeModelCard({ dir: run.dir, generator, functions });
  } catch (error) {
    await run.close();
    await rm(run.dir, { recursive: true });
    throw error;
  }
  await run.close();
  return run.dir;
}
