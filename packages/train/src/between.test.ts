import { expect, test } from "vitest";
import { lerp, slerp } from "./between.ts";

const length = (v: ArrayLike<number>): number => Math.hypot(...Array.from(v));
const angle = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  const dot = Array.from(a).reduce((sum, v, i) => sum + v * (b[i] ?? 0), 0);
  return Math.acos(Math.min(1, dot / (length(a) * length(b))));
};

test("slerp turns evenly from one direction to the other and keeps the length of both", () => {
  const [a, b] = [
    [3, 0, 4],
    [0, -5, 0],
  ] as const;
  for (const t of [0, 0.2, 0.5, 0.9, 1]) {
    const at = slerp(a, b, t);
    expect(length(at)).toBeCloseTo(5, 12);
    expect(angle(a, at)).toBeCloseTo((t * Math.PI) / 2, 7);
    // In the plane of a and b: nothing across it.
    expect(4 * (at[0] ?? 0) - 3 * (at[2] ?? 0)).toBeCloseTo(0, 12);
  }
  expect(Array.from(slerp([1, 0], [0, 3], 0.5))).toEqual([
    expect.closeTo(Math.SQRT1_2),
    expect.closeTo(3 * Math.SQRT1_2),
  ]);
});

test("slerp is the straight line where there is no arc", () => {
  expect(Array.from(slerp([1, 2], [2, 4], 0.25))).toEqual([1.25, 2.5]);
  expect(Array.from(slerp([0, 0], [2, 4], 0.5))).toEqual([1, 2]);
  expect(Array.from(slerp([1, 0], [-1, 0], 0.5))).toEqual([0, 0]);
  expect(Array.from(lerp([1, 2], [3, 6], 0.5))).toEqual([2, 4]);
});
