import fc from "fast-check";
import { expect, test } from "vitest";
import { interpret } from "../interpret.ts";
import { sizeOf, type Shape, type Tensor } from "../ir.ts";
import { firDown, firUp, upfirdn2d } from "./fir.ts";
import { affineGrid, gridSample } from "./grid-sample.ts";
import { constant, input } from "./leaf.ts";
import { pad } from "./pad.ts";
import { avgPool, maxPool } from "./pool.ts";
import {
  downsample,
  pixelShuffle,
  pixelUnshuffle,
  resizeBicubic,
  resizeBilinear,
  upsampleNearest,
} from "./resample.ts";

// Padding, pooling, resampling and sampling by values that a person can check.

const counting = (shape: Shape): Tensor =>
  constant(
    Array.from({ length: sizeOf(shape) }, (_, i) => i),
    { shape },
  );
const values = (y: Tensor): number[] =>
  Array.from(interpret({ inputs: [], outputs: { y } }, {})["y"]?.data ?? []);
const row = (...numbers: number[]): Tensor =>
  constant(numbers, { shape: [1, 1, 1, numbers.length] });
const column = (...numbers: number[]): Tensor =>
  constant(numbers, { shape: [1, 1, numbers.length, 1] });

test("the modes of padding", () => {
  const x = constant([1, 2, 3], { shape: [3] });
  const padded = (mode: "constant" | "reflect" | "edge") =>
    values(pad(x, { before: [2], after: [1], mode }));
  expect(padded("constant")).toEqual([0, 0, 1, 2, 3, 0]);
  expect(padded("reflect")).toEqual([3, 2, 1, 2, 3, 2]);
  expect(padded("edge")).toEqual([1, 1, 1, 2, 3, 3]);
});

test("pooling takes the mean and the maximum of windows", () => {
  const x = counting([1, 1, 4, 4]);
  expect(values(avgPool(x, { kernel: 2 }))).toEqual([2.5, 4.5, 10.5, 12.5]);
  expect(values(maxPool(x, { kernel: 2 }))).toEqual([5, 7, 13, 15]);
  expect(values(maxPool(x, { kernel: 3, stride: 2, pads: 1 }))).toEqual([5, 7, 13, 15]);
  expect(values(maxPool(row(-5, -7), { kernel: [1, 3], stride: 1, pads: [0, 1, 0, 1] }))).toEqual([
    -5, -5,
  ]);
  const padded = avgPool(row(3, 6), { kernel: [1, 3], stride: 1, pads: [0, 1, 0, 1] });
  expect(values(padded).map((v) => Math.round(v * 1e9) / 1e9)).toEqual([3, 3]);
});

test("bicubic resizing by Keys' kernel, widened where the image gets smaller, mirrored at the border", () => {
  // Half a pixel off: (-1, 9, 9, -1) / 16, with 1 2 3 mirrored to 1 | 1 2 3 | 3.
  const near = values(resizeBicubic(row(1, 2, 3), { size: [1, 6] }));
  const w = (t: number) => 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  const v = (t: number) => -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2;
  expect(near[2]).toBeCloseTo(v(1.75) * 1 + w(0.75) * 1 + w(0.25) * 2 + v(1.25) * 3, 12);
  // To a half: taps at odd quarters of the kernel, each half as high.
  const taps = [v(1.75), v(1.25), w(0.75), w(0.25)].map((t) => t / 2);
  const weights = [...taps, ...taps.toReversed()];
  const numbers = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];
  const smaller = values(resizeBicubic(column(...numbers), { size: [6, 1] }));
  const inside = [2, 3].map((i) =>
    weights.reduce((sum, t, k) => sum + t * (numbers[2 * i - 3 + k] ?? NaN), 0),
  );
  expect(smaller[2]).toBeCloseTo(inside[0] ?? NaN, 12);
  expect(smaller[3]).toBeCloseTo(inside[1] ?? NaN, 12);
  const first = weights.reduce((sum, t, k) => sum + t * (numbers[[2, 1, 0][k] ?? k - 3] ?? NaN), 0);
  expect(smaller[0]).toBeCloseTo(first, 12);
});

test("nearest and bilinear resizing", () => {
  expect(values(upsampleNearest(row(1, 2), { scale: [1, 2] }))).toEqual([1, 1, 2, 2]);
  expect(values(downsample(counting([1, 1, 2, 4]), { scale: 2 }))).toEqual([2.5, 4.5]);
  expect(values(resizeBilinear(row(0, 1), { size: [1, 4] }))).toEqual([0, 0.25, 0.75, 1]);
  expect(values(resizeBilinear(row(0, 1, 2, 3), { size: [1, 2] }))).toEqual([0.5, 2.5]);
  expect(values(resizeBilinear(column(0, 3), { size: [4, 1], alignCorners: true }))).toEqual([
    0, 1, 2, 3,
  ]);
});

test("pixelShuffle lays channels out in blocks, and pixelUnshuffle undoes it", () => {
  expect(values(pixelShuffle(counting([1, 4, 1, 2]), { factor: 2 }))).toEqual([
    0, 2, 1, 3, 4, 6, 5, 7,
  ]);
  const x = counting([2, 8, 3, 2]);
  expect(values(pixelUnshuffle(pixelShuffle(x, { factor: 2 }), { factor: 2 }))).toEqual(values(x));
});

test("upfirdn2d inserts zeros, pads, convolves and decimates in this order", () => {
  const size = fc.integer({ min: 1, max: 6 });
  const tap = fc.integer({ min: -3, max: 3 });
  fc.assert(
    fc.property(
      fc.array(tap, { minLength: 1, maxLength: 6 }),
      fc.array(tap, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 3 }),
      size,
      fc.integer({ min: -2, max: 4 }),
      (x, filter, up, down, before, after) => {
        const spread = x.flatMap((v) => [v, ...Array.from({ length: up - 1 }, () => 0)]);
        const ended = after < 0 ? spread.slice(0, after) : [...spread, ...zeros(after)];
        const padded = [...zeros(before), ...ended];
        fc.pre(padded.length >= filter.length && spread.length + after >= 0);
        const convolved = padded
          .slice(filter.length - 1)
          .map((_, i) =>
            filter.reduce((sum, f, k) => sum + f * (padded[i + filter.length - 1 - k] ?? 0), 0),
          );
        const stated = convolved.filter((_, i) => i % down === 0);
        // The filter is for both axes: the first row of the result sees the only row through its first tap.
        const y = upfirdn2d(row(...x), {
          filter,
          up,
          down,
          pads: [filter.length - 1, before, 0, after],
        });
        const first = values(y).slice(0, stated.length);
        expect(first.map((v) => v + 0)).toEqual(stated.map((v) => v * (filter[0] ?? 0) + 0));
      },
    ),
  );
});
const zeros = (n: number): number[] => Array.from({ length: Math.max(n, 0) }, () => 0);

test("FIR resampling keeps constants away from the border and doubles or halves the size", () => {
  const ones = constant(
    Array.from({ length: 64 }, () => 1),
    { shape: [1, 1, 8, 8] },
  );
  const filter = [1, 3, 3, 1];
  const [up, down] = [firUp(ones, { filter }), firDown(ones, { filter })];
  expect([up.shape, down.shape]).toEqual([
    [1, 1, 16, 16],
    [1, 1, 4, 4],
  ]);
  expect(values(up)[8 * 16 + 8]).toBeCloseTo(1, 12);
  expect(values(down)[4 + 1]).toBeCloseTo(1, 12);
});

test("an unturned grid reads the image itself; outside, the padding decides", () => {
  const x = counting([1, 2, 3, 4]);
  const theta = constant([1, 0, 0, 0, 1, 0], { shape: [1, 2, 3] });
  for (const alignCorners of [false, true]) {
    const grid = affineGrid(theta, { size: [3, 4], alignCorners });
    const read = values(gridSample(x, grid, { alignCorners }));
    values(x).forEach((v, i) => expect(read[i]).toBeCloseTo(v, 9));
  }
  // Two pixels left of the first one's centre, and half a pixel right of the last one's.
  const image = row(1, 2, 3, 4);
  const grid = constant([-1.75, 0, 1, 0], { shape: [1, 1, 2, 2] });
  expect(values(gridSample(image, grid))).toEqual([0, 2]);
  expect(values(gridSample(image, grid, { padding: "border" }))).toEqual([1, 4]);
  expect(values(gridSample(image, grid, { padding: "reflection" }))).toEqual([2, 4]);
});

function message(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "no error";
}

test("errors of padding, resampling and sampling", () => {
  const x = input("x", { shape: [2, 4, 5, 5] });
  expect(
    [
      () => pad(x, { before: [0, 0, 5, 0], after: [0, 0, 0, 0], mode: "reflect" }),
      () => pad(x, { before: [1], after: [1], mode: "edge" }),
      () => avgPool(x, { kernel: 6 }),
      () => maxPool(x, { kernel: [2, 2, 2] }),
      () => downsample(x, { scale: 2 }),
      () => resizeBilinear(input("r", { shape: [2, 3, 4] }), { size: [2, 2] }),
      () => pixelShuffle(x, { factor: 3 }),
      () => pixelUnshuffle(x, { factor: 2 }),
      () => pixelShuffle(input("r", { shape: [2, 3, 4] }), { factor: 2 }),
      () => upfirdn2d(x, { filter: [1, 1], up: 0 }),
      () => upfirdn2d(x, { filter: [1, 1, 1, 1, 1, 1] }),
      () => upfirdn2d(input("r", { shape: [2, 3, 4] }), { filter: [1] }),
      () => gridSample(x, input("g", { shape: [1, 2, 2, 2] })),
      () => affineGrid(x, { size: [2, 2] }),
    ].map(message),
  ).toMatchInlineSnapshot(`
    [
      "Pad: reflect cannot pad axis 2 of [2, 4, 5, 5] by 5 and 0. Reflection needs less padding than the axis is long.",
      "Pad: before [1] and after [1] need one entry per axis.",
      "AveragePool: kernel [6, 6] reaches over 6 places, the padded input has 5.",
      "MaxPool: kernel is [2, 2, 2], expected 2 integers of at least 1.",
      "downsample: size [5, 5] is not divisible by [2, 2].",
      "resizeBilinear: input has shape [2, 3, 4], expected 4 axes.",
      "pixelShuffle: 4 channels are not divisible by factor 3 squared.",
      "pixelUnshuffle: size [5, 5] is not divisible by factor 2.",
      "pixelShuffle: input has shape [2, 3, 4], expected [N, C, H, W].",
      "upfirdn2d: up 0, down 1 and 2 taps; each must be at least 1.",
      "upfirdn2d: 6 taps do not fit into the padded size 5.",
      "upfirdn2d: input has shape [2, 3, 4], expected [N, C, H, W].",
      "gridSample: image [2, 4, 5, 5] and grid [1, 2, 2, 2] are not [N, C, H, W] and [N, H', W', 2].",
      "affineGrid: theta has shape [2, 4, 5, 5], expected [N, 2, 3].",
    ]
  `);
});
