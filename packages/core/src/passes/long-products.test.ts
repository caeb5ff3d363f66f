import fc from "fast-check";
import { expect, test } from "vitest";
import { topological, verify, type Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import { input } from "../ops/leaf.ts";
import { matmul } from "../ops/matmul.ts";
import { uniforms } from "../testing/random.ts";
import { splitLongProducts } from "./long-products.ts";

const names = (graph: Graph): string[] =>
  topological(Object.values(graph.outputs)).map((n) => n.op.name);

function product(o: { m: number; k: number; n: number; transA: boolean; transB: boolean }): Graph {
  const a = input("a", { shape: o.transA ? [o.k, o.m] : [o.m, o.k] });
  const b = input("b", { shape: o.transB ? [o.n, o.k] : [o.k, o.n] });
  return { inputs: [a, b], outputs: { y: matmul(a, b, o) } };
}

test("long products keep their values, either operand transposed", () => {
  const sizes = { m: fc.integer({ min: 1, max: 5 }), n: fc.integer({ min: 1, max: 5 }) };
  const long = fc.constantFrom(4096, 5120, 7 * 691, 6000);
  fc.assert(
    fc.property(
      fc.record({ ...sizes, k: long, transA: fc.boolean(), transB: fc.boolean() }),
      (o) => {
        const graph = product(o);
        const split = splitLongProducts(graph);
        verify(split);
        expect(names(split)).toContain("ReduceSum");
        const random = uniforms(7);
        const feeds = Object.fromEntries(
          graph.inputs.map((t) => [
            String(t.attrs["name"]),
            new Float64Array(t.size).map(() => random() - 0.5),
          ]),
        );
        const [stated, found] = [graph, split].map((g) => interpret(g, feeds)["y"]?.data);
        for (const [i, v] of Array.from(stated ?? []).entries())
          expect(found?.[i]).toBeCloseTo(v, 9);
      },
    ),
    { numRuns: 40 },
  );
});

test("products that keep a GPU busy, or whose sum is short or has no divisor, stay as they are", () => {
  const transposed = { transA: false, transB: false };
  for (const size of [
    { m: 2, k: 4095, n: 2 }, // short
    { m: 800, k: 4096, n: 800 }, // many squares
    { m: 2, k: 4099, n: 2 }, // a prime
  ]) {
    const graph = product({ ...size, ...transposed });
    expect(splitLongProducts(graph)).toBe(graph);
  }
});
