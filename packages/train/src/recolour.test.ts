import { expect, test } from "vitest";
import { labOf, recoloured, rgbOf } from "./recolour.ts";

test("known colours, and back", () => {
  const rounded = (v: readonly number[]) => v.map((x) => Math.round(x * 10) / 10 + 0);
  expect(rounded(labOf([1, 0, 0]))).toEqual([53.2, 80.1, 67.2]);
  expect(rounded(labOf([0, 1, 0]))).toEqual([87.7, -86.2, 83.2]);
  expect(rounded(labOf([0, 0, 1]))).toEqual([32.3, 79.2, -107.9]);
  for (let i = 0; i < 125; i++) {
    const rgb = [i % 5, Math.floor(i / 5) % 5, Math.floor(i / 25)].map((v) => v / 4);
    const [r = 0, g = 0, b = 0] = rgb;
    const back = rgbOf(labOf([r, g, b]));
    for (const [k, v] of back.entries()) expect(v).toBeCloseTo(rgb[k] ?? NaN, 9);
  }
});

test("a picture keeps size, lightness and alpha, and takes colours from between the smaller one's pixels", () => {
  const [height, width] = [2, 8];
  const grey = Uint8Array.from({ length: height * width * 2 }, (_, i) => (i % 2 === 0 ? 128 : i));
  const picture = { data: grey, height, width, channels: 2 };
  // a* rises from 0 to 20 over two pixels, b* is 10.
  const colours = { ab: Float32Array.of(0, 20, 10, 10), height: 1, width: 2 };
  const out = recoloured({ picture, colours });
  expect([out.height, out.width, out.channels]).toEqual([2, 8, 4]);
  const lab = (x: number) => {
    const [r = 0, g = 0, b = 0] = out.data.slice(4 * x, 4 * x + 3);
    return labOf([r / 255, g / 255, b / 255]);
  };
  const [L] = labOf([128 / 255, 128 / 255, 128 / 255]);
  for (const [x, a] of [
    [0, 0],
    [2, 2.5],
    [3, 7.5],
    [4, 12.5],
    [7, 20],
  ] as const) {
    expect(Math.abs(lab(x)[0] - L)).toBeLessThan(0.6); // half a step of a byte
    expect(Math.abs(lab(x)[1] - a)).toBeLessThan(0.6);
    expect(Math.abs(lab(x)[2] - 10)).toBeLessThan(0.6);
  }
  expect(out.data[7]).toBe(3);
});
