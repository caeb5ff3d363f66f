import { expect, test } from "vitest";
import { likelihood, logBernoulli, logNormal, logSumExp } from "./likelihood.ts";
import { matrixOf, normalRows } from "./testing/sets.ts";

test("logSumExp neither overflows nor underflows", () => {
  expect(logSumExp([1000, 1000])).toBeCloseTo(1000 + Math.LN2, 10);
  expect(logSumExp([-1000, -1000])).toBeCloseTo(-1000 + Math.LN2, 10);
  expect(logSumExp([-Infinity, 3])).toBe(3);
  expect(logSumExp([-Infinity])).toBe(-Infinity);
  expect(logSumExp([])).toBe(-Infinity);
});

test("log densities, by hand", () => {
  expect(logNormal({ x: matrixOf([0, 1]) })[0]).toBeCloseTo(-Math.log(2 * Math.PI) - 0.5, 12);
  const far = logNormal({ x: matrixOf([3]), mean: matrixOf([1]), logVar: matrixOf([Math.log(4)]) });
  expect(far[0]).toBeCloseTo(-0.5 * (Math.log(2 * Math.PI * 4) + 1), 12);
  const [p] = logBernoulli({ x: matrixOf([1, 0, 1]), logits: matrixOf([0, 0, 1000]) });
  expect(p).toBeCloseTo(-2 * Math.LN2, 12);
  expect(logBernoulli({ x: matrixOf([0]), logits: matrixOf([1000]) })[0]).toBe(-1000);
});

test("a model whose posterior is known: any draw gives log p(x), and a worse q a lower bound", () => {
  // z ~ N(0, 1), x | z ~ N(z, 1): p(x) = N(0, 2) and p(z | x) = N(x / 2, 1 / 2).
  const x = 1.3;
  const k = 2000;
  const draws = normalRows({ rows: k, cols: 1, seed: 1 }).data;
  const truth = -0.5 * (Math.log(2 * Math.PI * 2) + (x * x) / 2);
  const weights = (mean: number, variance: number) => {
    const z = {
      rows: k,
      cols: 1,
      data: Float64Array.from(draws, (e) => mean + Math.sqrt(variance) * e),
    };
    const all = (v: number) => ({ rows: k, cols: 1, data: new Float64Array(k).fill(v) });
    const joint = logNormal({ x: all(x), mean: z });
    const prior = logNormal({ x: z });
    const q = logNormal({ x: z, mean: all(mean), logVar: all(Math.log(variance)) });
    const data = joint.map((v, i) => v + (prior[i] ?? 0) - (q[i] ?? 0));
    return likelihood({ logWeights: { rows: 1, cols: k, data } });
  };
  const exact = weights(x / 2, 0.5);
  expect(exact.bound).toBeCloseTo(truth, 10);
  expect(exact.importance).toBeCloseTo(truth, 10);
  const worse = weights(x / 2 + 0.3, 0.6);
  const divergence = 0.5 * (0.6 / 0.5 + 0.09 / 0.5 - 1 - Math.log(0.6 / 0.5));
  expect(Math.abs(worse.bound - (truth - divergence))).toBeLessThan(0.05);
  expect(Math.abs(worse.importance - truth)).toBeLessThan(0.02);
  expect(worse.importance).toBeGreaterThan(worse.bound);
});

test("refuses none, and what diverged", () => {
  const none = { rows: 0, cols: 1, data: new Float64Array(0) };
  expect(() => likelihood({ logWeights: none })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The likelihood needs at least 1 sample and 1 draw for it, and there are 0 and 1.]`,
  );
  expect(() => likelihood({ logWeights: matrixOf([NaN]) })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The likelihood of sample 0 is NaN. A net that has diverged gives such numbers.]`,
  );
});
