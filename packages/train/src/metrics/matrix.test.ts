import { expect, test } from "vitest";
import { allRowsEqual, checkMatrix, checkPair, takeRows, type Matrix } from "./matrix.ts";

const matrix = (rows: number, cols: number, ...values: number[]): Matrix => ({
  rows,
  cols,
  data: Float64Array.from(values),
});
const metric = "The test distance";

test("rows are taken in the order named, and again when named again", () => {
  const taken = takeRows(matrix(3, 2, 1, 2, 3, 4, 5, 6), [2, 0, 2]);
  expect([...taken.data]).toEqual([5, 6, 1, 2, 5, 6]);
  expect(taken.rows).toBe(3);
  const single = { rows: 1, cols: 2, data: Float32Array.of(1, 2) };
  expect(takeRows(single, [0]).data).toBeInstanceOf(Float32Array);
});

test("equal rows", () => {
  expect(allRowsEqual(matrix(2, 2, 1, 2, 1, 2))).toBe(true);
  expect(allRowsEqual(matrix(2, 2, 1, 2, 1, 3))).toBe(false);
});

test("what cannot be used is said in a sentence", () => {
  const check = { metric, which: "real", leastRows: 2 };
  expect(() => checkMatrix(matrix(1, 2, 1, 2), check)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The test distance needs at least 2 real samples, and there is 1.]`,
  );
  expect(() => checkMatrix(matrix(2, 0), check)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The test distance needs features, and the real samples have none.]`,
  );
  expect(() => checkMatrix(matrix(2, 2, 1, 2, 3, NaN), check)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The test distance needs finite numbers of float32 size, and sample 1 of the real ones has NaN in column 1. A net that has diverged gives such numbers.]`,
  );
  const pair = { real: matrix(2, 1, 1, 2), fake: matrix(2, 2, 1, 2, 3, 4) };
  expect(() => checkPair(pair, { metric, leastRows: 2 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: The test distance compares the same features, and the real samples have 1 of them, the generated ones 2. Take both from one network.]`,
  );
  expect(() => checkMatrix(matrix(2, 2, 1), check)).toThrow(RangeError);
});
