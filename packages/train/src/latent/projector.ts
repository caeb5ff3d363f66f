import {
  adam,
  add,
  concat,
  constant,
  expand,
  grad,
  input,
  inputName,
  matmul,
  mean,
  mul,
  optimize,
  reshape,
  sizeOf,
  square,
  sub,
  sum,
  topological,
  type Graph,
  type Tensor,
} from "@duelo/core";
import {
  openRuntime,
  type HostTensor,
  type Program,
  type Runtime,
  type State,
} from "@duelo/runtime";
import {
  traceFeatures,
  traceFunction,
  withBatch,
  type FeatureName,
  type FunctionGraph,
} from "@duelo/zoo";
import type { Trained } from "../export.ts";
import { shippedState } from "../features/shipped.ts";
import type { Feeds } from "../feeder.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { fillNormal, streamOf } from "../random.ts";
import { mapDistance, scaleDistance } from "./distance.ts";
import { noiseCorrelation, normalised } from "./noise-maps.ts";

// StyleGAN2's projector (Karras et al. 2019b, App. D): Adam on w and the noise maps of a frozen generator,
// as one graph whose state they are. Many pictures at once, each by itself.

/** Where w lies: its mean over samples, and how far they are from it, sqrt(mean |w - mean|^2). */
interface StyleStatistics {
  readonly mean: Float64Array;
  readonly spread: number;
}

export function statisticsOf({ rows, cols, data }: Matrix): StyleStatistics {
  const mean = new Float64Array(cols);
  for (let i = 0; i < data.length; i++)
    mean[i % cols] = (mean[i % cols] ?? 0) + (data[i] ?? 0) / rows;
  let square = 0;
  for (let i = 0; i < data.length; i++) square += ((data[i] ?? 0) - (mean[i % cols] ?? 0)) ** 2;
  return { mean, spread: Math.sqrt(square / rows) };
}

/** What happens before pictures are compared. */
export interface Degradation {
  /** What becomes of a picture, [N, C, H, W] to [N, C', H', W']. */
  readonly change: (picture: Tensor) => Tensor;
  /** 1 where pictures are compared, 0 where not, [H', W']; everywhere, unless given. */
  readonly known?: Float32Array;
}

/**
 * A cost of unusual w: `weight` times the mean square of its parts along the principal axes, each in
 * standard deviations. It is 1 times the weight for a usual w, 0 for the mean.
 */
export interface Prior {
  readonly weight: number;
  /** [wDim, wDim]: see `whiteningOf`. */
  readonly whitening: Float64Array;
}

interface ProjectorOptions {
  /** Pictures at once. */
  readonly batch: number;
  readonly nLayers: number;
  readonly wDim: number;
  /** `w`: one w for all layers; `w+`: one for each, which comes closer and edits worse. */
  readonly space: "w" | "w+";
  readonly steps: number;
  readonly statistics: StyleStatistics;
  /** 0 unless said otherwise. The same for every picture, so that none depends on the others. */
  readonly seed?: number;
  readonly degradation?: Degradation;
  /** The network by whose maps pictures are compared beside their pixels. */
  readonly features: FeatureName;
  /** The values of pixels that mean 0 and 255. */
  readonly range: readonly [low: number, high: number];
  /** Holds w to what is usual; not at all, unless given. */
  readonly prior?: Prior;
  readonly threads?: number;
}

export interface Projector {
  /** Goes down for `steps` steps; `target` [batch, C', H', W'], as degraded, in the generator's range. */
  run(
    target: Float32Array,
    hooks?: {
      /** After each step: the distance of each picture. */
      step?(step: number, distances: Float32Array): Promise<void> | void;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<void>;
  /** w for every layer as it is now, [batch, nLayers, wDim]. */
  latents(): Promise<Float32Array>;
  /** The pictures as they are now, [batch, C, H, W]. */
  pictures(): Promise<Float32Array>;
  close(): Promise<void>;
}

const noiseWeight = 1e5; // of the correlation of noise [App. D]
const perceptualWeight = 0.2; // beside the pixels; ours
const jitterShare = 0.05; // of the spread of w, at first [App. D]

/** Compiles a projector for a run. */
export async function openProjector(trained: Trained, o: ProjectorOptions): Promise<Projector> {
  const runtime = await openRuntime(o.threads === undefined ? {} : { threads: o.threads });
  try {
    const descent = descentOf(trained, o);
    const program = await runtime.compile(optimize(descent.graph), {
      state: descent.state,
      name: `${trained.recipe.name}.project`,
    });
    const drawing = drawingOf(trained, o);
    const drawer = await runtime.compile(optimize(drawing.graph), { name: "project.picture" });
    const { features: name } = o;
    const judge = name === "none" ? {} : await shippedState({ name, net: "F" });
    const weights = { ...trained.state, ...judge };
    return projectorOf({ weights, o, runtime, descent, program, drawer });
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

interface Descent {
  readonly graph: Graph;
  /** What replaces each entry of the state. */
  readonly state: Readonly<Record<string, string>>;
  /** Shapes of what moves, by name: the latent, the noise maps, and their slots. */
  readonly moves: ReadonlyMap<string, readonly number[]>;
  readonly noise: readonly string[];
  readonly weights: FunctionGraph["state"];
  readonly compared: readonly number[];
}

const latentName = "latent";
const targetName = "target";
const learningRate = 0.1; // at most [NVlabs/stylegan2-ada-pytorch: projector]
const rule = adam({ lr: learningRate, beta1: 0.9, beta2: 0.999, eps: 1e-8 }); // [App. D]

const latentShape = (o: ProjectorOptions): readonly number[] => [
  o.batch,
  o.space === "w" ? 1 : o.nLayers,
  o.wDim,
];

/** The pictures of the latent, which is an input of that name. */
function synthesised(
  trained: Trained,
  o: ProjectorOptions,
  of: (latent: Tensor) => Tensor,
): { latent: Tensor; picture: Tensor; traced: FunctionGraph } {
  const latent = input(latentName, { shape: latentShape(o) });
  const w = expand(of(latent), [o.batch, o.nLayers, o.wDim]);
  const traced = traceFunction(trained.recipe, withBatch(trained.context, o.batch), "synthesis", {
    w,
  });
  const { synthesis: picture } = traced.graph.outputs;
  if (picture === undefined) throw new TypeError("synthesis gives one picture");
  return { latent, picture, traced };
}

function drawingOf(trained: Trained, o: ProjectorOptions): { graph: Graph } {
  const { picture } = synthesised(trained, o, (latent) => latent);
  return { graph: graphOf({ picture }) };
}

/** One step: what is compared, its slope by the latent and the noise, and where Adam takes them. */
function descentOf(trained: Trained, o: ProjectorOptions): Descent {
  const jitter = input("jitter", { shape: [1, ...latentShape(o).slice(1)] });
  const jitterScale = input("jitterScale", { shape: [] });
  const { latent, picture, traced } = synthesised(trained, o, (l) =>
    add(l, mul(jitter, jitterScale)),
  );
  const seen = o.degradation?.change(picture) ?? picture;
  const target = input(targetName, { shape: seen.shape });
  const distances = distance(where(seen, o), where(target, o), o);
  const maps = traced.graph.inputs.filter((t) => traced.noise.has(inputName(t)));
  const close = add(sum(distances), mul(noiseCorrelation(maps), noiseWeight));
  const loss = o.prior === undefined ? close : add(close, unusual(latent, o, o.prior));
  const moving = [latent, ...maps];
  const slopes = grad(loss, moving);
  const [lr, t] = [input("lr", { shape: [] }), input("t", { shape: [] })];
  const outputs: Record<string, Tensor> = { distances };
  const state: Record<string, string> = {};
  const moves = new Map<string, readonly number[]>();
  const next = (name: string, value: Tensor): void => {
    moves.set(name, value.shape);
    outputs[`next:${name}`] = value;
    state[name] = `next:${name}`;
  };
  for (const [i, param] of moving.entries()) {
    const name = inputName(param);
    const slotOf = (slot: string): string => `slot.${slot}/${name}`;
    const slots = Object.fromEntries(
      rule.slots.map((s) => [s, input(slotOf(s), { shape: param.shape })]),
    );
    const slope = slopes[i];
    if (slope === undefined) throw new TypeError("a slope for each");
    const moved = rule.update({ param, grad: slope, slots, lr, t, scalars: {} });
    next(name, param === latent ? moved.param : normalised(moved.param));
    for (const [s, value] of Object.entries(moved.slots)) next(slotOf(s), value);
  }
  const graph = graphOf(outputs);
  const judge = graph.inputs.map(inputName).filter((name) => name.startsWith("F."));
  return {
    graph,
    ...{
      state,
      moves,
      noise: maps.map(inputName),
      weights: new Map([...traced.state, ...judge.map((n) => [n, n] as const)]),
    },
    compared: seen.shape.slice(1),
  };
}

/** How far pictures are from others, pair by pair. */
function distance(
  a: Tensor,
  b: Tensor,
  { features, range: [low, high] }: ProjectorOptions,
): Tensor {
  const pixels = scaleDistance(a, b);
  if (features === "none") return pixels;
  const both = add(mul(sub(concat([a, b], 0), low), 2 / (high - low)), -1);
  return add(pixels, mul(mapDistance(traceFeatures(features, both)), perceptualWeight));
}

/** What a `Prior` costs, summed over pictures; the mean over layers. */
function unusual(latent: Tensor, o: ProjectorOptions, { weight, whitening }: Prior): Tensor {
  const rows = reshape(latent, [-1, o.wDim]);
  const off = sub(rows, constant(o.statistics.mean, { shape: [1, o.wDim] }));
  const parts = matmul(off, constant(whitening, { shape: [o.wDim, o.wDim] }), { transB: true });
  const each = mean(square(parts), { axes: [1] });
  return mul(sum(each), (weight * o.batch) / (rows.shape[0] ?? 1));
}

/** 0 where nothing is known. */
function where(x: Tensor, { degradation }: ProjectorOptions): Tensor {
  if (degradation?.known === undefined) return x;
  return mul(x, constant(degradation.known, { shape: [1, 1, ...x.shape.slice(2)] }));
}

const graphOf = (outputs: Readonly<Record<string, Tensor>>): Graph => ({
  inputs: topological(Object.values(outputs)).filter((t) => t.op.name === "Input"),
  outputs,
});

function projectorOf(p: {
  /** Of the generator and of the network that compares. */
  weights: Trained["state"];
  o: ProjectorOptions;
  runtime: Runtime;
  descent: Descent;
  program: Program;
  drawer: Program;
}): Projector {
  const { o, descent, program, drawer, runtime } = p;
  const target = tensor(
    [o.batch, ...descent.compared],
    new Float32Array(o.batch * sizeOf(descent.compared)),
  );
  const state = runtime.createState({
    ...weightsOf(p.weights, descent),
    ...beginning(o, descent),
    [targetName]: target,
  });
  return {
    async run(values, hooks = {}) {
      state.write({ ...beginning(o, descent), [targetName]: tensor(target.shape, values) });
      for (let step = 0; step < o.steps; step++) {
        hooks.signal?.throwIfAborted();
        const { distances } = await program.run(feedsOf(o, step), state);
        await hooks.step?.(step + 1, Float32Array.from(distances?.data ?? []));
      }
    },
    latents: async () => spreadLatents(o, await read(state, latentName)),
    async pictures() {
      const { picture } = await drawer.run({}, state);
      return Float32Array.from(picture?.data ?? []);
    },
    close: () => runtime.close(),
  };
}

const tensor = (shape: readonly number[], data: Float32Array): HostTensor => ({
  dtype: "float32",
  shape,
  data,
});

async function read(state: State, name: string): Promise<Float32Array> {
  const { [name]: value } = await state.read([name]);
  return Float32Array.from(value?.data ?? []);
}

function weightsOf(state: Trained["state"], { weights }: Descent): Record<string, HostTensor> {
  const found = [...weights].map(([name, entry]) => {
    const value = state[entry];
    if (value === undefined) throw new TypeError(`no state entry "${entry}"`);
    return [name, value] as const;
  });
  return Object.fromEntries(found);
}

/** The mean w, fresh noise, and slots of 0. */
function beginning(o: ProjectorOptions, { moves, noise }: Descent): Record<string, HostTensor> {
  const values: Record<string, HostTensor> = {};
  for (const [name, shape] of moves) {
    const data = new Float32Array(sizeOf(shape));
    if (name === latentName) data.forEach((_, i) => (data[i] = o.statistics.mean[i % o.wDim] ?? 0));
    if (noise.includes(name)) fillAlike(data, o, streamOf(`project ${name}`), 0);
    values[name] = tensor(shape, data);
  }
  return values;
}

/** Normal numbers, the same for each picture. */
function fillAlike(data: Float32Array, o: ProjectorOptions, stream: number, counter: number): void {
  const one = new Float32Array(data.length / o.batch);
  fillNormal(one, { seed: o.seed ?? 0, stream, counter });
  for (let i = 0; i < o.batch; i++) data.set(one, i * one.length);
}

function feedsOf(o: ProjectorOptions, step: number): Feeds {
  const { rate, jitter } = schedule(step / o.steps);
  const [, ...rest] = latentShape(o);
  const numbers = new Float32Array(sizeOf(rest));
  fillNormal(numbers, { seed: o.seed ?? 0, stream: streamOf("project jitter"), counter: step });
  const scalar = (value: number): HostTensor => tensor([], Float32Array.of(value));
  return {
    jitter: tensor([1, ...rest], numbers),
    jitterScale: scalar(jitter * jitterShare * o.statistics.spread),
    lr: scalar(learningRate * rate),
    t: scalar(step + 1),
  };
}

/**
 * At a share of the way, 0 to 1: the learning rate, which rises over the first 5 % and falls by a cosine
 * over the last 25 %, and the noise on w, which fades by 75 %; both as shares of the most (App. D).
 */
export function schedule(share: number): { rate: number; jitter: number } {
  const down = 0.5 - 0.5 * Math.cos(Math.PI * Math.min(1, (1 - share) / 0.25));
  const up = Math.min(1, share / 0.05);
  return { rate: down * up, jitter: Math.max(0, 1 - share / 0.75) ** 2 };
}

function spreadLatents(o: ProjectorOptions, latent: Float32Array): Float32Array {
  if (o.space === "w+") return latent;
  const out = new Float32Array(o.batch * o.nLayers * o.wDim);
  for (let i = 0; i < o.batch * o.nLayers; i++) {
    const picture = Math.floor(i / o.nLayers);
    out.set(latent.subarray(picture * o.wDim, (picture + 1) * o.wDim), i * o.wDim);
  }
  return out;
}
