import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSampler } from "./sampler.ts";

const anySampler = fc.record({
  length: fc.integer({ min: 1, max: 3000 }),
  seed: fc.integer({ min: 0, max: 2 ** 53 - 1 }),
  stream: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});

const order = (seed: number, stream: number, epoch: number) =>
  createSampler({ length: 50, seed, stream })
    .nextBatch(epoch * 50, 50)
    .indices.join();

describe("sampler", () => {
  test("every epoch is a permutation", () => {
    fc.assert(
      fc.property(anySampler, fc.integer({ min: 0, max: 1e6 }), (options, epoch) => {
        const { indices } = createSampler(options).nextBatch(
          epoch * options.length,
          options.length,
        );
        expect(indices.toSorted()).toEqual(
          Int32Array.from({ length: options.length }, (_, i) => i),
        );
      }),
      { numRuns: 60 },
    );
  });

  test("resuming at any cursor, with any batch sizes, continues the straight order", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(anySampler, sizes, (options, batches) => {
        const total = batches.reduce((a, b) => a + b);
        const straight = createSampler(options).nextBatch(0, total);
        const parts: number[] = [];
        let cursor = 0;
        for (const n of batches) {
          const next = createSampler(options).nextBatch(cursor, n);
          parts.push(...next.indices);
          cursor = next.cursor;
        }
        expect(parts).toEqual(Array.from(straight.indices));
        expect(cursor).toBe(straight.cursor);
      }),
      { numRuns: 60 },
    );
  });

  test("each record is as likely at each position (chi-squared over 6,000 epochs)", () => {
    const length = 10;
    const nEpochs = 6000;
    const { indices } = createSampler({ length, seed: 3, stream: 4 }).nextBatch(
      0,
      length * nEpochs,
    );
    const counts = Array.from({ length }, () => new Int32Array(length));
    indices.forEach((record, at) => {
      const row = counts[at % length];
      if (row) row[record] = (row[record] ?? 0) + 1;
    });
    const expected = nEpochs / length;
    const chi2 = counts
      .flatMap((row) => Array.from(row, (c) => (c - expected) ** 2 / expected))
      .reduce((a, b) => a + b);
    expect(chi2).toBeLessThan(135); // 81 degrees of freedom: 99.99 % lie below
  });

  test("neighbours in the order are not neighbours in the set", () => {
    const length = 5000;
    const { indices } = createSampler({ length, seed: 1, stream: 0 }).nextBatch(0, length);
    const adjacent = indices.filter((v, i) => i > 0 && Math.abs(v - (indices[i - 1] ?? 0)) === 1);
    expect(adjacent.length).toBeLessThan(12); // 2 are expected by chance
  });

  test("seed, stream and epoch each give another order", () => {
    expect(new Set([order(0, 0, 0), order(1, 0, 0), order(0, 1, 0), order(0, 0, 1)]).size).toBe(4);
  });

  test("an empty set is refused", () => {
    expect(() =>
      createSampler({ length: 0, seed: 0, stream: 0 }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: A set of 0 records cannot be shuffled: it takes 1 to 1073741824.]`,
    );
  });
});
