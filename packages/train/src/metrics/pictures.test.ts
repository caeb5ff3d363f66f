import { describe, expect, test } from "vitest";
import { inChannels, l1Distance, psnr, takePictures, type Pictures } from "./pictures.ts";
import { msSsim, msSsimDiversity, scalesOf, ssim } from "./ssim.ts";
import { normalRows } from "./testing/sets.ts";

const noise = (n: number, side: number, seed: number): Pictures => ({
  shape: [n, 1, side, side],
  data: normalRows({ rows: n, cols: side * side, seed, sigma: 0.2 }).data,
});

test("L1 is the mean distance in parts of the range", () => {
  const a: Pictures = { shape: [2, 1, 1, 2], data: Uint8Array.of(10, 20, 7, 7) };
  const b: Pictures = { shape: [2, 1, 1, 2], data: Uint8Array.of(11, 17, 7, 7) };
  expect([...l1Distance({ a, b, range: 255 })]).toEqual([2 / 255, 0]);
  expect([...l1Distance({ a, b, range: 4 })]).toEqual([0.5, 0]);
});

test("channels: grey in every colour, opaque alpha, alpha left out", () => {
  const of = (...pixels: number[]): Pictures => ({
    shape: [2, pixels.length / 2, 1, 1],
    data: Uint8Array.from(pixels),
  });
  expect(inChannels(of(7, 9), 3)).toEqual(of(7, 7, 7, 9, 9, 9));
  expect(inChannels(of(7, 9), 4)).toEqual(of(7, 7, 7, 255, 9, 9, 9, 255));
  expect(inChannels(of(7, 9), 2)).toEqual(of(7, 255, 9, 255));
  expect(inChannels(of(1, 2, 3, 4, 5, 6), 4)).toEqual(of(1, 2, 3, 255, 4, 5, 6, 255));
  expect(inChannels(of(1, 2, 3, 0, 4, 5, 6, 0), 3)).toEqual(of(1, 2, 3, 4, 5, 6));
});

describe("PSNR", () => {
  test("is 48.13 dB for a mean squared error of 1 in 255", () => {
    const a: Pictures = { shape: [2, 1, 1, 2], data: Uint8Array.of(10, 20, 7, 7) };
    const b: Pictures = { shape: [2, 1, 1, 2], data: Uint8Array.of(11, 19, 7, 7) };
    const [off, equal] = psnr({ a, b, range: 255 });
    expect(off).toBeCloseTo(48.13, 2);
    expect(equal).toBe(Infinity);
  });

  test("depends on the range that is named", () => {
    const [a, b] = [noise(1, 8, 1), noise(1, 8, 2)];
    const [wide, narrow] = [2, 1].map((range) => psnr({ a, b, range })[0] ?? NaN);
    expect((wide ?? NaN) - (narrow ?? NaN)).toBeCloseTo(20 * Math.log10(2), 10);
  });
});

describe("SSIM and MS-SSIM", () => {
  test("are 1 for equal pictures and symmetric for others", () => {
    const [a, b] = [noise(2, 24, 1), noise(2, 24, 2)];
    for (const metric of [ssim, msSsim]) {
      for (const value of metric({ a, b: a, range: 1 })) expect(value).toBeCloseTo(1, 12);
      const turned = metric({ a: b, b: a, range: 1 });
      metric({ a, b, range: 1 }).forEach((v, i) => expect(v).toBeCloseTo(turned[i] ?? NaN, 12));
    }
  });

  test("a negative is unlike: SSIM below 0, MS-SSIM 0", () => {
    const { shape, data } = noise(1, 24, 1);
    const a = { shape, data: Float64Array.from(data, (v) => 0.5 + v) };
    const b = { shape, data: Float64Array.from(data, (v) => 0.5 - v) };
    expect(ssim({ a, b, range: 1 })[0]).toBeLessThan(-0.5);
    expect(msSsim({ a, b, range: 1 })[0]).toBe(0);
  });

  test("small pictures have fewer scales", () => {
    const scales = [11, 21, 22, 28, 32, 64, 176].map((side) => scalesOf(noise(1, side, 1)));
    expect(scales).toEqual([1, 1, 2, 2, 2, 3, 5]);
  });

  test("diversity: 1 for one picture again and again, lower for different ones", () => {
    const same = takePictures(noise(1, 16, 1), [0, 0, 0, 0]);
    expect(msSsimDiversity({ pictures: same, range: 1, pairs: 5 }).mean).toBeCloseTo(1, 12);
    // Of two pictures, a pair is never a picture with itself.
    const two = noise(2, 16, 1);
    const { values } = msSsimDiversity({ pictures: two, range: 1, pairs: 20 });
    expect(Math.max(...values)).toBeLessThan(0.9);
  });

  test("refuse what they cannot compare", () => {
    const [a, b] = [noise(1, 8, 1), noise(1, 9, 1)];
    expect(() => ssim({ a, b, range: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: SSIM compares pictures pair by pair, and these are 1 x 1 x 8 x 8 and 1 x 1 x 9 x 9 (pictures x channels x height x width).]`,
    );
    expect(() => ssim({ a, b: a, range: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: SSIM looks through a window of 11 x 11 pixels, and these pictures have 8 x 8.]`,
    );
    expect(() => psnr({ a, b: a, range: 0 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The signal-to-noise ratio needs the range of the pixels, above 0; it is 0.]`,
    );
    const diverged = { ...a, data: new Float32Array(64).fill(NaN) };
    expect(() => psnr({ a, b: diverged, range: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The signal-to-noise ratio needs finite pixels, and picture 0 has NaN. A net that has diverged gives such pixels.]`,
    );
    expect(() => msSsimDiversity({ pictures: a, range: 1 })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: The diversity of pictures needs at least 2 of them, and there are 1.]`,
    );
  });
});
