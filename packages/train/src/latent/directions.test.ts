import { expect, test } from "vitest";
import type { Matrix } from "../metrics/matrix.ts";
import { fillNormal } from "../random.ts";
import type { Affine } from "./affines.ts";
import {
  deviation,
  factorised,
  principal,
  shapeOf,
  unit,
  whiteningOf,
  without,
} from "./directions.ts";

function normal(rows: number, cols: number, stream: number): Matrix {
  const data = new Float32Array(rows * cols);
  fillNormal(data, { seed: 0, stream, counter: 0 });
  return { rows, cols, data };
}

const affine = (layer: number, weight: Matrix, ofColours = false): Affine => ({
  ...{ layer, weight, ofColours },
  bias: { entry: "", gain: 1 },
});

/** v^T M v of the sum over rows a of a a^T / |a|^2, as Eq. 6 has it. */
function gain(v: ArrayLike<number>, weights: readonly Matrix[]): number {
  let sum = 0;
  for (const { rows, cols, data } of weights)
    for (let r = 0; r < rows; r++) {
      const a = Array.from(data.subarray(r * cols, (r + 1) * cols));
      const dot = a.reduce((s, x, j) => s + x * (v[j] ?? 0), 0);
      sum += dot ** 2 / a.reduce((s, x) => s + x * x, 0);
    }
  return sum;
}

test("SeFa's directions are eigenvectors of the styles' weights, the strongest first", () => {
  const [first, second, colours] = [normal(7, 4, 1), normal(3, 4, 2), normal(5, 4, 3)];
  const affines = [affine(0, first), affine(1, second), affine(1, colours, true)];
  const { vectors, strengths } = factorised(affines);
  expect(vectors.rows).toBe(4);
  const rows = [0, 1, 2, 3].map((i) => Array.from(vectors.data.subarray(4 * i, 4 * i + 4)));
  for (const [i, v] of rows.entries()) {
    expect(gain(v, [first, second])).toBeCloseTo(strengths[i] ?? 0, 10);
    for (const [j, other] of rows.entries())
      expect(v.reduce((s, x, k) => s + x * (other[k] ?? 0), 0)).toBeCloseTo(i === j ? 1 : 0, 10);
  }
  expect(Array.from(strengths)).toEqual(Array.from(strengths).toSorted((a, b) => b - a));
  expect(strengths.reduce((a, b) => a + b, 0)).toBeCloseTo(10, 10); // ten channels of length 1
  // No direction does more than the first.
  for (let k = 0; k < 20; k++) {
    const any = unit(Float64Array.from(normal(1, 4, 100 + k).data));
    expect(gain(any, [first, second])).toBeLessThanOrEqual((strengths[0] ?? 0) + 1e-12);
  }
  expect(() => factorised([affine(1, colours, true)])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: These layers have no style but that of the colours. Choose others.]`,
  );
});

test("GANSpace's directions are the principal axes of w", () => {
  const w = normal(400, 3, 5);
  const widened = { ...w, data: w.data.map((v, i) => v * ([1, 5, 2][i % 3] ?? 1) + (i % 3)) };
  const shape = shapeOf(widened);
  [0, 1, 2].forEach((m, j) => expect(Math.abs((shape.mean[j] ?? NaN) - m)).toBeLessThan(0.5));
  const { vectors, strengths } = principal(shape);
  const widest = Array.from(vectors.data.subarray(0, 3));
  expect(widest[1]).toBeGreaterThan(0.99);
  const along = Float64Array.from({ length: 400 }, (_, i) =>
    widest.reduce((s, v, j) => s + v * (widened.data[3 * i + j] ?? 0), 0),
  );
  const mean = along.reduce((a, b) => a + b, 0) / 400;
  const variance = along.reduce((s, v) => s + (v - mean) ** 2, 0) / 399;
  expect(strengths[0]).toBeCloseTo(variance, 4);
  expect(deviation(widest, shape)).toBeCloseTo(Math.sqrt(variance), 4);
});

test("whitening leaves no correlation, and a deviation of 1 along every axis", () => {
  const shape = shapeOf({
    ...normal(50, 3, 6),
    data: normal(50, 3, 6).data.map((v, i) => v * ((i % 3) + 1)),
  });
  const white = whiteningOf(shape);
  const at = (m: Float64Array, i: number, j: number): number => m[3 * i + j] ?? 0;
  for (const i of [0, 1, 2])
    for (const j of [0, 1, 2]) {
      let sum = 0;
      for (const a of [0, 1, 2])
        for (const b of [0, 1, 2])
          sum += at(white, i, a) * at(shape.covariance, a, b) * at(white, j, b);
      expect(sum).toBeCloseTo(i === j ? 1 : 0, 9);
    }
});

test("a direction without others is at right angles to all of them", () => {
  const [n, a, b] = [
    Float64Array.of(1, 2, 3, 4),
    Float64Array.of(1, 0, 1, 0),
    Float64Array.of(1, 1, 1, 0),
  ];
  const left = without(n, [a, b]);
  const dot = (x: Float64Array, y: Float64Array): number =>
    x.reduce((s, v, i) => s + v * (y[i] ?? 0), 0);
  expect(dot(left, left)).toBeCloseTo(1, 12);
  expect([dot(left, a), dot(left, b)]).toEqual([expect.closeTo(0, 12), expect.closeTo(0, 12)]);
  // One other: n1 - (n1 . n2) n2.
  const by = dot(unit(n), unit(a));
  const want = unit(unit(n).map((v, i) => v - by * (unit(a)[i] ?? 0)));
  without(n, [a]).forEach((v, i) => expect(v).toBeCloseTo(want[i] ?? 0, 12));
  expect(() => without(a, [a])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The direction is the same as what is to be kept, so nothing of it is left.]`,
  );
});
