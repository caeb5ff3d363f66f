import { UserError } from "@duelo/core";
import { drawRows, halves } from "../metrics/draw.ts";
import { takeRows, type Matrix, type Pair } from "../metrics/matrix.ts";
import { takePictures, type Pictures } from "../metrics/pictures.ts";
import type { Evidence, Score } from "./metric.ts";
import { picturesOf } from "./side.ts";

/*
 * Real samples against other real samples: the reference against what is held out, or, where that is
 * less than half as much, one half of the reference against the other; of the second no more than there
 * are generated ones, since distances fall with their number.
 */

/** Real samples against real ones; `like`: as many generated ones against the same, where those are fewer. */
export interface FloorPairs {
  readonly floor: Pair;
  readonly like?: Pair;
}

/** The floor of a metric of features. @throws UserError for a reference of one row */
export function floorPairs({ features, seed }: Evidence): FloorPairs {
  const { real, heldOut, fake } = features;
  const few = (m: Matrix, n: number): Matrix =>
    m.rows <= n ? m : takeRows(m, drawRows({ n, of: m.rows, seed, purpose: "floor" }));
  const sides =
    heldOut !== undefined && isEnough(heldOut.rows, real.rows)
      ? { real, fake: heldOut }
      : halved(real, seed);
  const floor = { ...sides, fake: few(sides.fake, fake.rows) };
  if (floor.real === real && floor.fake.rows === fake.rows) return { floor };
  return { floor, like: { real: floor.real, fake: few(fake, floor.fake.rows) } };
}

/** Whether held-out samples say at least as much as a half of the reference does. */
export const isEnough = (heldOut: number, reference: number): boolean => 2 * heldOut >= reference;

function halved(real: Matrix, seed: number): Pair {
  const { first, second } = halves({ rows: real.rows, seed });
  return { real: takeRows(real, first), fake: takeRows(real, second) };
}

/** What a metric says of the floor; nothing where that has too few samples for it. */
export function floorOf(
  evidence: Evidence,
  of: (real: Matrix) => (fake: Matrix) => number,
): Pick<Score, "floor" | "likeFloor" | "nFloor"> {
  try {
    const { floor, like } = floorPairs(evidence);
    const from = of(floor.real);
    return {
      floor: from(floor.fake),
      nFloor: Math.min(floor.real.rows, floor.fake.rows),
      ...(like === undefined ? {} : { likeFloor: from(like.fake) }),
    };
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

/** The floor of a metric of pictures. */
export function floorPictures(evidence: Evidence): { real: Pictures; fake: Pictures } {
  const { reference, heldOut, generated, seed } = evidence;
  const few = (pictures: Pictures): Pictures => {
    const of = pictures.shape[0];
    if (of <= generated.n) return pictures;
    return takePictures(pictures, drawRows({ n: generated.n, of, seed, purpose: "floor" }));
  };
  const real = picturesOf(reference);
  if (heldOut !== undefined && isEnough(heldOut.n, reference.n))
    return { real, fake: few(picturesOf(heldOut)) };
  const { first, second } = halves({ rows: reference.n, seed });
  return { real: takePictures(real, first), fake: few(takePictures(real, second)) };
}

/** As many rows of the reference as there are generated samples, or all: for metrics of one set alone. */
export function equalRows({ generated, reference, seed }: Evidence): Int32Array {
  const n = Math.min(generated.n, reference.n);
  return drawRows({ n, of: reference.n, seed, purpose: "floor" });
}

/** The counts of samples behind a score. */
export const counts = ({ features }: Evidence): Pick<Score, "nGenerated" | "nReference"> => ({
  nGenerated: features.fake.rows,
  nReference: features.real.rows,
});

const z = 1.96; // of a normal distribution, 95 % lie within so many standard deviations

/**
 * A 95 % interval of a value by a standard error that was estimated from so many resamples: Student's, by
 * the first terms of its quantile in 1 / degrees of freedom (Fisher and Cornish 1960).
 */
export function around(
  value: number,
  o: { readonly standardError: number; readonly resamples: number },
): readonly [number, number] {
  const nu = o.resamples - 1;
  const t = z + (z ** 3 + z) / (4 * nu) + (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * nu ** 2);
  return [value - t * o.standardError, value + t * o.standardError];
}
