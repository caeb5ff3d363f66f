import { expect, test } from "vitest";
import { grad } from "./grad.ts";
import { print, topological, verify } from "./graph.ts";
import { at, type Tensor } from "./ir.ts";
import { add, mul } from "./ops/arithmetic.ts";
import { stopGradient } from "./ops/control.ts";
import { square } from "./ops/elementwise.ts";
import { constant, input } from "./ops/leaf.ts";
import { cast } from "./ops/logic.ts";
import { sum } from "./ops/reduce.ts";
import { valueOf } from "./testing/run.ts";

const x = input("x", { shape: [2] });
const line = { shape: [2], data: [3, 5] };
const first = (tensors: readonly Tensor[]): Tensor => {
  const [t] = tensors;
  if (t === undefined) throw new TypeError("no gradient");
  return t;
};
const values = (f: (t: Tensor) => Tensor): number[] => [...valueOf(f, line).data];

test("what is used twice gets the sum of its gradients", () => {
  expect(values((t) => first(grad(add(mul(t, 2), mul(t, t)), [t])))).toEqual([8, 12]);
});

test("a seed weighs the outputs", () => {
  const seed = constant([10, 1], { shape: [2] });
  expect(values((t) => first(grad(square(t), [t], seed)))).toEqual([60, 10]);
});

const slope = (t: Tensor): Tensor => first(grad(sum(mul(square(t), t)), [t]));

test("gradients of gradients", () => {
  // y = sum(x^3): y'' v = 6 x v.
  expect(values((t) => first(grad(slope(t), [t])))).toEqual([18, 30]);
});

test("by a result within the graph", () => {
  expect(
    values((t) => {
      const middle = mul(t, 4);
      return first(grad(square(middle), [middle]));
    }),
  ).toEqual([24, 40]);
});

test("zeros where nothing flows", () => {
  const other = input("other", { shape: [3] });
  expect(grad(x, [other])[0]?.shape).toEqual([3]);
  expect(values((t) => first(grad(square(stopGradient(t)), [t])))).toEqual([0, 0]);
});

test("a gradient graph is well formed and reads as text", () => {
  const outputs = { g: first(grad(sum(square(x)), [x])) };
  verify({ inputs: [x], outputs });
  expect(print({ inputs: [x], outputs })).toMatchInlineSnapshot(`
    "graph(
      x : f32[2]
    ) {
      %0 = Const([1]) : f32[]
      %1 = Reshape(%0) {shape=[1]} : f32[1]
      %2 = Expand(%1) {shape=[2]} : f32[2]
      %3 = Const([2]) : f32[]
      %4 = Mul(%2, %3) : f32[2]
      %5 = Mul(%4, x) : f32[2]
      return g=%5
    }
    "
  `);
});

test("operands come before users, each once, on long chains too", () => {
  let y: Tensor = x;
  for (let i = 0; i < 20_000; i++) y = add(y, y);
  const order = topological([y, x]);
  expect(order).toHaveLength(20_001);
  expect([order[0], order.at(-1)]).toEqual([x, y]);
});

test("verify finds what is not declared, or twice", () => {
  const outputs = { y: square(x) };
  expect(() => verify({ inputs: [], outputs })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: input "x" is used but not declared]`,
  );
  expect(() => verify({ inputs: [x, x], outputs })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: input "x" is declared twice]`,
  );
});

test("errors name the place", () => {
  const w = input("w", { shape: [3] });
  expect(() => at("D", () => at("main", () => add(x, w)))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Add: shapes [2] and [3] do not broadcast. At D.main.]`,
  );
  expect(() => grad(cast(x, "int32"), [x])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: grad: the output is int32, not float32.]`,
  );
  const seed = constant([1], { shape: [1] });
  expect(() => grad(x, [x], seed)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: grad: the seed has shape [1], not [2].]`,
  );
});
