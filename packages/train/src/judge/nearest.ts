import type { Matrix } from "../metrics/matrix.ts";
import { forEachTile } from "../metrics/pairwise.ts";

/** For each row of `of`, the row of `among` that is nearest, and how far it is (Euclidean). */
export function nearestRows(parts: { of: Matrix; among: Matrix }): {
  rows: Int32Array;
  distances: Float64Array;
} {
  const { of, among } = parts;
  const rows = new Int32Array(of.rows);
  const squares = new Float64Array(of.rows).fill(Infinity);
  forEachTile({ a: of, b: among, kernel: "squared distance" }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let i = 0; i < aRows; i++) {
      for (let j = 0; j < bRows; j++) {
        const square = values[i * stride + j] ?? 0;
        if (square >= (squares[aFrom + i] ?? 0)) continue;
        squares[aFrom + i] = square;
        rows[aFrom + i] = bFrom + j;
      }
    }
  });
  return { rows, distances: squares.map(Math.sqrt) };
}
