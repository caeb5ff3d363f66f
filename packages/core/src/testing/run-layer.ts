import "../fluent.ts";
import { interpret } from "../interpret.ts";
import { inputName, topological } from "../graph.ts";
import { sizeOf, Tensor, type DType, type NdArray, type Shape } from "../ir.ts";
import type { RandomSource } from "../nn/init.ts";
import { Scope, Variables, type VariableSpec } from "../nn/scope.ts";
import { input } from "../ops/leaf.ts";
import { uniforms } from "./random.ts";

/** Random numbers of a seed as initialisers ask for them (normal ones by Box and Muller). */
export function randomSource(seed: number): RandomSource {
  const next = uniforms(seed);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return {
    uniform: (out) => out.forEach((_, i) => (out[i] = next())),
    normal: (out) => out.forEach((_, i) => (out[i] = normal())),
  };
}

/** What a layer did: its result, its variables as they began, and the buffers that it set. */
export interface LayerRun {
  readonly y: NdArray;
  readonly specs: ReadonlyMap<string, VariableSpec>;
  readonly values: Readonly<Record<string, Float64Array>>;
  readonly set: Readonly<Record<string, NdArray>>;
  readonly noise: readonly string[];
}

/**
 * Runs a net named `net` by the float64 definitions. Variables and noise begin as `values` says, or
 * as their initialiser, or (noise) uniform.
 */
export function runLayer(
  net: (s: Scope, ...inputs: Tensor[]) => Tensor,
  given: readonly { shape: Shape; data: ArrayLike<number>; dtype?: DType }[],
  { training = true, values = {} }: RunOptions = {},
): LayerRun {
  const variables = new Variables();
  const updates = new Map<string, Tensor>();
  const scope = new Scope({ variables, path: "net", training, updates });
  const inputs = given.map((x, i) => input(`x${i}`, x));
  const y = net(scope, ...inputs);
  const outputs = { y, ...Object.fromEntries(updates) };
  const random = randomSource(7);
  const start = (name: string): Float64Array => {
    const known = values[name];
    if (known !== undefined) return Float64Array.from(known);
    const spec = variables.specs.get(name);
    if (spec !== undefined) return Float64Array.from(spec.init(spec.shape, random));
    const out = new Float32Array(sizeOf(variables.inputs.get(name)?.shape ?? []));
    random.uniform(out);
    return Float64Array.from(out);
  };
  const begun = Object.fromEntries([...variables.inputs.keys()].map((name) => [name, start(name)]));
  const feeds: Record<string, ArrayLike<number>> = { ...begun };
  given.forEach((x, i) => (feeds[`x${i}`] = x.data));
  const leaves = topological(Object.values(outputs)).filter((t) => t.op.name === "Input");
  const { y: result, ...set } = interpret({ inputs: leaves, outputs }, feeds);
  if (result === undefined) throw new TypeError(`no result from ${leaves.map(inputName).join()}`);
  return {
    y: result,
    specs: variables.specs,
    values: begun,
    set,
    noise: [...variables.noise.keys()],
  };
}
interface RunOptions {
  readonly training?: boolean;
  readonly values?: Readonly<Record<string, ArrayLike<number>>>;
}

/** Uniform numbers in [-1, 1) of a shape. */
export function randomArray(shape: Shape, seed: number): { shape: Shape; data: Float64Array } {
  const next = uniforms(seed);
  return { shape, data: new Float64Array(sizeOf(shape)).map(() => 2 * next() - 1) };
}

/** Names and shapes of a run's variables, `net.` left out. */
export const shapesOf = (run: LayerRun): Record<string, Shape> =>
  Object.fromEntries([...run.specs].map(([name, spec]) => [name.slice("net.".length), spec.shape]));
