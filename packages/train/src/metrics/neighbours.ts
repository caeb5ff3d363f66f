import { UserError } from "@duelo/core";
import { mean } from "./bootstrap.ts";
import { allRowsEqual, checkPair, type Matrix, type Pair } from "./matrix.ts";
import { forEachTile } from "./pairwise.ts";

export interface NeighbourOptions extends Pair {
  /** Which neighbour's distance is the radius for precision and recall; 3 unless said otherwise. */
  readonly kPrecision?: number;
  /** The same for density and coverage; 5 unless said otherwise. */
  readonly kDensity?: number;
}

export interface NeighbourScores {
  /** Share of fakes in the ball of some real sample, 0 to 1: is what is made like the data? */
  readonly precision: number;
  /** Share of real samples in the ball of some fake, 0 to 1: is all of the data made? */
  readonly recall: number;
  /** In how many real balls a fake lies, over k: 1 is expected, and it may be above. */
  readonly density: number;
  /** Share of real balls with a fake in them, 0 to 1. */
  readonly coverage: number;
  /** What each is the mean of, for an interval: one number a sample. */
  readonly rows: {
    readonly precision: Float64Array; // [fakes]
    readonly recall: Float64Array; // [real]
    readonly density: Float64Array; // [fakes]
    readonly coverage: Float64Array; // [real]
  };
}

/**
 * Improved precision and recall (Kynkäänniemi et al. 2019, arXiv:1904.06991), and density and coverage
 * (Naeem et al. 2020, arXiv:2002.09797).
 *
 * The ball around a sample reaches to its k-th nearest other sample of its own set; a copy counts as
 * another sample, at distance 0. The first pair counts what lies on the border of a ball as inside,
 * the second does not, as in the papers; so a ball of radius 0 holds copies of its centre for the
 * first, and nothing for the second. With real = fake and no ties, all four are 1.
 * @throws UserError for fewer than k + 1 rows, different columns, numbers that are not finite, and
 * real samples that are all the same
 */
export function neighbourScores({
  real,
  fake,
  kPrecision = 3,
  kDensity = 5,
}: NeighbourOptions): NeighbourScores {
  const k = Math.max(kPrecision, kDensity);
  if (!(Math.min(kPrecision, kDensity) >= 1)) {
    throw new UserError(`Neighbours are counted from 1; k is ${Math.min(kPrecision, kDensity)}.`);
  }
  checkPair({ real, fake }, { metric: "The measure of precision and recall", leastRows: k + 1 });
  if (allRowsEqual(real)) {
    throw new UserError(
      `The measure of precision and recall needs real samples that differ, and all ${real.rows} are the same.`,
    );
  }
  const ofReal = nearestDistances(real, k);
  const ofFake = nearestDistances(fake, kPrecision);
  const radii = {
    real: column(ofReal, k, kPrecision),
    fake: column(ofFake, kPrecision, kPrecision),
    density: column(ofReal, k, kDensity),
  };
  const rows = {
    precision: new Float64Array(fake.rows),
    recall: new Float64Array(real.rows),
    density: new Float64Array(fake.rows),
    coverage: new Float64Array(real.rows),
  };
  forEachTile({ a: real, b: fake, kernel: "squared distance" }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let i = 0; i < aRows; i++) {
      const r = aFrom + i;
      const reach = radii.real[r] ?? 0;
      const inner = radii.density[r] ?? 0;
      for (let j = 0; j < bRows; j++) {
        const f = bFrom + j;
        const distance = values[i * stride + j] ?? 0;
        if (distance <= reach) rows.precision[f] = 1;
        if (distance <= (radii.fake[f] ?? 0)) rows.recall[r] = 1;
        if (distance >= inner) continue;
        rows.density[f] = (rows.density[f] ?? 0) + 1;
        rows.coverage[r] = 1;
      }
    }
  });
  const density = mean(rows.density) / kDensity;
  rows.density.forEach((count, f) => (rows.density[f] = count / kDensity));
  return {
    precision: mean(rows.precision),
    recall: mean(rows.recall),
    density,
    coverage: mean(rows.coverage),
    rows,
  };
}

/** Squared distances from each row to its k nearest other rows, rising: [rows, k]. */
export function nearestDistances(matrix: Matrix, k: number): Float64Array {
  const nearest = new Float64Array(matrix.rows * k).fill(Infinity);
  forEachTile({ a: matrix, b: matrix, kernel: "squared distance", upper: true }, (tile) => {
    const { values, stride, aFrom, aRows, bFrom, bRows } = tile;
    for (let i = 0; i < aRows; i++) {
      const from = aFrom === bFrom ? i + 1 : 0;
      for (let j = from; j < bRows; j++) {
        const distance = values[i * stride + j] ?? 0;
        insert(nearest, (aFrom + i) * k, k, distance);
        insert(nearest, (bFrom + j) * k, k, distance);
      }
    }
  });
  return nearest;
}

/** Puts `value` in its place among the k rising numbers from `at`, and drops the last. */
function insert(nearest: Float64Array, at: number, k: number, value: number): void {
  if (value >= (nearest[at + k - 1] ?? 0)) return;
  let place = at + k - 1;
  for (; place > at && (nearest[place - 1] ?? 0) > value; place--) {
    nearest[place] = nearest[place - 1] ?? 0;
  }
  nearest[place] = value;
}

/** The distances to the `which`-th neighbour (from 1) out of [rows, k]. */
function column(nearest: Float64Array, k: number, which: number): Float64Array {
  return Float64Array.from(
    { length: nearest.length / k },
    (_, i) => nearest[i * k + which - 1] ?? 0,
  );
}
