import { UserError } from "@duelo/core";
import { quantile } from "./bootstrap.ts";
import { drawRows } from "./draw.ts";
import {
  checkColumns,
  checkMatrix,
  checkPair,
  takeRows,
  type Matrix,
  type Pair,
} from "./matrix.ts";
import { nearestDistances } from "./neighbours.ts";
import { forEachTile } from "./pairwise.ts";

export interface MemorisationOptions {
  readonly fake: Matrix;
  /** Features of what the generator was trained on. */
  readonly train: Matrix;
  /** Features of real samples that it has not seen. */
  readonly heldOut: Matrix;
  readonly seed?: number;
}

export interface Memorisation {
  /**
   * Median over the fakes of the distance to the nearest training sample over the distance to the
   * nearest held-out one: about 1 when nothing is memorised, well below 1 when fakes are copies.
   */
  readonly ratio: number;
  /** Share of fakes that are nearer to a training sample, ties counted half: about 0.5, or 1 for copies. */
  readonly nearerToTrain: number;
  /** Share of fakes that equal a training sample exactly. */
  readonly copies: number;
  /** How many training and how many held-out samples were compared with. */
  readonly compared: number;
  /** Of each fake the first distance over the sum of both, for an interval of the ratio: m / (1 - m) of their median m. */
  readonly parts: Float64Array; // [fakes]
}

/**
 * Does a generator repeat its training data? Distances to the nearest training sample and to the
 * nearest unseen one, for each fake. A larger set has nearer neighbours, so ratio and share compare as
 * many rows of the larger one as the smaller has, drawn by the seed; copies are looked for in all.
 * @throws UserError for no rows, different columns, numbers that are not finite, and held-out samples
 * that are the training samples
 */
export function memorisation({
  fake,
  train,
  heldOut,
  seed = 0,
}: MemorisationOptions): Memorisation {
  const metric = "The test for memorisation";
  checkPair({ real: train, fake }, { metric, leastRows: 1 });
  checkMatrix(heldOut, { metric, which: "held-out", leastRows: 1 });
  checkColumns({ real: heldOut.cols, fake: fake.cols }, { metric });
  if (sameNumbers(train, heldOut)) {
    throw new UserError(
      `${metric} needs real samples that were held out of training, and these are the training samples.`,
    );
  }
  const compared = Math.min(train.rows, heldOut.rows);
  const draw = (of: Matrix, purpose: string) => {
    const rows = drawRows({ n: compared, of: of.rows, seed, purpose: `memorisation ${purpose}` });
    return nearestAmong(fake, of, new Set(rows));
  };
  const { drawn: seen, all } = draw(train, "train");
  const { drawn: unseen } = draw(heldOut, "held-out");
  // The median of a / (a + b), which stays in 0 to 1 where b is 0, gives the median of a / b.
  const parts = seen.map((a, i) => part(Math.sqrt(a), Math.sqrt(unseen[i] ?? 0)));
  const median = quantile(parts.toSorted(), 0.5);
  const nearer = seen.reduce((sum, a, i) => sum + win(a, unseen[i] ?? 0), 0);
  return {
    ratio: median / (1 - median),
    nearerToTrain: nearer / fake.rows,
    copies: all.filter((a) => a === 0).length / fake.rows,
    compared,
    parts,
  };
}

const part = (a: number, b: number) => (a + b === 0 ? 0.5 : a / (a + b));
const win = (a: number, b: number) => (a < b ? 1 : a === b ? 0.5 : 0);

function sameNumbers(a: Matrix, b: Matrix): boolean {
  return a.rows === b.rows && a.data.every((v: number, i: number) => v === b.data[i]);
}

/** Squared distances from each row to the nearest of `set`: of the drawn rows, and of all. */
function nearestAmong(
  rows: Matrix,
  set: Matrix,
  chosen: ReadonlySet<number>,
): { drawn: Float64Array; all: Float64Array } {
  const drawn = new Float64Array(rows.rows).fill(Infinity);
  const all = new Float64Array(rows.rows).fill(Infinity);
  const counts = Uint8Array.from({ length: set.rows }, (_, i) => (chosen.has(i) ? 1 : 0));
  forEachTile({ a: set, b: rows, kernel: "squared distance" }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let i = 0; i < aRows; i++) {
      const counted = counts[aFrom + i] === 1;
      for (let j = 0; j < bRows; j++) {
        const distance = values[i * stride + j] ?? 0;
        if (distance < (all[bFrom + j] ?? 0)) all[bFrom + j] = distance;
        if (counted && distance < (drawn[bFrom + j] ?? 0)) drawn[bFrom + j] = distance;
      }
    }
  });
  return { drawn, all };
}

export interface NearestNeighbourAccuracy {
  /** 0.5 when the sets cannot be told apart, 1 when they lie apart, towards 0 for copies. */
  readonly accuracy: number;
  /** The same over the real rows alone: low when fakes crowd around them. */
  readonly real: number;
  /** Over the fakes alone: high when they cluster (collapse). */
  readonly fake: number;
  /** Rows of each side. */
  readonly compared: number;
}

/**
 * How well the nearest other sample tells real from fake, one left out at a time (Lopez-Paz, Oquab
 * 2017, arXiv:1610.06545; Xu et al. 2018, arXiv:1806.07755). Both sides have equally many rows; of the
 * larger one, as many as the smaller has are drawn by the seed. Where a real and a fake sample are
 * equally near, that counts half.
 * @throws UserError for fewer than 2 rows, different columns, and numbers that are not finite
 */
export function nearestNeighbourAccuracy({
  real,
  fake,
  seed = 0,
}: Pair & { seed?: number }): NearestNeighbourAccuracy {
  checkPair({ real, fake }, { metric: "The nearest-neighbour accuracy", leastRows: 2 });
  const n = Math.min(real.rows, fake.rows);
  const draw = (of: Matrix, which: string) =>
    of.rows === n
      ? of
      : takeRows(of, drawRows({ n, of: of.rows, seed, purpose: `neighbour ${which}` }));
  const [reals, fakes] = [draw(real, "real"), draw(fake, "fake")];
  const ofReal = nearestAmong(reals, fakes, new Set()).all;
  const ofFake = nearestAmong(fakes, reals, new Set()).all;
  const right = (own: Float64Array, other: Float64Array) =>
    own.reduce((sum, distance, i) => sum + win(distance, other[i] ?? 0), 0) / n;
  const [a, b] = [
    right(nearestDistances(reals, 1), ofReal),
    right(nearestDistances(fakes, 1), ofFake),
  ];
  return { accuracy: (a + b) / 2, real: a, fake: b, compared: n };
}
