import { UserError } from "@duelo/core";

/**
 * Numbers by rows: `data[row * cols + col]`. Features have one row an image; probabilities have one
 * row an image and one column a class.
 */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float32Array | Float64Array;
}

/** What a metric compares: the same features of real and of generated samples. */
export interface Pair {
  readonly real: Matrix;
  readonly fake: Matrix;
}

/** The rows of `matrix` that `rows` names, in that order, as a new matrix; a row may come twice. */
export function takeRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const { cols, data } = matrix;
  const taken =
    data instanceof Float32Array
      ? new Float32Array(rows.length * cols)
      : new Float64Array(rows.length * cols);
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * cols;
    taken.set(data.subarray(from, from + cols), i * cols);
  }
  return { rows: rows.length, cols, data: taken };
}

/** What to say of a matrix that a metric cannot use. */
export interface Check {
  /** The metric, as a sentence begins: "The Fréchet distance". */
  readonly metric: string;
  /** What the rows are: "real", "generated". */
  readonly which: string;
  /** The fewest rows that give a result. */
  readonly leastRows: number;
}

// The largest float32: beyond it, squares and cubes of products could overflow a float64.
const largest = 3.4028234663852886e38;

/** Throws UserError unless the matrix has enough rows, a column, and only numbers that a float32 holds. */
export function checkMatrix(matrix: Matrix, { metric, which, leastRows }: Check): void {
  const { rows, cols, data } = matrix;
  if (data.length !== rows * cols) {
    throw new RangeError(`a matrix of ${rows} x ${cols} has ${data.length} numbers`);
  }
  checkRows(rows, { metric, which, leastRows });
  if (cols < 1)
    throw new UserError(`${metric} needs features, and the ${which} samples have none.`);
  const bad = data.findIndex((v) => !(Math.abs(v) <= largest));
  if (bad < 0) return;
  throw new UserError(
    `${metric} needs finite numbers of float32 size, and sample ${Math.floor(bad / cols)} of the ` +
      `${which} ones has ${data[bad]} in column ${bad % cols}. A net that has diverged gives such numbers.`,
  );
}

/** Throws UserError when there are too few rows. */
export function checkRows(rows: number, { metric, which, leastRows }: Check): void {
  if (rows >= leastRows) return;
  throw new UserError(
    `${metric} needs at least ${leastRows} ${which} samples, and there ${rows === 1 ? "is" : "are"} ${rows}.`,
  );
}

/** Throws UserError unless both have the same number of columns. */
export function checkColumns(
  { real, fake }: { real: number; fake: number },
  { metric }: { metric: string },
): void {
  if (real === fake) return;
  throw new UserError(
    `${metric} compares the same features, and the real samples have ${real} of them, the ` +
      `generated ones ${fake}. Take both from one network.`,
  );
}

/** Checks both matrices, and that they have the same columns. Throws UserError. */
export function checkPair(
  { real, fake }: Pair,
  { metric, leastRows }: { metric: string; leastRows: number },
): void {
  checkMatrix(real, { metric, which: "real", leastRows });
  checkMatrix(fake, { metric, which: "generated", leastRows });
  checkColumns({ real: real.cols, fake: fake.cols }, { metric });
}

/** Whether every row equals the first. */
export function allRowsEqual({ rows, cols, data }: Matrix): boolean {
  for (let i = cols; i < rows * cols; i++) if (data[i] !== data[i % cols]) return false;
  return true;
}
