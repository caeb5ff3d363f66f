import fc from "fast-check";
import { expect, test } from "vitest";
import { grad } from "../grad.ts";
import type { Tensor } from "../ir.ts";
import { filled, runs, shapes } from "../testing/arbitrary.ts";
import { checkGrad } from "../testing/check-grad.ts";
import { opCase } from "../testing/op-case.ts";
import { valueOf } from "../testing/run.ts";
import { add, div, max, min, mul, neg, pow, sub, type Operand } from "./arithmetic.ts";
import { constant, input } from "./leaf.ts";
import { cast } from "./logic.ts";
import { expand } from "./shape.ts";

const pairs = shapes().chain((shape) =>
  fc.record({ shape: fc.constant(shape), ones: fc.nat(15), drop: fc.nat(2) }).map((o) => ({
    shape,
    part: shape.map((d, i) => ((o.ones >> i) & 1 ? 1 : d)).slice(Math.min(o.drop, shape.length)),
  })),
);

test("gradients of operands that broadcast", () => {
  const rules = [add, sub, mul, max];
  fc.assert(
    fc.property(pairs, fc.nat(3), fc.boolean(), ({ shape, part }, rule, swap) => {
      const [a, b] = swap ? [part, shape] : [shape, part];
      const f = rules[rule] ?? add;
      const c = opCase("binary", { a: { shape: a }, b: { shape: b } }, (i) => f(i.a, i.b));
      checkGrad(c, { directions: 1 });
    }),
    runs,
  );
});

test("an operand that broadcasts counts as one that was expanded before", () => {
  const values = pairs.chain(({ shape, part }) => fc.tuple(filled(shape), filled(part)));
  fc.assert(
    fc.property(values, ([x, y]) => {
      const short = valueOf((a, b) => sub(a, mul(b, b)), x, y);
      const long = valueOf((a, b) => sub(a, mul(expand(b, x.shape), expand(b, x.shape))), x, y);
      expect([short.shape, [...short.data]]).toEqual([x.shape, [...long.data]]);
    }),
    runs,
  );
});

const two = (f: (a: Operand, b: Operand) => Tensor, dtype: "float32" | "int32" = "float32") => [
  ...valueOf(f, { shape: [3], data: [7, -7, 2], dtype }, { shape: [3], data: [2, 2, 3], dtype })
    .data,
];

test("known numbers", () => {
  expect(two(add)).toEqual([9, -5, 5]);
  expect(two(sub)).toEqual([5, -9, -1]);
  expect(two(mul)).toEqual([14, -14, 6]);
  expect(two(div)).toEqual([3.5, -3.5, 2 / 3]);
  expect(two(div, "int32")).toEqual([3, -3, 0]);
  expect(two(pow)).toEqual([49, 49, 8]);
  expect(two(max)).toEqual([7, 2, 3]);
  expect(two(min)).toEqual([2, -7, 2]);
  expect([...valueOf(neg, { shape: [2], data: [1, -2] }).data]).toEqual([-1, 2]);
});

test("numbers stand on either side and take the tensor's type", () => {
  const i = input("i", { shape: [2], dtype: "int32" });
  expect([add(i, 1).dtype, sub(1, i).dtype, add(1, 2).dtype]).toEqual([
    "int32",
    "int32",
    "float32",
  ]);
});

test("at a tie the gradient of a maximum goes to the first", () => {
  const x = input("x", { shape: [] });
  const g = (f: typeof max, k: number) =>
    valueOf(
      (a, b) => grad(f(a, b), [a, b])[k] ?? x,
      { shape: [], data: [2] },
      { shape: [], data: [2] },
    ).data[0];
  expect([g(max, 0), g(max, 1), g(min, 0), g(min, 1)]).toEqual([1, 0, 1, 0]);
});

test("the gradient of a power by its exponent is 0 where the base is not positive", () => {
  const x = input("x", { shape: [2] });
  const g = valueOf(
    (a, b) => grad(pow(a, b), [b])[0] ?? x,
    { shape: [2], data: [-2, Math.E] },
    { shape: [2], data: [2, 1] },
  );
  expect([...g.data]).toEqual([0, Math.E]);
});

test("errors", () => {
  expect(() => constant([1], { shape: [2] })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: constant: 1 values for shape [2].]`,
  );
  const x = input("x", { shape: [2, 3] });
  expect(() => add(x, input("y", { shape: [2] }))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Add: shapes [2, 3] and [2] do not broadcast.]`,
  );
  expect(() => mul(x, cast(x, "int32"))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Mul: operands are float32 and int32. Cast one of them.]`,
  );
});
