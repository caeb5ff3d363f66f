import { grad } from "../grad.ts";
import type { Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { sizeOf, type Shape, type Tensor } from "../ir.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { constant, input } from "../ops/leaf.ts";
import { sum } from "../ops/reduce.ts";
import type { CaseInput, OpCase } from "./op-case.ts";
import { uniforms } from "./random.ts";

type Feeds = Record<string, Float64Array>;

/** The graph of a case and the values of its inputs; all of them float32 numbers, so that every executor sees the same. */
export function caseGraph(c: OpCase): { graph: Graph; feeds: Feeds } {
  const random = uniforms(1);
  const leaves: Record<string, Tensor> = {};
  const feeds: Feeds = {};
  for (const [name, given] of Object.entries(c.inputs)) {
    leaves[name] = input(name, given);
    feeds[name] = valuesOf(given, random);
  }
  return { graph: { inputs: Object.values(leaves), outputs: { result: c.build(leaves) } }, feeds };
}

/**
 * The same with the gradient by each float32 input, against a random cotangent, as further outputs
 * `grad_<input>`. Undefined where the result is not float32 or no input is.
 */
export function caseGradientGraph(c: OpCase): { graph: Graph; feeds: Feeds } | undefined {
  const { graph, feeds } = caseGraph(c);
  const y = result(graph);
  const xs = graph.inputs.filter((x) => x.dtype === "float32");
  if (y.dtype !== "float32" || xs.length === 0) return undefined;
  const u = draw(y.shape, uniforms(2));
  const gradients = grad(y, xs, constant(u, { shape: y.shape }));
  const names = xs.map((x) => `grad_${String(x.attrs["name"])}`);
  const outputs = Object.fromEntries(gradients.map((g, i) => [names[i] ?? "", g]));
  return { graph: { inputs: graph.inputs, outputs: { result: y, ...outputs } }, feeds };
}

/**
 * Checks a case's gradients against differences of the float64 definition, along random directions:
 * for cotangent u and direction v, <v, vjp(u)> = d/dt <u, f(x + t v)>. The second order does the same
 * to the first order's gradients, as a function of the inputs and of u; and so on.
 * Throws an Error that says what differs. A case without float32 inputs or result has none and passes.
 */
export function checkGrad(c: OpCase, { order = 2, directions = 3 } = {}): void {
  const { graph, feeds } = caseGraph(c);
  let y = result(graph);
  let inputs = graph.inputs;
  const values = { ...feeds };
  const floats = inputs.filter((x) => x.dtype === "float32");
  if (!c.smooth || y.dtype !== "float32" || floats.length === 0) return;
  for (let k = 1; k <= order; k++) {
    const random = uniforms(100 + k);
    const u = input(`u${k}`, { shape: y.shape });
    values[`u${k}`] = draw(y.shape, random);
    const gradients = grad(y, floats, u);
    const along = sum(mul(y, u));
    inputs = [...inputs, u];
    for (let i = 0; i < directions; i++) {
      const v = floats.map((x) => draw(x.shape, random));
      const stated = evaluate(inner(gradients, v), inputs, values);
      const numeric = difference(along, inputs, values, floats, v);
      const scale = Math.max(1, Math.abs(stated), Math.abs(numeric));
      if (!(Math.abs(stated - numeric) <= 1e-6 * scale)) {
        throw new Error(
          `${c.name}: derivative of order ${k} is ${stated}, the difference quotient ${numeric}`,
        );
      }
    }
    floats.push(u);
    y = inner(
      gradients,
      gradients.map((g) => draw(g.shape, random)),
    );
  }
}

/** The difference quotient of `y` along v, of fourth order in the step. */
function difference(
  y: Tensor,
  inputs: readonly Tensor[],
  values: Feeds,
  xs: readonly Tensor[],
  v: readonly Float64Array[],
): number {
  const step = 1e-4;
  const shifted = (t: number): number => {
    const moved = { ...values };
    xs.forEach((x, i) => {
      const name = String(x.attrs["name"]);
      moved[name] = (values[name] ?? new Float64Array()).map((a, k) => a + t * (v[i]?.[k] ?? 0));
    });
    return evaluate(y, inputs, moved);
  };
  const near = shifted(step) - shifted(-step);
  const far = shifted(2 * step) - shifted(-2 * step);
  return (8 * near - far) / (12 * step);
}

function evaluate(y: Tensor, inputs: readonly Tensor[], values: Feeds): number {
  return interpret({ inputs, outputs: { y } }, values)["y"]?.data[0] ?? NaN;
}

/** The sum of inner products with fixed arrays, rank 0. */
function inner(xs: readonly Tensor[], v: readonly Float64Array[]): Tensor {
  return xs
    .map((x, i) => sum(mul(x, constant(v[i] ?? [], { shape: x.shape }))))
    .reduce((a, b) => add(a, b));
}

function result(graph: Graph): Tensor {
  const { result: y } = graph.outputs;
  if (y === undefined) throw new TypeError("a case has one result");
  return y;
}

const draw = (shape: Shape, random: () => number): Float64Array =>
  new Float64Array(sizeOf(shape)).map(() => Math.fround(2 * random() - 1));

function valuesOf(given: CaseInput, random: () => number): Float64Array {
  const { shape, dtype = "float32", values, range } = given;
  if (values !== undefined) return Float64Array.from(values);
  const [low, high] = range ?? (dtype === "float32" ? [-1, 1] : [0, 2]);
  const drawn = new Float64Array(sizeOf(shape)).map(() => low + (high - low) * random());
  return drawn.map(dtype === "float32" ? Math.fround : Math.floor);
}
