/**
 * Every number that a verdict depends on, with its reason. They were settled on the runs of seed 1 of
 * `scripts/tables/health.ts`; the table in `docs/guide/health.md` is of other seeds.
 */
export const thresholds = {
  /** Probes with a look that a verdict is drawn from: enough for a median, few enough to be recent. */
  window: 8,
  /** Looks before which nothing but divergence is said: nets still leave their first weights. */
  patience: 16,
  /** Looks in a row that must agree before another verdict is said, so that it does not flicker. */
  agree: 4,

  /**
   * Divergence: a net's weights are so many times those of a window ago. A net with batch norm grew
   * fourfold at 50 times its rate, and learnt all the same.
   */
  weightGrowth: 10,
  /**
   * Divergence: a step moves a net by this share of its weights at three probes in a row. Healthy runs
   * stayed below 0.03.
   */
  stepShare: 0.1,
  /**
   * Divergence: samples are so many times as far from the data as records are from each other, or as
   * they were at first, where that is more; but no more than `start` counts as a first distance.
   */
  flown: 4,
  start: 2,
  /** Divergence: a loss is so many times its largest size among the first ten probes. */
  lossGrowth: 1e4,

  /** Samples are as good as these are short runs: energy distance below it is near the data. */
  near: 0.1,
  /** And above it, far from the data: a single typical record has 1, one of four clusters about 0.5. */
  far: 0.2,
  /** A fall of the distance by this share, against two windows ago, counts as getting better. */
  progress: 0.1,
  /** Unless samples have been so many times nearer before, as they are now and then when they swing about. */
  relapse: 1.25,
  /** So does diversity that rises by this factor: young nets begin with samples that are all alike. */
  rise: 1.2,

  /** D is right about so many records and so many samples. */
  perfect: 0.95,
  /** And its scores of data and samples are so far apart: odds of 50 to 1 on either side. */
  sure: 8,
  /** A step moves D by so little of its weights that it does not follow G; 1e-3 is usual. */
  idle: 1e-5,
  /** D is right about no more than that, whichever way it errs: a coin is right about half. */
  coin: 0.6,
  /** G's gradient is this small a part of what it was at first. */
  noGradient: 1e-4,

  /**
   * Mode collapse: samples reach at most this share of the clusters that real records reach. A young
   * run with packs wandered between 9 and 19 of 25.
   */
  reached: 0.4,
  /** Or differ from each other this much less than real records do. */
  diversity: 0.35,

  /** Oscillation: between two looks the same noise moves by this share of the distance of records. */
  drift: 0.5,

  /**
   * Memorising: this share of samples are three times nearer to a record than it is to any other. Of
   * fresh points in the plane it would be one in nine, of fresh pictures next to none.
   */
  copies: 0.2,
  /** Which can be seen only if this share of the training records stands in the reference. */
  known: 0.5,

  /** Stalled: the same noise hardly moves between looks. Where its moves grow by `rise`, nets are waking up. */
  still: 0.002,
  /** Finished improving: so many looks without a fall of the distance by `progress`. */
  plateau: 30,
} as const;
