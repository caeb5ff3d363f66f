import { expect, test } from "vitest";
import { apply, defineOp, type Tensor } from "../ir.ts";
import { mul } from "../ops/arithmetic.ts";
import { stopGradient } from "../ops/control.ts";
import { square } from "../ops/elementwise.ts";
import { nth } from "../ops/nd.ts";
import { caseGradientGraph, checkGrad } from "./check-grad.ts";
import { opCase } from "./op-case.ts";

/** x^3 with a gradient rule of the test's choice. */
const cube = (rule: (g: Tensor, x: Tensor) => Tensor) => {
  const op = defineOp({
    name: "Cube",
    infer: (inputs) => nth(inputs, 0),
    grad: (g, node) => [rule(g, nth(node.inputs, 0))],
    emit: (e, _, inputs) => e.node("Cube", inputs)[0],
    evaluate: (inputs) => nth(inputs, 0).data.map((v) => v ** 3),
  });
  return opCase("Cube", { x: { shape: [3] } }, (i) => apply(op, [i.x], {}));
};

test("passes a right rule", () => {
  checkGrad(
    cube((g, x) => mul(g, mul(square(x), 3))),
    { order: 3 },
  );
});

test("refuses a wrong first derivative", () => {
  expect(() => checkGrad(cube((g, x) => mul(g, mul(square(x), 3.00001))))).toThrow(/order 1 is/);
});

test("refuses a right first derivative whose own derivative is wrong", () => {
  const c = cube((g, x) => mul(g, stopGradient(mul(square(x), 3))));
  checkGrad(c, { order: 1 });
  expect(() => checkGrad(c)).toThrow(/order 2 is/);
});

test("refuses a gradient that does not carry its cotangent's", () => {
  const c = cube((g, x) => mul(stopGradient(g), mul(square(x), 3)));
  expect(() => checkGrad(c)).toThrow(/order 2 is/);
});

test("gives the gradients of float32 inputs as outputs of a graph", () => {
  const c = opCase("Mul", { x: { shape: [2] }, i: { shape: [2], dtype: "int32" } }, (t) =>
    square(t.x),
  );
  expect(Object.keys(caseGradientGraph(c)?.graph.outputs ?? {})).toEqual(["result", "grad_x"]);
});
