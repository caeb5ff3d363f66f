import { expect, test } from "vitest";
import { grad } from "../grad.ts";
import { print, topological, verify, type Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { input } from "../ops/leaf.ts";
import { mul } from "../ops/arithmetic.ts";
import { sum } from "../ops/reduce.ts";
import { cases } from "../testing/cases.ts";
import { caseGradientGraph, caseGraph } from "../testing/check-grad.ts";
import { optimize } from "./optimize.ts";

/** Runs a graph before and after the passes and compares all results. */
function expectSame(graph: Graph, feeds: Readonly<Record<string, ArrayLike<number>>>): void {
  const after = optimize(graph);
  verify(after);
  const [stated, found] = [interpret(graph, feeds), interpret(after, feeds)];
  for (const [name, { shape, data }] of Object.entries(stated)) {
    expect(found[name]?.shape).toEqual(shape);
    data.forEach((v, i) => {
      expect(Math.abs((found[name]?.data[i] ?? NaN) - v)).toBeLessThanOrEqual(
        1e-9 * Math.max(1, Math.abs(v)),
      );
    });
  }
}

test.each(cases)("the passes keep the values of $name", (c) => {
  const { graph, feeds } = caseGradientGraph(c) ?? caseGraph(c);
  expectSame(graph, feeds);
});

test.each(cases.filter((c) => c.smooth && /^(Conv|Crop|pad|PadB|avgPool|grid)/.test(c.name)))(
  "the passes keep second derivatives of $name",
  (c) => {
    const { graph, feeds } = caseGraph(c);
    const xs = graph.inputs.filter((x) => x.dtype === "float32");
    const [y] = Object.values(graph.outputs);
    if (y === undefined) throw new TypeError("no result");
    const first = grad(sum(mul(y, y)), xs).map((g) => sum(mul(g, g)));
    const seconds = first.flatMap((f) => grad(f, xs));
    const outputs = Object.fromEntries(seconds.map((s, i) => [`s${i}`, s]));
    expectSame({ inputs: graph.inputs, outputs }, feeds);
  },
);

test("optimising twice changes nothing more", () => {
  for (const c of cases) {
    const graph = optimize((caseGradientGraph(c) ?? caseGraph(c)).graph);
    expect(print(optimize(graph)), c.name).toBe(print(graph));
  }
});

test("a graph that is as cheap as can be stays as it is", () => {
  const x = input("x", { shape: [2] });
  const graph: Graph = { inputs: [x], outputs: { y: mul(x, x) } };
  expect(optimize(graph)).toBe(graph);
  expect(topological([mul(x, x)])).toHaveLength(2);
});
