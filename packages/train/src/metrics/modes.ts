import { UserError } from "@duelo/core";
import { checkMatrix, type Matrix } from "./matrix.ts";

export interface Mixture {
  /** [rows, d]: the samples. */
  readonly samples: Matrix;
  /** The centres of the equal Gaussians, d numbers each. */
  readonly means: readonly (readonly number[])[];
  /** The standard deviation of each coordinate. */
  readonly sigma: number;
}

export interface MixtureScores {
  /** Modes that are nearest to at least one sample of high quality. */
  readonly modes: number;
  /** Share of samples of high quality, 0 to 1. A perfect sampler of points in the plane has 0.989. */
  readonly highQuality: number;
  /** KL(samples of high quality over the modes || uniform), in nats; none where there is no such sample. */
  readonly reverseKl: number | undefined;
  /** The same over all samples, each given to its nearest mode: 0 to ln(modes). */
  readonly reverseKlAll: number;
  /** Samples of high quality at each mode. */
  readonly counts: Int32Array;
}

/**
 * Mode counts by PacGAN's protocol (Lin et al. 2018, arXiv:1712.04086, Section 4.1; VEEGAN, arXiv:1705.07761,
 * has the same): a sample is of high quality when it lies within three standard deviations of the
 * nearest mean, |x - mean| / sigma < 3. Published tables draw 2,500 samples.
 * @throws UserError for no samples, or numbers that are not finite
 */
export function mixtureScores({ samples, means, sigma }: Mixture): MixtureScores {
  checkMatrix(samples, { metric: "The mode count", which: "generated", leastRows: 1 });
  if (means.some((m) => m.length !== samples.cols)) {
    throw new UserError(
      `The samples have ${samples.cols} coordinates, and the means of the mixture ${means[0]?.length}.`,
    );
  }
  const counts = new Int32Array(means.length);
  const all = new Int32Array(means.length);
  for (let i = 0; i < samples.rows; i++) {
    const { mode, distance } = nearestMode(samples, i, means);
    all[mode] = (all[mode] ?? 0) + 1;
    if (distance < 3 * sigma) counts[mode] = (counts[mode] ?? 0) + 1;
  }
  const good = counts.reduce((a, b) => a + b, 0);
  return {
    modes: counts.filter((n) => n > 0).length,
    highQuality: good / samples.rows,
    reverseKl: good === 0 ? undefined : klToUniform(counts),
    reverseKlAll: klToUniform(all),
    counts,
  };
}

function nearestMode(
  { cols, data }: Matrix,
  row: number,
  means: Mixture["means"],
): { mode: number; distance: number } {
  let best = { mode: 0, distance: Infinity };
  for (const [mode, mean] of means.entries()) {
    let square = 0;
    for (let j = 0; j < cols; j++) square += ((data[row * cols + j] ?? 0) - (mean[j] ?? 0)) ** 2;
    const distance = Math.sqrt(square);
    if (distance < best.distance) best = { mode, distance };
  }
  return best;
}

/** KL(counts / total || uniform) in nats, with 0 log 0 = 0; 0 to ln(length). */
export function klToUniform(counts: ArrayLike<number>): number {
  const total = Array.from(counts).reduce((a, b) => a + b, 0);
  let kl = 0;
  for (let i = 0; i < counts.length; i++) {
    const p = (counts[i] ?? 0) / total;
    if (p > 0) kl += p * Math.log(p * counts.length);
  }
  return Math.max(0, kl);
}

export interface ClassScores {
  /** Classes with at least one sample. */
  readonly modes: number;
  /** KL(samples over the classes || uniform), in nats. */
  readonly kl: number;
  readonly counts: Int32Array;
}

/**
 * How many classes are reached, and how evenly, by the classes that a classifier gives the samples.
 * @throws UserError for no samples, or a label out of range
 */
export function classScores({
  labels,
  nClasses,
}: {
  labels: ArrayLike<number>;
  nClasses: number;
}): ClassScores {
  if (labels.length === 0) throw new UserError("Classes cannot be counted without samples.");
  const counts = new Int32Array(nClasses);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i] ?? -1;
    if (!Number.isInteger(label) || label < 0 || label >= nClasses) {
      throw new UserError(
        `Sample ${i} has the class ${labels[i]}; classes are 0 to ${nClasses - 1}.`,
      );
    }
    counts[label] = (counts[label] ?? 0) + 1;
  }
  return { modes: counts.filter((n) => n > 0).length, kl: klToUniform(counts), counts };
}

/**
 * The class of a picture whose channels are stacked pictures of `nClasses` classes each: with three
 * channels of ten, one of 1,000 (the protocol of stacked MNIST: 26,000 samples, `classScores`).
 */
export function stackedLabels({
  channels,
  nClasses,
}: {
  channels: readonly ArrayLike<number>[];
  nClasses: number;
}): Int32Array {
  const n = channels[0]?.length ?? 0;
  if (channels.some((c) => c.length !== n)) throw new RangeError("channels of different lengths");
  return Int32Array.from({ length: n }, (_, i) =>
    channels.reduce((label, channel) => label * nClasses + (channel[i] ?? 0), 0),
  );
}
