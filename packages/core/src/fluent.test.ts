import { expect, test } from "vitest";
import "./fluent.ts";
import { print } from "./graph.ts";
import { input } from "./ops/leaf.ts";

test("methods trace what the functions trace", () => {
  const x = input("x", { shape: [2, 3] });
  const y = x
    .mul(2)
    .add(x)
    .relu()
    .mean({ axes: [1] });
  expect(print({ inputs: [x], outputs: { y } })).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,3]
    ) {
      %0 = Const([2]) : f32[]
      %1 = Mul(x, %0) : f32[2,3]
      %2 = Add(%1, x) : f32[2,3]
      %3 = Relu(%2) : f32[2,3]
      %4 = ReduceSum(%3) {axes=[1], keep=false} : f32[2]
      %5 = Const([0.3333333333333333]) : f32[]
      %6 = Mul(%4, %5) : f32[2]
      return y=%6
    }
    "
  `);
});

test("methods that give several tensors, and conditions", () => {
  const x = input("x", { shape: [2, 3] });
  const [first, rest] = x.split([1, 2], 1);
  expect([first?.shape, rest?.shape]).toEqual([
    [2, 1],
    [2, 2],
  ]);
  expect(x.greater(0).where(x, 0).topK({ k: 2, axis: 1 }).values.shape).toEqual([2, 2]);
});
