import { cast, interpret, optimize, type Graph, type NdArray } from "@duelo/core";
import * as node from "@duelo/runtime";
import * as web from "@duelo/runtime/web";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cases } from "../packages/core/src/testing/cases.ts";
import { caseGradientGraph, caseGraph } from "../packages/core/src/testing/check-grad.ts";
import { hostTensorsOf } from "./host-tensors.ts";

/*
 * Every operation on ONNX Runtime, in Node and in WASM, against its float64 definition: the result and
 * its gradients, as written and as the passes leave them. Float32 numbers carry 24 bits; sums of a
 * few hundred products lose up to 7 of them. Whole numbers must be equal.
 */
const tolerance = 2 ** -17;

/** The largest |got - want| / max(1, largest |want|); NaN and infinity must stand where they should. */
function error(got: ArrayLike<number>, want: NdArray): number {
  if (got.length !== want.data.length) return Infinity;
  const scale = want.data.reduce((m, v) => (Number.isFinite(v) ? Math.max(m, Math.abs(v)) : m), 1);
  return want.data.reduce((worst, v, i) => {
    const g = got[i] ?? NaN;
    return Object.is(v, g) || v === g
      ? worst
      : Math.max(worst, Number.isNaN(g - v) ? Infinity : Math.abs(g - v) / scale);
  }, 0);
}

const withNumbers = (graph: Graph): Graph => ({
  inputs: graph.inputs,
  outputs: Object.fromEntries(
    Object.entries(graph.outputs).map(([k, t]) => [k, t.dtype === "bool" ? cast(t, "int32") : t]),
  ),
});

interface Runtimes {
  readonly name: string;
  readonly open: () => Promise<node.Runtime>;
}
const runtimes: Runtimes[] = [
  { name: "onnxruntime-node", open: () => node.openRuntime({ threads: 2 }) },
  { name: "onnxruntime-web (WASM)", open: () => web.openRuntime({ threads: 1 }) },
];

describe.each(runtimes)("operations on $name", ({ open }) => {
  let runtime: node.Runtime;
  beforeAll(async () => {
    runtime = await open();
  });
  afterAll(() => runtime.close());

  async function check(
    given: { graph: Graph; feeds: Record<string, ArrayLike<number>> },
    compiled: Graph,
  ) {
    const program = await runtime.compile(compiled);
    const got = await program.run(hostTensorsOf(compiled, given.feeds));
    await program.close();
    const want = interpret(given.graph, given.feeds);
    for (const [name, value] of Object.entries(want)) {
      const output = given.graph.outputs[name];
      expect(got[name]?.shape, name).toEqual(value.shape);
      const worst = error(got[name]?.data ?? [], value);
      expect(worst, name).toBeLessThanOrEqual(output?.dtype === "float32" ? tolerance : 0);
    }
  }

  it.each(cases)("$name", async (c) => {
    const plain = caseGraph(c);
    await check(plain, withNumbers(plain.graph));
    const gradients = caseGradientGraph(c);
    if (gradients) await check(gradients, optimize(gradients.graph));
  });
});
