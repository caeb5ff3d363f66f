import { expect, test } from "vitest";
import { fillNormal } from "../random.ts";
import type { Matrix } from "./matrix.ts";
import { forEachTile, type PairKernel } from "./pairwise.ts";

function normal(rows: number, cols: number, seed: number): Matrix {
  const data = new Float32Array(rows * cols);
  fillNormal(data, { seed, stream: 1, counter: 0 });
  return { rows, cols, data };
}

/** All values, by the definition. */
function slow(a: Matrix, b: Matrix, kernel: PairKernel): number[][] {
  const at = (m: Matrix, i: number, p: number) => m.data[i * m.cols + p] ?? NaN;
  return Array.from({ length: a.rows }, (_, i) =>
    Array.from({ length: b.rows }, (_, j) => {
      let sum = 0;
      for (let p = 0; p < a.cols; p++) {
        const [x, y] = [at(a, i, p), at(b, j, p)];
        sum += kernel === "dot" ? x * y : (x - y) ** 2;
      }
      return sum;
    }),
  );
}

test.each([
  { kernel: "dot", aRows: 131, bRows: 7, cols: 3 },
  { kernel: "squared distance", aRows: 5, bRows: 300, cols: 3 },
  { kernel: "squared distance", aRows: 40, bRows: 33, cols: 1500 }, // small tiles
  { kernel: "dot", aRows: 1, bRows: 1, cols: 1 },
] as const)("$kernel of $aRows and $bRows rows", ({ kernel, aRows, bRows, cols }) => {
  const [a, b] = [normal(aRows, cols, 1), normal(bRows, cols, 2)];
  const want = slow(a, b, kernel);
  let [seen, wrong] = [0, 0];
  forEachTile({ a, b, kernel }, (tile) => {
    for (let i = 0; i < tile.aRows; i++) {
      for (let j = 0; j < tile.bRows; j++) {
        seen++;
        const wanted = want[tile.aFrom + i]?.[tile.bFrom + j];
        if (tile.values[i * tile.stride + j] !== wanted) wrong++; // the order of summation is the same
      }
    }
  });
  expect({ seen, wrong }).toEqual({ seen: aRows * bRows, wrong: 0 });
});

test("upper tiles hold each pair of different tiles once", () => {
  const a = normal(300, 2, 3);
  const places: [number, number][] = [];
  forEachTile({ a, b: a, kernel: "dot", upper: true }, ({ aFrom, bFrom }) =>
    places.push([aFrom, bFrom]),
  );
  expect(places).toEqual([[0, 0], [0, 128], [0, 256], [128, 128], [128, 256], [256, 256]]); // prettier-ignore
});
