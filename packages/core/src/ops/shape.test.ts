import fc from "fast-check";
import { expect, test } from "vitest";
import { sizeOf } from "../ir.ts";
import { arrays, runs, shapes, withAxis } from "../testing/arbitrary.ts";
import { checkGrad } from "../testing/check-grad.ts";
import { opCase } from "../testing/op-case.ts";
import { valueOf } from "../testing/run.ts";
import { broadcastIndices } from "./broadcast.ts";
import { input } from "./leaf.ts";
import {
  concat,
  expand,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
  zeroPad,
} from "./shape.ts";

const line = (data: readonly number[]) => ({ shape: [data.length], data });
const x = input("x", { shape: [2, 3] });

test("broadcasting reads what NumPy's rules say", () => {
  fc.assert(
    fc.property(shapes(), fc.nat(15), fc.nat(2), (to, ones, drop) => {
      const dropped = to.slice(Math.min(drop, to.length));
      const from = dropped.map((d, i) => ((ones >> i) & 1 ? 1 : d));
      const indices = broadcastIndices(from, to);
      expect(indices).toHaveLength(sizeOf(to));
      indices.forEach((read, k) => {
        let [rest, place, stride] = [k, 0, 1];
        for (let axis = to.length - 1; axis >= to.length - from.length; axis--) {
          const extent = to[axis] ?? 1;
          const d = from[axis - to.length + from.length] ?? 1;
          place += (d === 1 ? 0 : rest % extent) * stride;
          stride *= d;
          rest = Math.floor(rest / extent);
        }
        expect(read).toBe(place);
      });
    }),
    runs,
  );
});

test("a transpose and its inverse give back x", () => {
  const permuted = arrays().chain((a) =>
    fc.record({
      a: fc.constant(a),
      perm: fc.shuffledSubarray([...a.shape.keys()], { minLength: a.shape.length }),
    }),
  );
  fc.assert(
    fc.property(permuted, ({ a, perm }) => {
      const back = perm.map((_, i) => perm.indexOf(i));
      const twice = valueOf((t) => transpose(transpose(t, perm), back), a);
      expect([twice.shape, [...twice.data]]).toEqual([a.shape, a.data]);
    }),
    runs,
  );
});

test("a transpose moves [1, 2] to [2, 1]", () => {
  const y = valueOf((t) => transpose(t, [1, 0]), { shape: [2, 3], data: [1, 2, 3, 4, 5, 6] });
  expect([y.shape, [...y.data]]).toEqual([
    [3, 2],
    [1, 4, 2, 5, 3, 6],
  ]);
});

const cuts = fc
  .record({ extent: fc.integer({ min: 1, max: 9 }), step: fc.constantFrom(-3, -2, -1, 1, 2, 3) })
  .chain(({ extent, step }) =>
    fc.record({
      extent: fc.constant(extent),
      step: fc.constant(step),
      start: fc.nat({ max: extent - 1 }),
      count: fc.integer({ min: 1, max: extent }),
    }),
  )
  .filter(({ extent, step, start, count }) => {
    const last = start + step * (count - 1);
    return last >= 0 && last < extent;
  });

test("a slice reads the places that a loop reads, and its gradients put them back", () => {
  fc.assert(
    fc.property(cuts, fc.boolean(), ({ extent, step, start, count }, rows) => {
      const places = Array.from({ length: count }, (_, i) => start + step * i);
      const past = start + step * count;
      const options = {
        axis: rows ? 0 : 1,
        start,
        step,
        ...(past >= 0 && past < extent ? { end: past } : {}),
      };
      const shape = rows ? [extent, 2] : [2, extent];
      const data = Array.from({ length: 2 * extent }, (_, i) => i);
      const y = valueOf((t) => slice(t, options), { shape, data });
      const wanted = rows
        ? places.flatMap((p) => [2 * p, 2 * p + 1])
        : [...places, ...places.map((p) => extent + p)];
      expect([...y.data]).toEqual(wanted);
      checkGrad(
        opCase("Slice", { x: { shape } }, (i) => slice(i.x, options)),
        { directions: 1 },
      );
    }),
    runs,
  );
});

const cut = (o: { start?: number; end?: number; step?: number }) => [
  ...valueOf((t) => slice(t, { axis: -1, ...o }), line([0, 1, 2, 3, 4])).data,
];

test("negative bounds count from the end", () => {
  expect(cut({ start: -2 })).toEqual([3, 4]);
  expect(cut({ end: -2 })).toEqual([0, 1, 2]);
  expect(cut({ start: -1, end: 0, step: -2 })).toEqual([4, 2]);
  expect(cut({ step: -1 })).toEqual([4, 3, 2, 1, 0]);
});

test("the pieces of a split, concatenated, are x", () => {
  fc.assert(
    fc.property(withAxis(), fc.nat(3), ({ x, axis }, cut) => {
      const extent = x.shape[axis] ?? 1;
      const sizes = cut > 0 && cut < extent ? [cut, extent - cut] : [extent];
      const y = valueOf((t) => concat(split(t, sizes, axis), axis), x);
      expect([y.shape, [...y.data]]).toEqual([x.shape, x.data]);
    }),
    runs,
  );
});

test("a stack has its parts side by side on the new axis", () => {
  const y = valueOf((a, b) => stack([a, b], -1), line([1, 2]), line([3, 4]));
  expect([y.shape, [...y.data]]).toEqual([
    [2, 2],
    [1, 3, 2, 4],
  ]);
});

test("padding surrounds x by a value", () => {
  const y = valueOf((t) => zeroPad(t, { before: [1, 0], after: [0, 2], value: 9 }), {
    shape: [1, 2],
    data: [1, 2],
  });
  expect([y.shape, [...y.data]]).toEqual([
    [2, 4],
    [9, 9, 9, 9, 1, 2, 9, 9],
  ]);
});

test("what changes nothing adds no node", () => {
  expect(reshape(x, [-1, 3])).toBe(x);
  expect(transpose(x, [0, 1])).toBe(x);
  expect(expand(x, [2, 3])).toBe(x);
  expect(slice(x, { axis: 0 })).toBe(x);
  expect(concat([x], 0)).toBe(x);
  expect(zeroPad(x, { before: [0, 0], after: [0, 0] })).toBe(x);
});

test("errors", () => {
  expect(() => reshape(x, [4, -1])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Reshape: [2, 3] does not fill [4, -1].]`,
  );
  expect(() => reshape(x, [-1, -1])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Reshape: [2, 3] does not fill [-1, -1].]`,
  );
  expect(() => reshape(x, [7])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Reshape: [2, 3] does not fill [7].]`,
  );
  expect(() => transpose(x, [0, 0])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Transpose: [0, 0] does not permute [2, 3].]`,
  );
  expect(() => transpose(x, [0, 2])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Transpose: axis 2 is outside a tensor of rank 2.]`,
  );
  expect(() => expand(x, [2, 4])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Expand: [2, 3] does not expand to [2, 4].]`,
  );
  expect(() => slice(x, { axis: 1, start: 1, end: 9 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Slice: 8 elements from 1 on, 1 apart, do not lie within axis 1 of [2, 3].]`,
  );
  expect(() => slice(x, { axis: 1, start: 2, end: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Slice: 0 elements from 2 on, 1 apart, do not lie within axis 1 of [2, 3].]`,
  );
  expect(() => concat([x, input("w", { shape: [2, 4] })], 0)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Concat: float32 [2, 3] and float32 [2, 4] differ elsewhere than along axis 0.]`,
  );
  expect(() => concat([], 0)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Concat: there is nothing to concatenate.]`,
  );
  expect(() => split(x, [1, 1], 1)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Split: sizes [1, 1] do not fill axis 1 of [2, 3].]`,
  );
  expect(() => squeeze(x, 0)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Squeeze: axis 0 of [2, 3] has more than one element.]`,
  );
  expect(() => unsqueeze(x, 4)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Unsqueeze: axis 4 is outside a tensor of rank 3.]`,
  );
  expect(() => zeroPad(x, { before: [-1, 0], after: [0, 0] })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: Pad: before [-1, 0] and after [0, 0] are not one count of 0 or more per axis of [2, 3].]`,
  );
});
