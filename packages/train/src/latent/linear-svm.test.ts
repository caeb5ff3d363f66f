import { expect, test } from "vitest";
import type { Matrix } from "../metrics/matrix.ts";
import { fillNormal } from "../random.ts";
import { balancedAccuracy, linearSvm, margins, type Plane } from "./linear-svm.ts";

/** Two clouds that overlap, `apart` from each other along the first axis. */
function clouds(n: number, apart: number): { x: Matrix; y: number[] } {
  const data = new Float32Array(n * 3);
  fillNormal(data, { seed: 1, stream: 2, counter: 3 });
  const y = Array.from({ length: n }, (_, i) => (i % 3 === 0 ? 1 : -1));
  y.forEach((side, i) => (data[3 * i] = (data[3 * i] ?? 0) + (side * apart) / 2));
  return { x: { rows: n, cols: 3, data }, y };
}

/** |v|^2 / 2 + cost * sum max(0, 1 - y v . (x, 1)) */
function loss({ weight, bias }: Plane, x: Matrix, y: readonly number[], cost: number): number {
  const lost = Array.from(margins({ weight, bias }, x), (m, i) => Math.max(0, 1 - (y[i] ?? 0) * m));
  return (
    weight.reduce((s, w) => s + w * w, bias * bias) / 2 + cost * lost.reduce((a, b) => a + b, 0)
  );
}

test.each([0.01, 1, 10])("no plane near by has a smaller loss (cost %d)", (cost) => {
  const { x, y } = clouds(90, 2);
  const plane = linearSvm({ x, y, cost });
  const least = loss(plane, x, y, cost);
  for (const size of [0.3, 0.03, 0.003])
    for (let k = 0; k < 8; k++) {
      const by = (j: number): number => (((k >> j) & 1) === 1 ? size : -size);
      const moved = { weight: plane.weight.map((v, j) => v + by(j)), bias: plane.bias + by(k % 3) };
      expect(loss(moved, x, y, cost)).toBeGreaterThan(least * (1 - 2e-3));
    }
});

test("two points are divided in the middle, as wide as can be", () => {
  const x = { rows: 2, cols: 2, data: Float64Array.of(1, 0, -1, 0) };
  const { weight, bias } = linearSvm({ x, y: [1, -1], cost: 100 });
  expect([...weight, bias].map((v) => Number(v.toFixed(6)))).toEqual([1, 0, 0]);
});

test("accuracy counts both sides alike, however many there are of each", () => {
  const plane = { weight: Float64Array.of(1), bias: 0 };
  const x = { rows: 5, cols: 1, data: Float64Array.of(1, 1, 1, 1, -1) };
  expect(balancedAccuracy(plane, x, [1, 1, 1, 1, 1])).toBeNaN(); // one side alone
  expect(balancedAccuracy(plane, x, [1, 1, 1, -1, -1])).toBe((1 + 0.5) / 2);
  const far = clouds(90, 12);
  expect(balancedAccuracy(linearSvm(far), far.x, far.y)).toBe(1);
});
