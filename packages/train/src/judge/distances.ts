import { bootstrap } from "../metrics/bootstrap.ts";
import { drawRows, halves } from "../metrics/draw.ts";
import { frechetByClass, frechetFrom } from "../metrics/frechet.ts";
import { kernelDistance, type KernelDistance } from "../metrics/kernel.ts";
import { takeRows, type Matrix, type Pair } from "../metrics/matrix.ts";
import { around, counts, floorOf, isEnough } from "./floor.ts";
import type { Evidence, Metric, Score } from "./metric.ts";

const resamples = 20;

/** A distance costs the cube of the features, so of many of them fewer resamples say how sure it is. */
const resamplesOf = (cols: number): number =>
  Math.round(Math.min(resamples, Math.max(6, (resamples * 512) / cols)));

export const frechet: Metric = {
  name: "frechet",
  better: "lower",
  aliases: ["fid", "fd"],
  title: "Fréchet distance",
  about:
    "How far two clouds of features lie apart, as if both were Gaussian. The usual score; it falls with the number of samples, so compare equal numbers only.",
  needs: ["features"],
  leastRows: 2,
  async compute(evidence) {
    const { features, seed, brief } = evidence;
    const of = frechetFrom(features.real);
    const value = of(features.fake);
    const title = evidence.by.isClassic === true ? "FID" : this.title;
    const base = { metric: "frechet", title, better: "lower", value } as const;
    if (brief) return [{ ...base, ...counts(evidence) }];
    const spread = bootstrap({
      rows: features.fake.rows,
      statistic: (rows) => of(takeRows(features.fake, rows)),
      resamples: resamplesOf(features.fake.cols),
      seed,
    });
    const floor = floorOf(evidence, (real) => (real === features.real ? of : frechetFrom(real)));
    return [{ ...base, ...counts(evidence), interval: around(value, spread), ...floor }];
  },
};

export const kernel: Metric = {
  name: "kernel",
  better: "lower",
  aliases: ["kid", "mmd"],
  title: "Kernel distance",
  about:
    "Like the Fréchet distance without the Gaussians, and without bias: fit for few samples, 0 when both sides are alike, and it may fall below 0.",
  needs: ["features"],
  leastRows: 2,
  async compute(evidence) {
    const { features, seed, brief } = evidence;
    const found = kernelDistance({ ...features, seed });
    const { distance: value } = found;
    const title = evidence.by.isClassic === true ? "KID" : this.title;
    const base = { metric: "kernel", title, better: "lower", value } as const;
    if (brief) return [{ ...base, ...counts(evidence) }];
    const interval = around(value, kernelSpread(features, found, seed));
    const { floor } = floorOf(
      evidence,
      (real) => (fake) => kernelDistance({ real, fake, seed, subsets: 20 }).distance,
    );
    return [{ ...base, ...counts(evidence), interval, ...(floor === undefined ? {} : { floor }) }];
  },
};

/**
 * The standard error of a kernel distance: the spread over subsets, scaled from m samples of N without
 * return to all N, sqrt(m / (N - m)); where subsets share most of their samples, by a bootstrap.
 */
function kernelSpread(
  { real, fake }: Pair,
  found: KernelDistance,
  seed: number,
): { standardError: number; resamples: number } {
  const { standardDeviation, subsets, subsetSize: m } = found;
  if (fake.rows >= 2 * m) {
    const standardError = standardDeviation * Math.sqrt(m / (fake.rows - m));
    return { standardError, resamples: subsets };
  }
  return bootstrap({
    rows: fake.rows,
    statistic: (rows) =>
      kernelDistance({ real, fake: takeRows(fake, rows), subsets: 1, subsetSize: fake.rows, seed })
        .distance,
    resamples,
    seed,
  });
}

export const classFrechet: Metric = {
  name: "class-frechet",
  better: "lower",
  aliases: ["class-fid"],
  title: "Fréchet distance within classes",
  about:
    "The mean over classes of the Fréchet distance within each: it sees a generator that ignores the label it is given.",
  needs: ["features", "labels"],
  leastRows: 4,
  async compute(evidence) {
    const { features, generated, reference, seed, brief } = evidence;
    const nClasses = reference.classes.length;
    const { real } = features;
    const realLabels = reference.labels ?? [];
    const fakeLabels = generated.labels ?? [];
    const { mean: value } = frechetByClass({ ...features, realLabels, fakeLabels, nClasses });
    const base = { metric: this.name, title: this.title, better: "lower", value } as const;
    if (brief) return [{ ...base, ...counts(evidence) }];
    const of = (fake: Matrix, labels: ArrayLike<number>): number =>
      frechetByClass({ real, realLabels, fake, fakeLabels: labels, nClasses }).mean;
    const byClass = membersOf(fakeLabels, nClasses);
    const spread = bootstrap({
      rows: features.fake.rows,
      // Within each class as many as there are: a class that a resample misses has no distance.
      statistic: (rows) => {
        const chosen = againWithin(byClass, rows);
        return of(
          takeRows(features.fake, chosen),
          chosen.map((i) => fakeLabels[i] ?? 0),
        );
      },
      resamples,
      seed,
    });
    const floor = classFloor(evidence, nClasses);
    return [{ ...base, ...counts(evidence), interval: around(value, spread), ...floor }];
  },
};

function membersOf(labels: ArrayLike<number>, nClasses: number): number[][] {
  const members = Array.from({ length: nClasses }, (): number[] => []);
  for (let i = 0; i < labels.length; i++) members[labels[i] ?? 0]?.push(i);
  return members;
}

/** Rows drawn again, of each class as many as it has; `rows` are random rows of all, as many. */
function againWithin(byClass: readonly (readonly number[])[], rows: Int32Array): Int32Array {
  let at = 0;
  return Int32Array.from(
    byClass.flatMap((members) =>
      members.map(
        () => members[Math.floor(((rows[at++] ?? 0) / rows.length) * members.length)] ?? 0,
      ),
    ),
  );
}

/** Rows with their classes. */
interface Classed {
  readonly rows: Matrix;
  readonly labels: ArrayLike<number>;
}

const some = ({ rows, labels }: Classed, of: Int32Array): Classed => ({
  rows: takeRows(rows, of),
  labels: Int32Array.from(of, (i) => labels[i] ?? 0),
});

/** The same of real samples as `floorPairs` pairs them; nothing where a class is too small. */
function classFloor(
  { reference, heldOut, generated, features, seed }: Evidence,
  nClasses: number,
): Pick<Score, "floor" | "likeFloor" | "nFloor"> {
  const few = (side: Classed, n: number): Classed =>
    side.rows.rows <= n
      ? side
      : some(side, drawRows({ n, of: side.rows.rows, seed, purpose: "floor" }));
  const all: Classed = { rows: features.real, labels: reference.labels ?? [] };
  const fake: Classed = { rows: features.fake, labels: generated.labels ?? [] };
  const { first, second } = halves({ rows: features.real.rows, seed });
  const [real, other] =
    heldOut?.labels && features.heldOut && isEnough(heldOut.n, reference.n)
      ? [all, { rows: features.heldOut, labels: heldOut.labels }]
      : [some(all, first), some(all, second)];
  const against = (side: Classed): number | undefined => {
    const small = [real.labels, side.labels].some((labels) =>
      membersOf(labels, nClasses).some((members) => members.length < 2),
    );
    const labels = { realLabels: real.labels, fakeLabels: side.labels };
    return small
      ? undefined
      : frechetByClass({ real: real.rows, fake: side.rows, ...labels, nClasses }).mean;
  };
  const held = few(other, fake.rows.rows);
  const floor = against(held);
  if (floor === undefined) return {};
  const nFloor = Math.min(real.rows.rows, held.rows.rows);
  if (real === all && held.rows.rows === fake.rows.rows) return { floor, nFloor };
  const likeFloor = against(few(fake, held.rows.rows));
  return { floor, nFloor, ...(likeFloor === undefined ? {} : { likeFloor }) };
}
