import { expect, test } from "vitest";
import { grad } from "../grad.ts";
import type { Tensor } from "../ir.ts";
import { valueOf } from "../testing/run.ts";
import {
  abs,
  elu,
  erf,
  exp,
  gelu,
  leakyRelu,
  relu,
  round,
  selu,
  sign,
  silu,
  softplus,
  sqrt,
  step,
} from "./elementwise.ts";
import { input } from "./leaf.ts";
import { cast } from "./logic.ts";

const at = (f: (x: Tensor) => Tensor, ...data: number[]): number[] => [
  ...valueOf(f, { shape: [data.length], data }).data,
];
const slopeAt = (f: (x: Tensor) => Tensor, ...data: number[]): number[] =>
  at((x) => grad(f(x), [x])[0] ?? x, ...data);

test("erf agrees with its tables", () => {
  // Abramowitz and Stegun, Table 7.1.
  const [half, one, two, far, minus] = at(erf, 0.5, 1, 2, 30, -0.5);
  expect(half).toBeCloseTo(0.5204998778, 10);
  expect(one).toBeCloseTo(0.8427007929, 10);
  expect(two).toBeCloseTo(0.995322265, 10);
  expect([far, minus]).toEqual([1, -(half ?? 0)]);
  expect(at(erf, NaN)).toEqual([NaN]);
});

test("softplus neither overflows nor cancels", () => {
  const [low, middle, high] = at(softplus, -40, 0, 1000);
  expect((low ?? 0) / Math.exp(-40)).toBeCloseTo(1, 12);
  expect([middle, high]).toEqual([Math.LN2, 1000]);
  expect(slopeAt(softplus, -1000, 0, 1000)).toEqual([0, 0.5, 1]);
});

test("halves are rounded to the even number", () => {
  expect(at(round, -1.5, -0.5, 0.5, 1.5, 2.5, 2.51)).toEqual([-2, 0, 0, 2, 2, 3]);
});

const leaky = (x: Tensor): Tensor => leakyRelu(x, { slope: 0.2 });

test("rectifiers at and around 0", () => {
  expect(at(relu, -2, 0, 3)).toEqual([0, 0, 3]);
  expect(slopeAt(relu, -2, 0, 3)).toEqual([0, 0, 1]);
  expect(at(leaky, -2, 0, 3)).toEqual([-0.4, 0, 3]);
  expect(slopeAt(leaky, -2, 0, 3)).toEqual([0.2, 0.2, 1]);
  expect(slopeAt(abs, -2, 0, 3)).toEqual([-1, 0, 1]);
});

test("smooth rectifiers at 1 and -1", () => {
  // Closed forms: e^-1 - 1; lambda and lambda alpha (e^-1 - 1); the normal and logistic functions at 1.
  expect(at(elu, 1, -1)).toEqual([1, Math.exp(-1) - 1]);
  const [up, down] = at(selu, 1, -1);
  expect(up).toBeCloseTo(1.0507009873554805, 12);
  expect(down).toBeCloseTo(1.0507009873554805 * 1.6732632423543772 * (Math.exp(-1) - 1), 12);
  expect(at(gelu, 1)[0]).toBeCloseTo(0.8413447461, 9);
  expect(at(silu, 1)[0]).toBeCloseTo(1 / (1 + Math.exp(-1)), 12);
});

test("what is flat has no gradient, and sqrt an infinite one at 0", () => {
  for (const f of [sign, round]) expect(slopeAt(f, 0.3)).toEqual([0]);
  expect(slopeAt(sqrt, 0)).toEqual([Infinity]);
});

test("errors", () => {
  const x = input("x", { shape: [2] });
  expect(() => exp(cast(x, "int32"))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Exp: the operand is int32, expected float32.]`,
  );
  expect(() => leakyRelu(x, { slope: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: LeakyRelu: slope 2 is not in 0 to 1.]`,
  );
  expect(() => step(x, { low: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Step: low -1 is not in 0 to 1.]`,
  );
});
