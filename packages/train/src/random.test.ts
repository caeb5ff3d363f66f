import { describe, expect, test } from "vitest";
import { fillInts, fillNormal, fillUniform, fillWords, philox4x32, streamOf } from "./random.ts";

const hex = (words: Uint32Array) =>
  Array.from(words, (w) => w.toString(16).padStart(8, "0")).join(" ");
const key = { seed: 1, stream: 2, counter: 3 };

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

const block = (b: number) => philox4x32([b, 9, 2, 0xfffffffe], [7, 5]);

describe("Philox4x32-10", () => {
  // The three known answers that Random123 publishes for philox4x32, 10 rounds.
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ] as const)("counter %j, key %j", (counter, k, answer) => {
    expect(hex(philox4x32(counter, k))).toBe(answer);
  });

  test("a key's words are the blocks of its counter", () => {
    const out = new Uint32Array(7);
    fillWords(out, { seed: 5 * 2 ** 32 + 7, stream: 0xfffffffe, counter: 2 ** 33 + 9 });
    expect(hex(out)).toBe(`${hex(block(0))} ${hex(block(1).subarray(0, 3))}`);
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
    const out = new Float32Array(400_000);
    fillNormal(out, key);
    const { mean, variance, fourth } = moments(out);
    expect(Math.abs(mean)).toBeLessThan(0.006);
    expect(Math.abs(variance - 1)).toBeLessThan(0.01);
    expect(Math.abs(fourth - 3)).toBeLessThan(0.06);
    const beyond2 = out.filter((v) => Math.abs(v) > 2).length / out.length;
    expect(Math.abs(beyond2 - 0.0455)).toBeLessThan(0.0015);
  });

  test("neighbouring normals are not correlated", () => {
    const out = new Float32Array(400_000);
    fillNormal(out, key);
    let product = 0;
    for (let i = 1; i < out.length; i++)
      product += ((out[i] ?? 0) * (out[i - 1] ?? 0)) / out.length;
    expect(Math.abs(product)).toBeLessThan(0.006);
  });

  test("ints cover 0..n-1 evenly", () => {
    const out = new Int32Array(70_000);
    fillInts(out, 7, key);
    const counts = Array.from({ length: 7 }, (_, v) => out.filter((x) => x === v).length);
    expect(counts.reduce((a, b) => a + b)).toBe(out.length);
    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400);
  });

  test("the first values of a key are frozen", () => {
    const normal = new Float32Array(5);
    const ints = new Int32Array(5);
    fillNormal(normal, key);
    fillInts(ints, 1000, key);
    expect({ normal: Array.from(normal), ints: Array.from(ints) }).toMatchInlineSnapshot(`
      {
        "ints": [
          446,
          228,
          730,
          670,
          893,
        ],
        "normal": [
          -0.6708143949508667,
          1.0792163610458374,
          1.542507290840149,
          0.759750485420227,
          -0.06877397000789642,
        ],
      }
    `);
  });

  test("a shorter fill is the start of a longer one; seed, stream and counter each change it", () => {
    const fill = (n: number, k: typeof key) => {
      const out = new Float32Array(n);
      fillNormal(out, k);
      return Array.from(out);
    };
    expect(fill(1001, key).slice(0, 7)).toEqual(fill(7, key));
    const firsts = [key, { ...key, seed: 2 }, { ...key, stream: 3 }, { ...key, counter: 4 }].map(
      (k) => fill(1, k)[0],
    );
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
