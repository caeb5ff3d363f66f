import { fillInts, streamOf } from "../random.ts";
import { checkRows } from "./matrix.ts";

/** Which rows: `n` of `of`, a function of seed, purpose and counter alone. */
export interface Draw {
  readonly n: number;
  /** How many rows there are to choose from. */
  readonly of: number;
  readonly seed: number;
  /** What they are for: another purpose draws other rows. */
  readonly purpose: string;
  /** Number of the draw; 0 unless said otherwise. */
  readonly counter?: number;
}

/** `n` different rows, in random order (Fisher and Yates, ended after n). */
export function drawRows({ n, of, seed, purpose, counter = 0 }: Draw): Int32Array {
  if (n > of) throw new RangeError(`${n} different rows of ${of}`);
  const rows = Int32Array.from({ length: of }, (_, i) => i);
  const words = new Int32Array(n);
  fillInts(words, 2 ** 31, { seed, stream: streamOf(`metric ${purpose}`), counter });
  for (let i = 0; i < n; i++) {
    const other = i + Math.floor(((words[i] ?? 0) / 2 ** 31) * (of - i));
    [rows[i], rows[other]] = [rows[other] ?? 0, rows[i] ?? 0];
  }
  return rows.slice(0, n);
}

/** `n` rows, each any of them, so that some come more than once. */
export function drawRowsAgain({ n, of, seed, purpose, counter = 0 }: Draw): Int32Array {
  const rows = new Int32Array(n);
  fillInts(rows, of, { seed, stream: streamOf(`metric ${purpose}`), counter });
  return rows;
}

/** Pairs of rows; a row may be in several. */
export interface RowPairs {
  readonly first: Int32Array;
  readonly second: Int32Array;
}

/** Random pairs of `of` rows, at least 2; a row is never paired with itself. */
export function drawPairs(o: { pairs: number; of: number; seed: number }): RowPairs {
  const { pairs: n, of, seed } = o;
  const first = drawRowsAgain({ n, of, seed, purpose: "diversity first" });
  const others = drawRowsAgain({ n, of: of - 1, seed, purpose: "diversity second" });
  const second = others.map((other, i) => (other >= (first[i] ?? 0) ? other + 1 : other));
  return { first, second };
}

/**
 * Two disjoint random halves of equal size, for the floor of a metric: what it says of real samples
 * against other real samples. One row is left over when their number is odd.
 * @throws UserError for fewer than 2 rows
 */
export function halves({ rows, seed = 0 }: { rows: number; seed?: number }): {
  first: Int32Array;
  second: Int32Array;
} {
  checkRows(rows, { metric: "A split into halves", which: "real", leastRows: 2 });
  const n = Math.floor(rows / 2);
  const drawn = drawRows({ n: 2 * n, of: rows, seed, purpose: "halves" });
  return { first: drawn.slice(0, n), second: drawn.slice(n) };
}
