import { constant, interpret, matmul, scheduled, type Tensor } from "@duelo/core";
import { describe, expect, test } from "vitest";
import { halfLife } from "./averages.ts";
import { packs } from "./packs.ts";
import { slopeSquared, zeroCentred } from "./penalties.ts";

const valuesOf = (y: Tensor): number[] => [
  ...(interpret({ inputs: [], outputs: { y } }, {})["y"]?.data ?? []),
];
const counting = (shape: readonly number[]): Tensor =>
  constant(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i),
    { shape },
  );

describe("packs", () => {
  test("lay neighbours on one another as channels, whole", () => {
    const y = packs(counting([4, 1, 2, 2]), { pack: 2 });
    expect(y.shape).toEqual([2, 2, 2, 2]);
    expect(valuesOf(y)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(packs(counting([6, 2]), { pack: 3 }).shape).toEqual([2, 6]);
  });
  test("refuse a batch that does not divide", () => {
    expect(() => packs(counting([100, 2]), { pack: 3 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: A batch of 100 does not divide into packs of 3; take 99 or 102, for example --set batch=102.]`,
    );
  });
});

describe("R1 and R2", () => {
  const w = constant([3, -4], { shape: [2, 1] });
  const D = (x: Tensor): Tensor => matmul(x, w);
  test("of a linear D are gamma / 2 of the squared length of its weight, wherever", () => {
    expect(valuesOf(slopeSquared(D, counting([5, 2])))).toEqual([25, 25, 25, 25, 25]);
    expect(valuesOf(zeroCentred(D, { at: counting([5, 2]), gamma: 0.4 }))[0]).toBeCloseTo(5, 6);
  });
});

describe("halfLife", () => {
  const clock = (nImages: number) => ({ step: 0, nImages, progress: 0 });
  test("forgets half in that many images", () => {
    const decay = scheduled(halfLife({ batch: 64, images: 6400 }), clock(1e9));
    expect(decay ** 100).toBeCloseTo(0.5, 12);
  });
  test("forgets sooner at first, and at once before the first image", () => {
    const rule = halfLife({ batch: 64, images: 6400, rampUp: 0.05 });
    expect(scheduled(rule, clock(12_800))).toBeCloseTo(0.5 ** (64 / 640), 12);
    expect(scheduled(rule, clock(0))).toBeLessThan(1e-5);
    expect(scheduled(halfLife({ batch: 64, images: 0 }), clock(5))).toBe(0);
  });
});
