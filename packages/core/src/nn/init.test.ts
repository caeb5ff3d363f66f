import { expect, test } from "vitest";
import { sizeOf, type Shape } from "../ir.ts";
import { randomSource } from "../testing/run-layer.ts";
import * as init from "./init.ts";

const draw = (of: init.Initializer, shape: Shape): Float32Array => of(shape, randomSource(3));

/** Mean and standard deviation. */
function moments(values: Float32Array): { mean: number; std: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, std: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

// 40,000 draws: the mean is within 5 std / 200, the standard deviation within 3 percent.
const shape = [80, 20, 5, 5]; // fanIn 500, fanOut 2000
const cases: [name: string, of: init.Initializer, mean: number, std: number][] = [
  ["normal", init.normal({ mean: 1, std: 0.02 }), 1, 0.02],
  ["uniform", init.uniform({ low: -0.1, high: 0.3 }), 0.1, 0.4 / Math.sqrt(12)],
  ["xavierUniform", init.xavierUniform(), 0, Math.sqrt(2 / 2500)],
  ["heNormal", init.heNormal(), 0, Math.sqrt(2 / 500)],
  ["heUniform", init.heUniform(), 0, Math.sqrt(2 / 500)],
  ["fanInUniform", init.fanInUniform(), 0, 1 / Math.sqrt(500 * 3)],
];
test.each(cases)("%s has its moments", (_, of, mean, std) => {
  const found = moments(draw(of, shape));
  expect(Math.abs(found.mean - mean)).toBeLessThan(std / 40);
  expect(Math.abs(found.std / std - 1)).toBeLessThan(0.03);
});

test("uniform initialisers keep to their bounds and use them", () => {
  const bounds: [init.Initializer, number][] = [
    [init.xavierUniform({ gain: 2 }), 2 * Math.sqrt(6 / 2500)],
    [init.heUniform(), Math.sqrt(6 / 500)],
    [init.fanInUniform({ fanIn: 4 }), 0.5],
  ];
  for (const [of, bound] of bounds) {
    const largest = draw(of, shape).reduce((m, v) => Math.max(m, Math.abs(v)), 0);
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.99 * bound);
  }
});

test("constants", () => {
  expect([...draw(init.zeros, [2])]).toEqual([0, 0]);
  expect([...draw(init.ones, [2])]).toEqual([1, 1]);
  expect([...draw(init.constantOf(3), [2])]).toEqual([3, 3]);
});

test.each([{ shape: [6, 10] }, { shape: [10, 6] }, { shape: [4, 3, 2, 2] }])(
  "orthogonal $shape has orthonormal rows or columns, times gain",
  ({ shape }) => {
    const w = draw(init.orthogonal({ gain: 1.4 }), shape);
    const rows = shape[0] ?? 1;
    const columns = sizeOf(shape) / rows;
    const at = (i: number, k: number): number =>
      (rows <= columns ? w[i * columns + k] : w[k * columns + i]) ?? NaN;
    const [many, long] = rows <= columns ? [rows, columns] : [columns, rows];
    for (let i = 0; i < many; i++) {
      for (let j = 0; j <= i; j++) {
        const dot = Array.from({ length: long }, (_, k) => at(i, k) * at(j, k)).reduce(
          (a, b) => a + b,
        );
        expect(dot).toBeCloseTo(i === j ? 1.96 : 0, 5);
      }
    }
  },
);
