import { erf, input, interpret, mul } from "@duelo/core";
import { describe, expect, test } from "vitest";
import {
  fillInts,
  fillNormal,
  fillUniform,
  fillWords,
  streamOf,
  type RandomKey,
} from "./random.ts";
import { nodeFileSystem, withFile } from "./run/file-system.ts";
import { readSafetensors } from "./run/safetensors.ts";

const key = { seed: 1, stream: 2, counter: 3 };

const normals = (n: number, of: RandomKey): Float32Array => {
  const out = new Float32Array(n);
  fillNormal(out, of);
  return out;
};

/** P(N(0, 1) < x) for each x. */
function normalCdf(x: Float32Array): Float64Array {
  const t = input("x", { shape: [x.length] });
  const { y } = interpret({ inputs: [t], outputs: { y: erf(mul(t, Math.SQRT1_2)) } }, { x });
  return (y?.data ?? new Float64Array()).map((e) => (1 + e) / 2);
}

function moments(values: Float32Array): { mean: number; variance: number; fourth: number } {
  let mean = 0;
  for (const v of values) mean += v / values.length;
  let variance = 0;
  let fourth = 0;
  for (const v of values) {
    variance += (v - mean) ** 2 / values.length;
    fourth += (v - mean) ** 4 / values.length;
  }
  return { mean, variance, fourth };
}

describe("known answers", async () => {
  // scripts/golden/random_numbers.py: the same formulas, written a second time.
  const { tensors } = await withFile(
    nodeFileSystem,
    `${import.meta.dirname}/../../../test/golden/random.safetensors`,
    "read",
    readSafetensors,
  );
  test.each<[string, RandomKey]>([
    ["small", key],
    ["large", { seed: 5 * 2 ** 32 + 7, stream: 0xfffffffe, counter: 2 ** 33 + 9 }],
    ["long", { seed: 0, stream: 0, counter: 0 }],
  ])("of the key called %s", (name, of) => {
    const [normal, uniform, whole] = ["normal", "uniform", "ints"].map(
      (kind) => tensors[`${name}/${kind}`]?.data as Float32Array,
    );
    expect(normals(normal?.length ?? 0, of)).toEqual(normal);
    const [u, ints] = [new Float32Array(500), new Int32Array(500)];
    fillUniform(u, of);
    expect(u).toEqual(uniform);
    fillInts(ints, 1_000_003, of);
    expect(Float32Array.from(ints)).toEqual(whole);
  });
});

describe("fills", () => {
  test("uniform stays in [0, 1) with the moments of a uniform", () => {
    const out = new Float32Array(400_000);
    fillUniform(out, key);
    expect(out.every((v) => v >= 0 && v < 1)).toBe(true);
    const { mean, variance } = moments(out);
    expect(Math.abs(mean - 1 / 2)).toBeLessThan(0.002);
    expect(Math.abs(variance - 1 / 12)).toBeLessThan(0.001);
  });

  test("normal has the moments and the tails of N(0, 1)", () => {
    const out = normals(400_000, key);
    const { mean, variance, fourth } = moments(out);
    expect(Math.abs(mean)).toBeLessThan(0.006);
    expect(Math.abs(variance - 1)).toBeLessThan(0.01);
    expect(Math.abs(fourth - 3)).toBeLessThan(0.06);
    const beyond2 = out.filter((v) => Math.abs(v) > 2).length / out.length;
    expect(Math.abs(beyond2 - 0.0455)).toBeLessThan(0.0015);
  });

  test("normal follows the cumulative distribution (Kolmogorov-Smirnov)", () => {
    const n = 500_000;
    const cdf = normalCdf(normals(n, key).toSorted());
    let distance = 0;
    for (const [i, p] of cdf.entries()) {
      distance = Math.max(distance, Math.abs(p - i / n), Math.abs(p - (i + 1) / n));
    }
    expect(Math.sqrt(n) * distance).toBeLessThan(1.63); // exceeded once in 100 times by N(0, 1) itself
  });

  test("the far tails hold as many as they should, on both sides", () => {
    const n = 8_000_000;
    const values = normals(n, { ...key, counter: 4 });
    // 3.654 is where the ziggurat's last layer ends.
    for (const beyond of [3.5, 3.654, 3.7, 4, 4.5, 5]) {
      const expected = n * (normalCdf(Float32Array.of(-beyond))[0] ?? 0);
      for (const side of [1, -1]) {
        let count = 0;
        for (const v of values) if (v * side > beyond) count++;
        expect(Math.abs(count - expected)).toBeLessThan(4 * Math.sqrt(expected));
      }
    }
  });

  test.each([
    ["itself, one further", key, 1],
    ["itself, 256 further", key, 256],
    ["the next counter", { ...key, counter: 4 }, 0],
    ["the next stream", { ...key, stream: 3 }, 0],
    ["the next seed", { ...key, seed: 2 }, 0],
    ["another high word", { ...key, seed: 1 + 2 ** 32 }, 0],
  ])("normals are not correlated with %s, nor are their squares", (_, other, shift) => {
    const n = 400_000;
    const a = normals(n, key);
    const b = normals(n + shift, other).subarray(shift);
    let [product, squares] = [0, 0];
    for (const [i, x] of a.entries()) {
      const y = b[i] ?? 0;
      product += (x * y) / n; // variance 1 / n
      squares += ((x * x - 1) * (y * y - 1)) / n; // variance 4 / n
    }
    expect(Math.abs(product)).toBeLessThan(4 / Math.sqrt(n));
    expect(Math.abs(squares)).toBeLessThan(8 / Math.sqrt(n));
  });

  test("every bit of a word is set half of the time", () => {
    const n = 100_000;
    const words = new Uint32Array(n);
    fillWords(words, key);
    for (let bit = 0; bit < 32; bit++) {
      const nSet = words.reduce((sum, w) => sum + ((w >>> bit) & 1), 0);
      expect(Math.abs(nSet - n / 2)).toBeLessThan(4 * Math.sqrt(n / 4));
    }
  });

  test("ints cover 0..n-1 evenly", () => {
    const out = new Int32Array(70_000);
    fillInts(out, 7, key);
    const counts = Array.from({ length: 7 }, (_, v) => out.filter((x) => x === v).length);
    expect(counts.reduce((a, b) => a + b)).toBe(out.length);
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  test("a shorter fill is the start of a longer one; seed, stream and counter each change it", () => {
    expect(normals(20_000, key).subarray(0, 10_001)).toEqual(normals(10_001, key));
    const keys = [key, { ...key, seed: 2 }, { ...key, stream: 3 }, { ...key, counter: 4 }];
    const firsts = keys.map((k) => normals(1, k)[0]);
    expect(new Set(firsts).size).toBe(4);
  });

  test("streams come from names", () => {
    expect(streamOf("foobar")).toBe(0xbf9cf968); // published FNV-1a test value
  });

  test("a key out of range is refused", () => {
    expect(() =>
      fillNormal(new Float32Array(1), { ...key, stream: -1 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: stream is -1; it must be a whole number from 0 to below 4294967296]`,
    );
    expect(() => fillInts(new Int32Array(1), 0, key)).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: n - 1 is -1; it must be a whole number from 0 to below 2147483648]`,
    );
  });
});
