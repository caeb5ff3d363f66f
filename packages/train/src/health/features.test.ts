import { describe, expect, test } from "vitest";
import { fillUniform, streamOf } from "../random.ts";
import { pictureFeatures, vectorFeatures } from "./features.ts";

const random = (n: number, counter: number): Float32Array => {
  const values = new Float32Array(n);
  fillUniform(values, { seed: 1, stream: streamOf("test features"), counter });
  return values;
};
const distance = (a: Float32Array, b: Float32Array): number =>
  Math.sqrt(a.reduce((sum, v, i) => sum + (v - (b[i] ?? 0)) ** 2, 0));

describe("pictures as short vectors", () => {
  test("are the pixels from 0 to 1 where there are few", () => {
    const bytes = pictureFeatures({ shape: [1, 2, 2], range: [0, 255], seed: 0 });
    expect(bytes.dim).toBe(4);
    expect(Array.from(bytes.of([0, 51, 102, 255, 255, 0, 0, 0], 2))).toEqual(
      [0, 0.2, 0.4, 1, 1, 0, 0, 0].map((v) => expect.closeTo(v, 6) as number),
    );
    const signed = pictureFeatures({ shape: [1, 2, 2], range: [-1, 1], seed: 0 });
    expect(Array.from(signed.of([-1, 0, 0.5, 1], 1))).toEqual([0, 0.5, 0.75, 1]);
  });

  test("are means over cells, each channel for itself", () => {
    const { dim, of } = pictureFeatures({ shape: [2, 16, 1], range: [0, 1], seed: 0 });
    expect(dim).toBe(16);
    const values = Float32Array.from({ length: 32 }, (_, i) => (i % 2) + (i < 16 ? 0 : 1));
    expect(Array.from(of(values, 1))).toEqual([...Array(8).fill(0.5), ...Array(8).fill(1.5)]);
  });

  test("keep their distances, roughly, when many numbers become 32", () => {
    const request = { shape: [3, 8, 8], range: [0, 1], seed: 3 } as const;
    const { dim, of } = pictureFeatures(request);
    expect(dim).toBe(32);
    const ratios = Array.from({ length: 40 }, (_, i) => {
      const [a, b] = [random(192, 2 * i), random(192, 2 * i + 1)];
      return distance(of(a, 1), of(b, 1)) / distance(a, b);
    });
    const mean = ratios.reduce((x, y) => x + y, 0) / ratios.length;
    expect(Math.abs(mean - 1)).toBeLessThan(0.15);
    expect(Math.max(...ratios.map((r) => Math.abs(r - 1)))).toBeLessThan(0.6);
    const picture = random(192, 0);
    expect(pictureFeatures(request).of(picture, 1)).toEqual(of(picture, 1)); // the same seed
    expect(pictureFeatures({ ...request, seed: 4 }).of(picture, 1)).not.toEqual(of(picture, 1));
  });
});

test("rows of tables: each column less its mean over its deviation, a constant one tells nothing", () => {
  const { dim, of } = vectorFeatures({ shape: [3], reals: [0, 7, 10, 4, 7, 30], seed: 0 });
  expect(dim).toBe(3);
  expect(Array.from(of([0, 7, 10, 2, 9, 40], 2))).toEqual([-1, 0, -1, 0, 0, 2]);
});
