import { expect, test } from "vitest";
import { fillNormal, streamOf } from "../random.ts";
import type { Matrix } from "./matrix.ts";
import { principalAxes, project, symmetricEigen } from "./principal.ts";
import { singularValues } from "./singular.ts";

function normal(rows: number, cols: number): Matrix {
  const data = new Float32Array(rows * cols);
  fillNormal(data, { seed: 3, stream: streamOf("principal test"), counter: 0 });
  // columns of different spread, and some that depend on others
  return { rows, cols, data: data.map((v, i) => v * (1 + (i % cols)) + (data[i - 1] ?? 0)) };
}

test("eigenvectors solve A v = value v, at right angles", () => {
  const n = 40;
  const { data } = normal(n, n);
  const a = Float64Array.from(data, (v, i) => v + (data[(i % n) * n + Math.floor(i / n)] ?? 0));
  const { values, vectors } = symmetricEigen(a, n);
  const largest = Math.max(...values.map(Math.abs));
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  const row = (m: Float64Array, i: number): Float64Array => m.subarray(i * n, (i + 1) * n);
  for (let k = 0; k < n; k++) {
    const v = row(vectors, k);
    for (let i = 0; i < n; i++) {
      expect(Math.abs(dot(row(a, i), v) - (values[k] ?? 0) * (v[i] ?? 0)) / largest).toBeLessThan(
        1e-13,
      );
      expect(Math.abs(dot(v, row(vectors, i)) - (i === k ? 1 : 0))).toBeLessThan(1e-13);
    }
  }
});

test("variances are squared singular values of the centred rows, with few columns and with many", () => {
  for (const [rows, cols] of [
    [300, 12],
    [40, 300],
  ] as const) {
    const matrix = normal(rows, cols);
    const axes = principalAxes(matrix, { most: 5 });
    const data = Float64Array.from(matrix.data, (v, i) => v - (axes.mean[i % cols] ?? 0));
    const want = singularValues({ rows, cols, data }).toSorted().toReversed();
    const along = project(matrix, axes);
    for (let k = 0; k < 5; k++) {
      expect(axes.variances[k]).toBeCloseTo((want[k] ?? 0) ** 2 / (rows - 1), 6);
      let square = 0;
      for (let i = 0; i < rows; i++) square += (along.data[i * 5 + k] ?? 0) ** 2;
      expect(square / (rows - 1) / (axes.variances[k] ?? 0)).toBeCloseTo(1, 5);
    }
  }
});

test("rows on a plane have two axes", () => {
  const data = Float32Array.from({ length: 50 * 4 }, (_, i) => {
    const [a, b] = [Math.floor(i / 4) % 7, Math.floor(i / 4) % 5];
    return [a, b, a + b, a - b][i % 4] ?? 0;
  });
  expect(principalAxes({ rows: 50, cols: 4, data }, { most: 4 }).axes.rows).toBe(2);
});
