import type { Matrix } from "./matrix.ts";

/**
 * A factor F [rank, d] with F^T F = A, for a symmetric, positive semi-definite A [d, d]: Cholesky with
 * diagonal pivoting, so that a matrix of rank r gives r rows. It ends where what is left on the
 * diagonal is rounding: at most d * 2^-52 of the largest entry.
 */
export function factorOf(a: Float64Array, d: number): Matrix {
  const work = {
    rows: new Float64Array(d * d),
    order: Int32Array.from({ length: d }, (_, i) => i),
  };
  const left = new Float64Array(d); // what remains of the diagonal, in pivoted order
  for (let i = 0; i < d; i++) left[i] = a[i * d + i] ?? 0;
  const least = d * Number.EPSILON * left.reduce((m, v) => Math.max(m, v), 0);
  let rank = 0;
  for (; rank < d; rank++) {
    let best = rank;
    for (let p = rank + 1; p < d; p++) if ((left[p] ?? 0) > (left[best] ?? 0)) best = p;
    const pivot = left[best] ?? 0;
    if (!(pivot > least)) break;
    swap(work, left, { d, rank, best });
    nextRow(a, work, { d, rank, pivot });
    for (let p = rank + 1; p < d; p++)
      left[p] = (left[p] ?? 0) - (work.rows[rank * d + p] ?? 0) ** 2;
  }
  return { rows: rank, cols: d, data: inOriginalOrder(work, { d, rank }) };
}

interface Work {
  readonly rows: Float64Array; // [d, d], columns in pivoted order
  readonly order: Int32Array; // the original column of each
}
type At = { readonly d: number; readonly rank: number };

function swap({ rows, order }: Work, left: Float64Array, { d, rank, best }: At & { best: number }) {
  if (best === rank) return;
  [order[rank], order[best]] = [order[best] ?? 0, order[rank] ?? 0];
  [left[rank], left[best]] = [left[best] ?? 0, left[rank] ?? 0];
  for (let at = 0; at < rank * d; at += d) {
    const kept = rows[at + rank] ?? 0;
    rows[at + rank] = rows[at + best] ?? 0;
    rows[at + best] = kept;
  }
}

/** F[rank, p] = (A[rank, p] - sum over t < rank of F[t, rank] F[t, p]) / sqrt(pivot), p > rank */
function nextRow(
  a: Float64Array,
  { rows, order }: Work,
  { d, rank, pivot }: At & { pivot: number },
): void {
  const row = rows.subarray(rank * d, (rank + 1) * d);
  const from = (order[rank] ?? 0) * d;
  for (let p = rank + 1; p < d; p++) row[p] = a[from + (order[p] ?? 0)] ?? 0;
  for (let t = 0; t < rank; t += 2) {
    const at = t * d;
    const next = at + d; // all zeros when t + 1 is this row, which is not read
    const f0 = rows[at + rank] ?? 0;
    const f1 = t + 1 < rank ? (rows[next + rank] ?? 0) : 0;
    for (let p = rank + 1; p < d; p++) {
      row[p] = (row[p] ?? 0) - f0 * (rows[at + p] ?? 0) - f1 * (rows[next + p] ?? 0);
    }
  }
  const root = Math.sqrt(pivot);
  row[rank] = root;
  for (let p = rank + 1; p < d; p++) row[p] = (row[p] ?? 0) / root;
}

function inOriginalOrder({ rows, order }: Work, { d, rank }: At): Float64Array {
  const factor = new Float64Array(rank * d);
  for (let t = 0; t < rank; t++) {
    for (let p = t; p < d; p++) factor[t * d + (order[p] ?? 0)] = rows[t * d + p] ?? 0;
  }
  return factor;
}
