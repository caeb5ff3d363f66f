import { drawRows, halves } from "../metrics/draw.ts";
import { takeRows, type Matrix, type Pair } from "../metrics/matrix.ts";
import { takePictures, type Pictures } from "../metrics/pictures.ts";
import type { Evidence, Score } from "./metric.ts";
import { picturesOf } from "./side.ts";

/*
 * Real samples against other real samples: the reference against what is held out, or one half of the
 * reference against the other; of the second no more than there are generated ones, since distances
 * fall with their number.
 */

/** The floor of a metric of features. */
export function floorPair({ features, seed }: Evidence): Pair {
  const { real, heldOut, fake } = features;
  const few = (m: Matrix): Matrix =>
    m.rows <= fake.rows
      ? m
      : takeRows(m, drawRows({ n: fake.rows, of: m.rows, seed, purpose: "floor" }));
  if (heldOut !== undefined) return { real, fake: few(heldOut) };
  const { first, second } = halves({ rows: real.rows, seed });
  return { real: takeRows(real, first), fake: few(takeRows(real, second)) };
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
  if (heldOut !== undefined) return { real, fake: few(picturesOf(heldOut)) };
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

const normal95 = 1.96; // of a normal distribution, 95 % lie within so many standard deviations

/** Value plus or minus 1.96 standard errors of a bootstrap over the generated samples. */
export function around(value: number, standardError: number): readonly [number, number] {
  return [value - normal95 * standardError, value + normal95 * standardError];
}
