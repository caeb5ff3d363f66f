import fc from "fast-check";
import { expect, test } from "vitest";
import { runs, withAxis } from "../testing/arbitrary.ts";
import { checkGrad } from "../testing/check-grad.ts";
import { opCase } from "../testing/op-case.ts";
import { record } from "../onnx/record.ts";
import { valueOf } from "../testing/run.ts";
import { gather, gatherElements, scatterAdd, scatterElements } from "./gather.ts";
import { constant, input } from "./leaf.ts";
import { concat, slice } from "./shape.ts";
import { argmax, sort, topK } from "./sort.ts";
import { logSoftmax, softmax } from "./softmax.ts";
import { sum } from "./reduce.ts";

const picked = withAxis({ maxRank: 3 }).chain(({ x, axis }) =>
  fc.record({
    x: fc.constant(x),
    axis: fc.constant(axis),
    picks: fc.array(fc.nat({ max: (x.shape[axis] ?? 1) - 1 }), { minLength: 1, maxLength: 5 }),
  }),
);

test("gather picks slices, and scatterAdd is its adjoint", () => {
  fc.assert(
    fc.property(picked, ({ x, axis, picks }) => {
      const index = constant(picks, { shape: [picks.length], dtype: "int32" });
      const y = valueOf((t) => gather(t, index, { axis }), x);
      const slices = valueOf(
        (t) =>
          concat(
            picks.map((start) => slice(t, { axis, start, end: start + 1 })),
            axis,
          ),
        x,
      );
      expect([y.shape, [...y.data]]).toEqual([slices.shape, [...slices.data]]);
      checkGrad(
        opCase("Gather", { x: { shape: x.shape } }, (i) => gather(i.x, index, { axis })),
        { directions: 1 },
      );
    }),
    runs,
  );
});

test("scatterAdd sums what falls on one place", () => {
  const y = valueOf(
    (u) => {
      const indices = constant([2, 0, 2], { shape: [3], dtype: "int32" });
      return scatterAdd({ indices, updates: u, axis: 1, size: 4 });
    },
    { shape: [2, 3], data: [1, 2, 4, 10, 20, 40] },
  );
  expect([y.shape, [...y.data]]).toEqual([
    [2, 4],
    [2, 0, 5, 0, 20, 0, 50, 0],
  ]);
});

test("no sum is left to ONNX Runtime's ScatterND, whose threads lose terms", () => {
  const i = input("i", { shape: [100], dtype: "int32" });
  const u = input("u", { shape: [100, 3] });
  const emitted = (size: number): string[] => {
    const result = scatterAdd({ indices: i, updates: u, axis: 0, size });
    return record({ inputs: [i, u], outputs: { result } }).nodes.map((node) => node.opType);
  };
  expect(emitted(32)).toEqual(["Reshape", "Reshape", "Equal", "Cast", "Gemm", "Reshape"]);
  expect(emitted(33).filter((op) => op.startsWith("Scatter"))).toEqual(["ScatterElements"]);
});

test("sorting and choosing along an axis", () => {
  fc.assert(
    fc.property(withAxis({ maxRank: 3 }), fc.boolean(), ({ x, axis }, descending) => {
      const back = valueOf(
        (t) => gatherElements(t, sort(t, { axis, descending }).indices, { axis }),
        x,
      );
      const values = valueOf((t) => sort(t, { axis, descending }).values, x);
      expect([...back.data]).toEqual([...values.data]);
      expect([...values.data].toSorted()).toEqual([...(x.data as number[])].toSorted());
      const best = valueOf((t) => topK(t, { k: 1, axis }).indices, x);
      expect([...valueOf((t) => argmax(t, axis), x).data]).toEqual([...best.data]);
    }),
    runs,
  );
  const line = { shape: [4], data: [2, 5, 1, 5] };
  expect([...valueOf((t) => sort(t, { axis: 0 }).values, line).data]).toEqual([1, 2, 5, 5]);
  expect([...valueOf((t) => topK(t, { k: 3, axis: 0 }).indices, line).data]).toEqual([1, 3, 0]);
});

test("softmax is positive, sums to 1 and has logSoftmax for its logarithm", () => {
  fc.assert(
    fc.property(withAxis({ maxRank: 3 }), ({ x, axis }) => {
      const p = valueOf((t) => softmax(t, { axis }), x);
      const total = valueOf((t) => sum(softmax(t, { axis }), { axes: [axis] }), x);
      for (const v of total.data) expect(v).toBeCloseTo(1, 12);
      const log = valueOf((t) => logSoftmax(t, { axis }), x);
      p.data.forEach((v, i) => expect(Math.exp(log.data[i] ?? NaN)).toBeCloseTo(v, 12));
    }),
    runs,
  );
  const [first, second] = valueOf((t) => softmax(t, { axis: 0 }), {
    shape: [2],
    data: [1, 0],
  }).data;
  expect((first ?? 0) / (second ?? 1)).toBeCloseTo(Math.E, 12);
});

test("errors", () => {
  const x = input("x", { shape: [2, 3] });
  const i = input("i", { shape: [4], dtype: "int32" });
  expect(() => gather(x, x, { axis: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Gather: the index is float32, expected int32.]`,
  );
  expect(() => gather(x, i, { axis: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Gather: axis 2 is outside a tensor of rank 2.]`,
  );
  const sums = { indices: i, updates: x, axis: 0, size: 3 };
  expect(() => scatterAdd(sums)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: ScatterAdd: shape [2, 3] does not go with an index of shape [4].]`,
  );
  expect(() => gatherElements(x, i, { axis: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: GatherElements: shape [2, 3] does not go with an index of shape [4].]`,
  );
  expect(() => scatterElements(sums)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: ScatterElements: shape [2, 3] does not go with an index of shape [4].]`,
  );
  expect(() => topK(x, { k: 4, axis: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: TopK: k is 4, not 1 to the extent of axis 1 of [2, 3].]`,
  );
  expect(() => softmax(i, { axis: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Softmax: the operand is int32, expected float32.]`,
  );
});
