import { expect, test } from "vitest";
import { grad } from "../grad.ts";
import type { Tensor } from "../ir.ts";
import { valueOf } from "../testing/run.ts";
import { input } from "./leaf.ts";
import { and, cast, clamp, equal, greater, notEqual, oneHot, where } from "./logic.ts";
import { straightThrough } from "./control.ts";
import { round } from "./elementwise.ts";
import { mul } from "./arithmetic.ts";

const at = (f: (x: Tensor) => Tensor, ...data: number[]): number[] => [
  ...valueOf(f, { shape: [data.length], data }).data,
];
const slopeAt = (f: (x: Tensor) => Tensor, ...data: number[]): number[] =>
  at((x) => grad(f(x), [x])[0] ?? x, ...data);
const chosen = (t: Tensor): Tensor => where(greater(t, 0), mul(t, 3), 7);
const held = (t: Tensor): Tensor => clamp(t, { min: -1, max: 1 });
const rounded = (t: Tensor): Tensor => straightThrough(round(t), mul(t, 0.1));
const x = input("x", { shape: [2, 3] });

test("a condition chooses, and gradients go to what was chosen", () => {
  expect(at(chosen, -1, 2)).toEqual([7, 6]);
  expect(slopeAt(chosen, -1, 2)).toEqual([0, 3]);
  expect(at((t) => where(equal(t, 0), 0, t), 0, Infinity)).toEqual([0, Infinity]);
});

test("casts cut fractions off and know true from false", () => {
  expect(at((t) => cast(t, "int32"), -1.9, 1.9)).toEqual([-1, 1]);
  expect(at((t) => cast(cast(t, "bool"), "float32"), 0, 0.5, -3)).toEqual([0, 1, 1]);
  expect(cast(x, "float32")).toBe(x);
});

test("a clamp holds its bounds; on a bound the gradient flows", () => {
  expect(at(held, -2, -1, 0.5, 2)).toEqual([-1, -1, 0.5, 1]);
  expect(slopeAt(held, -2, -1, 0.5, 2)).toEqual([0, 1, 1, 0]);
});

test("one-hot rows", () => {
  const y = valueOf((i) => oneHot(i, { depth: 3 }), { shape: [2], data: [2, 0], dtype: "int32" });
  expect([y.shape, [...y.data]]).toEqual([
    [2, 3],
    [0, 0, 1, 1, 0, 0],
  ]);
  expect(at((t) => cast(notEqual(t, 1), "int32"), 1, 2)).toEqual([0, 1]);
});

test("straight-through: the hard value, exactly, with the soft gradient", () => {
  expect(at(rounded, 0.7, 1.3)).toEqual([1, 1]);
  expect(slopeAt(rounded, 0.7, 1.3)).toEqual([0.1, 0.1]);
});

test("errors", () => {
  const whole = cast(x, "int32");
  expect(() => equal(x, whole)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Equal: operands are float32 and int32. Cast one of them.]`,
  );
  expect(() => and(x, greater(x, 0))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: And: the first operand is float32, expected bool.]`,
  );
  expect(() => and(greater(x, 0), x)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: And: the second operand is float32, expected bool.]`,
  );
  expect(() => where(x, x, 0)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Where: the condition is float32, expected bool.]`,
  );
  expect(() => where(greater(x, 0), x, whole)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Where: the choices are float32 and int32. Cast one of them.]`,
  );
  expect(() => clamp(x, { min: 2, max: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Clip: min 2 is above max 1.]`,
  );
  expect(() => clamp(whole, { min: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Clip: the operand is int32, expected float32.]`,
  );
  expect(() => oneHot(x, { depth: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: oneHot: the operand is float32, expected int32.]`,
  );
});
