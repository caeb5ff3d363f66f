import { bootstrap } from "../metrics/bootstrap.ts";
import { halves } from "../metrics/draw.ts";
import { frechetByClass, frechetFrom } from "../metrics/frechet.ts";
import { kernelDistance, type KernelDistance } from "../metrics/kernel.ts";
import { takeRows, type Matrix, type Pair } from "../metrics/matrix.ts";
import { around, counts, floorOf, isEnough } from "./floor.ts";
import type { Evidence, Metric } from "./metric.ts";

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
    return [
      {
        ...base,
        ...counts(evidence),
        interval: around(value, spread),
        ...(floor === undefined ? {} : { floor }),
      },
    ];
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

/** Held-out data, or one half of the reference, within classes; undefined where a class is too small. */
function classFloor(evidence: Evidence, nClasses: number): number | undefined {
  const { reference, heldOut, features, seed } = evidence;
  const labels = reference.labels ?? new Int32Array();
  const { first, second } = halves({ rows: features.real.rows, seed });
  const other =
    heldOut?.labels && features.heldOut && isEnough(heldOut.n, reference.n)
      ? {
          real: features.real,
          realLabels: labels,
          fake: features.heldOut,
          fakeLabels: heldOut.labels,
        }
      : {
          real: takeRows(features.real, first),
          realLabels: Int32Array.from(first, (i) => labels[i] ?? 0),
          fake: takeRows(features.real, second),
          fakeLabels: Int32Array.from(second, (i) => labels[i] ?? 0),
        };
  const small = [other.realLabels, other.fakeLabels].some((side) =>
    membersOf(side, nClasses).some((members) => members.length < 2),
  );
  return small ? undefined : frechetByClass({ ...other, nClasses }).mean;
}
