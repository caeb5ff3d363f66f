import fc from "fast-check";
import { expect, test } from "vitest";
import { runs, withAxis } from "../testing/arbitrary.ts";
import { checkGrad } from "../testing/check-grad.ts";
import { opCase } from "../testing/op-case.ts";
import { valueOf } from "../testing/run.ts";
import { input } from "./leaf.ts";
import { cast } from "./logic.ts";
import { amax, amin, cumsum, logsumexp, mean, norm2, sum, variance } from "./reduce.ts";
import { grad } from "../grad.ts";
import { slice } from "./shape.ts";
import { add, max, min } from "./arithmetic.ts";
import type { Tensor } from "../ir.ts";

const line = (...data: number[]) => ({ shape: [data.length], data });
const number = (f: (t: Tensor) => Tensor, ...data: number[]): number =>
  valueOf(f, line(...data)).data[0] ?? NaN;

/** A reduction of one axis, spelled out by slices. */
const spelled = (t: Tensor, axis: number, f: (a: Tensor, b: Tensor) => Tensor): Tensor =>
  Array.from({ length: t.shape[axis] ?? 1 }, (_, i) =>
    slice(t, { axis, start: i, end: i + 1 }),
  ).reduce(f);

test.each([
  ["sum", sum, add],
  ["amax", amax, max],
  ["amin", amin, min],
] as const)("%s over an axis is what its slices give", (_, reduce, pairwise) => {
  fc.assert(
    fc.property(withAxis(), ({ x, axis }) => {
      const y = valueOf((t) => reduce(t, { axes: [axis], keep: true }), x);
      const wanted = valueOf((t) => spelled(t, axis, pairwise), x);
      expect([y.shape, [...y.data]]).toEqual([wanted.shape, [...wanted.data]]);
      const dropped = valueOf((t) => reduce(t, { axes: [axis - x.shape.length] }), x);
      expect([dropped.shape, [...dropped.data]]).toEqual([x.shape.toSpliced(axis, 1), [...y.data]]);
    }),
    runs,
  );
});

test("a running sum along an axis ends in the sum", () => {
  fc.assert(
    fc.property(withAxis(), fc.boolean(), ({ x, axis }, reverse) => {
      const n = x.shape[axis] ?? 1;
      const end = reverse ? 0 : n - 1;
      const last = valueOf(
        (t) => slice(cumsum(t, { axis, reverse }), { axis, start: end, end: end + 1 }),
        x,
      );
      expect([...last.data]).toEqual([...valueOf((t) => sum(t, { axes: [axis] }), x).data]);
    }),
    runs,
  );
});

const sums = (o: { exclusive?: boolean; reverse?: boolean }) => [
  ...valueOf((t) => cumsum(t, { axis: 0, ...o }), line(1, 2, 3)).data,
];

test("running sums of 1, 2, 3", () => {
  expect(sums({})).toEqual([1, 3, 6]);
  expect(sums({ exclusive: true })).toEqual([0, 1, 3]);
  expect(sums({ reverse: true })).toEqual([6, 5, 3]);
  expect(sums({ reverse: true, exclusive: true })).toEqual([5, 3, 0]);
});

test("mean, variance, norm and log-sum-exp of known numbers", () => {
  expect(number((t) => mean(t), 1, 2, 3, 6)).toBe(3);
  expect(number((t) => variance(t), 1, 2, 3, 6)).toBe(3.5);
  expect(number((t) => variance(t, { unbiased: true }), 1, 2, 3, 6)).toBeCloseTo(14 / 3, 12);
  expect(number((t) => norm2(t), 3, 4)).toBe(5);
  expect(number((t) => logsumexp(t), 1000, 1000)).toBeCloseTo(1000 + Math.LN2, 12);
});

test("no axes, and rank 0, leave x as it is", () => {
  const x = input("x", { shape: [2] });
  const s = input("s", { shape: [] });
  for (const f of [sum, mean, amax, amin]) {
    expect(f(x, { axes: [] })).toBe(x);
    expect(f(s)).toBe(s);
  }
});

test("ties share the gradient of a maximum", () => {
  const x = input("x", { shape: [4] });
  const g = valueOf((t) => grad(amax(t), [t])[0] ?? x, line(1, 3, 3, 0));
  expect([...g.data]).toEqual([0, 0.5, 0.5, 0]);
});

test("gradients of log-sum-exp at large numbers", () => {
  const c = opCase("logsumexp", { x: { shape: [3, 2], range: [90, 93] } }, (i) =>
    logsumexp(i.x, { axes: [0] }),
  );
  checkGrad(c, { order: 3 });
});

test("errors", () => {
  const x = input("x", { shape: [2, 3] });
  expect(() => sum(x, { axes: [2] })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: ReduceSum: axis 2 is outside a tensor of rank 2.]`,
  );
  expect(() => sum(cast(x, "bool"))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: ReduceSum: the operand is bool, expected float32.]`,
  );
  expect(() => cumsum(cast(x, "int32"), { axis: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: CumSum: the operand is int32, expected float32.]`,
  );
});
