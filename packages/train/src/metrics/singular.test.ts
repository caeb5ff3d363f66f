import { EigenvalueDecomposition, Matrix as Oracle, SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import { fillNormal } from "../random.ts";
import type { Matrix } from "./matrix.ts";
import { singularValues, tridiagonalEigenvalues } from "./singular.ts";

function normal(rows: number, cols: number): Matrix {
  const data = new Float32Array(rows * cols);
  fillNormal(data, { seed: rows, stream: cols, counter: 0 });
  return { rows, cols, data: Float64Array.from(data) };
}

const descending = (values: Iterable<number>) => [...values].toSorted((a, b) => b - a);

function expectClose(got: Iterable<number>, want: Iterable<number>, tolerance = 1e-13): void {
  const [a, b] = [descending(got), descending(want)];
  expect(a.length).toBe(b.length);
  const scale = Math.max(...b.map(Math.abs), 1e-300);
  for (const [i, v] of a.entries())
    expect(Math.abs(v - (b[i] ?? NaN)) / scale).toBeLessThan(tolerance);
}

describe("singular values", () => {
  test.each([
    [1, 1],
    [1, 5],
    [2, 2],
    [3, 2],
    [7, 7],
    [20, 33],
    [60, 41],
  ] as const)("of a random %i x %i matrix are those of ml-matrix", (rows, cols) => {
    const matrix = normal(rows, cols);
    const oracle = new SingularValueDecomposition(Oracle.from1DArray(rows, cols, matrix.data), {
      autoTranspose: true,
    });
    // It pads a wide matrix's values by a zero.
    expectClose(singularValues(matrix), oracle.diagonal.slice(0, Math.min(rows, cols)));
  });

  test("that are 0 come out as rounding of the largest, not as its root", () => {
    const [a, b] = [normal(40, 3), normal(3, 30)];
    const low = Oracle.from1DArray(40, 3, a.data).mmul(Oracle.from1DArray(3, 30, b.data));
    const values = descending(
      singularValues({ rows: 40, cols: 30, data: Float64Array.from(low.to1DArray()) }),
    );
    expect(values.length).toBe(30);
    expect(values[2]).toBeGreaterThan(1);
    expect((values[3] ?? NaN) / (values[0] ?? NaN)).toBeLessThan(1e-14);
  });

  test("of zeros, of huge and of tiny numbers", () => {
    expect([...singularValues({ rows: 2, cols: 3, data: new Float64Array(6) })]).toEqual([0, 0]);
    for (const scale of [1e150, 1e-150]) {
      const matrix = normal(9, 6);
      const scaled = { ...matrix, data: Float64Array.from(matrix.data, (v) => v * scale) };
      expectClose(
        singularValues(scaled),
        singularValues(matrix).map((v) => v * scale),
      );
    }
  });

  test("of a diagonal matrix with steps of twenty decades", () => {
    const data = new Float64Array(16);
    [1, 1e-5, 1e-12, 1e-20].forEach((v, i) => (data[5 * i] = v));
    expectClose(singularValues({ rows: 4, cols: 4, data }), [1, 1e-5, 1e-12, 1e-20]);
  });
});

test("eigenvalues of a tridiagonal matrix are those of ml-matrix", () => {
  const n = 25;
  const diagonal = normal(n, 1).data as Float64Array;
  const beside = normal(n, 2).data.slice(0, n) as Float64Array;
  beside[n - 1] = 0;
  beside[7] = 0; // two blocks
  const whole = Oracle.zeros(n, n);
  for (let i = 0; i < n; i++) {
    whole.set(i, i, diagonal[i] ?? 0);
    if (i + 1 === n) continue;
    whole.set(i, i + 1, beside[i] ?? 0);
    whole.set(i + 1, i, beside[i] ?? 0);
  }
  const oracle = new EigenvalueDecomposition(whole, { assumeSymmetric: true }).realEigenvalues;
  expectClose(tridiagonalEigenvalues({ diagonal, beside }), oracle);
});
