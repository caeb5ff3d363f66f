import { expect, test } from "vitest";
import { bootstrap, bootstrapMean, quantile } from "./bootstrap.ts";
import { frechetDistance } from "./frechet.ts";
import { takeRows } from "./matrix.ts";
import { normalRows } from "./testing/sets.ts";

test("the interval of a mean is that of the normal theory", () => {
  const values = normalRows({ rows: 400, cols: 1, seed: 5 }).data;
  const mean = values.reduce((a, b) => a + b, 0) / 400;
  const spread = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / 399 / 400);
  const interval = bootstrapMean({ values, resamples: 1000, level: 0.9 });
  expect(interval).toMatchObject({ level: 0.9, resamples: 1000 });
  expect(interval.estimate).toBeCloseTo(mean, 12);
  expect(interval.standardError / spread).toBeCloseTo(1, 1);
  expect((interval.high - mean) / spread).toBeCloseTo(1.645, 0);
  expect((mean - interval.low) / spread).toBeCloseTo(1.645, 0);
});

test("it covers the truth about as often as it says", () => {
  const covered = Array.from({ length: 200 }, (_, seed) => {
    const values = normalRows({ rows: 60, cols: 1, seed }).data;
    const { low, high } = bootstrapMean({ values, level: 0.8, seed, resamples: 200 });
    return low <= 0 && 0 <= high;
  }).filter(Boolean).length;
  expect(Math.abs(covered - 160)).toBeLessThan(20); // 160 give or take 5.7
});

test("a distance is larger on resamples; centred, the interval lies around it", () => {
  const real = normalRows({ rows: 100, cols: 8, seed: 1 });
  const fake = normalRows({ rows: 100, cols: 8, seed: 2 });
  const statistic = (rows: Int32Array) => frechetDistance({ real, fake: takeRows(fake, rows) });
  const plain = bootstrap({ rows: 100, statistic, resamples: 20 });
  const centred = bootstrap({ rows: 100, statistic, resamples: 20, centred: true });
  expect(plain.bias).toBeGreaterThan(0);
  expect(plain.low).toBeGreaterThan(plain.estimate);
  expect(centred.low).toBeCloseTo(plain.low - plain.bias, 12);
  expect(centred.low).toBeLessThan(centred.estimate);
  expect(centred.high).toBeGreaterThan(centred.estimate);
});

test("the same seed gives the same interval", () => {
  const values = [1, 2, 3, 4, 5];
  expect(bootstrapMean({ values, seed: 3 })).toEqual(bootstrapMean({ values, seed: 3 }));
  expect(bootstrapMean({ values, seed: 3 })).not.toEqual(bootstrapMean({ values, seed: 4 }));
});

test("quantiles lie on a straight line between neighbours", () => {
  expect([0, 0.25, 0.5, 1].map((q) => quantile([1, 2, 4], q))).toEqual([1, 1.5, 2, 4]);
});

test("refuses no samples and senseless options", () => {
  expect(() => bootstrapMean({ values: [] })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: An interval cannot be drawn from no samples.]`,
  );
  expect(() => bootstrapMean({ values: [1], resamples: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: An interval needs at least 2 resamples, not 1.]`,
  );
  expect(() => bootstrapMean({ values: [1], level: 95 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The level of an interval lies between 0 and 1; it is 95.]`,
  );
});
