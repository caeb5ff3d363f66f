import { bootstrap, bootstrapMean, quantile } from "../metrics/bootstrap.ts";
import { drawRows } from "../metrics/draw.ts";
import { takeRows, type Matrix, type Pair } from "../metrics/matrix.ts";
import { memorisation as memorised } from "../metrics/memorisation.ts";
import { nearestDistances, neighbourScores, type NeighbourScores } from "../metrics/neighbours.ts";
import { floorPairs } from "./floor.ts";
import type { Evidence, Metric } from "./metric.ts";
import { nearestRows } from "./nearest.ts";

/** All pairs are compared, so no more rows than these of either side. */
const mostRows = 5000;

const leastRows = 12; // each half of the reference has 6, one more than k

type Name = "precision" | "recall" | "density" | "coverage";

const facts: Readonly<Record<Name, { title: string; about: string; better: "higher" }>> = {
  precision: {
    title: "Precision",
    about: "The share of samples that lie among real ones (k = 3): is what it makes like the data?",
    better: "higher",
  },
  recall: {
    title: "Recall",
    about:
      "The share of real samples that lie among made ones (k = 3): does it make all of the data?",
    better: "higher",
  },
  density: {
    title: "Density",
    about:
      "Precision that counts how many real neighbours agree (k = 5): 1 is expected of real data.",
    better: "higher",
  },
  coverage: {
    title: "Coverage",
    about: "The share of real samples with a made one nearby (k = 5): low when modes are missing.",
    better: "higher",
  },
};

/** At most `mostRows` rows, drawn without return. */
function atMost(matrix: Matrix, purpose: string, seed: number): Matrix {
  if (matrix.rows <= mostRows) return matrix;
  return takeRows(matrix, drawRows({ n: mostRows, of: matrix.rows, seed, purpose }));
}

interface Compared {
  readonly pair: Pair;
  readonly own: NeighbourScores;
  /** Of real data, of as few samples where those are fewer, and how many there are. */
  readonly floor?: { own: NeighbourScores; like?: NeighbourScores; n: number } | undefined;
}
const computed = new WeakMap<Evidence, Compared>();

/** The four scores come from one comparison of all pairs, so it is made once for an evidence. */
function scoresOf(evidence: Evidence): Compared {
  const known = computed.get(evidence);
  if (known) return known;
  const { features, seed } = evidence;
  const cut = ({ real, fake }: Pair, purpose: string): Pair => ({
    real: atMost(real, `${purpose} real`, seed),
    fake: atMost(fake, `${purpose} fake`, seed),
  });
  const pair = cut(features, "neighbours");
  const own = neighbourScores(pair);
  const result = { own, pair, floor: evidence.brief ? undefined : floorScores(evidence, cut) };
  computed.set(evidence, result);
  return result;
}

function floorScores(
  evidence: Evidence,
  cut: (pair: Pair, purpose: string) => Pair,
): Compared["floor"] {
  const { floor, like } = floorPairs(evidence);
  const scores = (pair: Pair): NeighbourScores => neighbourScores(cut(pair, "neighbours floor"));
  const n = Math.min(floor.real.rows, floor.fake.rows, mostRows);
  return { n, own: scores(floor), ...(like === undefined ? {} : { like: scores(like) }) };
}

const neighbourMetric = (name: Name): Metric => ({
  name,
  ...facts[name],
  needs: ["features"],
  leastRows,
  async compute(evidence) {
    const { own, floor, pair } = scoresOf(evidence);
    const { low, high } = bootstrapMean({ values: own.rows[name], seed: evidence.seed });
    return [
      {
        ...{ metric: name, title: facts[name].title, better: facts[name].better },
        value: own[name],
        nGenerated: pair.fake.rows,
        nReference: pair.real.rows,
        ...(evidence.brief ? {} : { interval: [low, high] as const }),
        ...(floor ? { floor: floor.own[name], nFloor: floor.n } : {}),
        ...(floor?.like ? { likeFloor: floor.like[name] } : {}),
      },
    ];
  },
});

export const precision = neighbourMetric("precision");
export const recall = neighbourMetric("recall");
export const density = neighbourMetric("density");
export const coverage = neighbourMetric("coverage");

/**
 * The share of samples that lie closer to the data trained on than to as much data held out. It is a
 * half for a generator that learnt what the two have in common, and 1 for one that copies.
 */
export const memorisation: Metric = {
  name: "memorisation",
  better: "neither",
  title: "Closer to training data",
  about:
    "The share of samples that are closer to the data trained on than to as many held-out records: a half if nothing is memorised, towards 1 if it copies.",
  needs: ["features", "heldOut"],
  leastRows: 2,
  async compute(evidence) {
    const { features, seed } = evidence;
    const { real, heldOut = real } = features;
    const fake = atMost(features.fake, "memorisation fake", seed);
    const train = atMost(real, "memorisation train", seed);
    const held = atMost(heldOut, "memorisation held out", seed);
    const found = memorised({ fake, train, heldOut: held, seed });
    const { nearerToTrain: value, compared } = found;
    const around = 1.96 * Math.sqrt((value * (1 - value)) / fake.rows); // of a share, normal
    const interval = [Math.max(0, value - around), Math.min(1, value + around)] as const;
    const base = { better: "neither", nGenerated: fake.rows, nReference: compared } as const;
    const ratio = { metric: "memorisation-ratio", title: ratioTitle, value: found.ratio } as const;
    return [
      { ...base, metric: this.name, title: this.title, value, floor: 0.5, interval },
      { ...base, ...ratio, floor: 1, interval: ratioInterval(found.parts, seed) },
    ];
  },
};

const ratioTitle = "Distance to training data, over that to held-out";

function ratioInterval(parts: Float64Array, seed: number): readonly [number, number] {
  const { low, high } = bootstrap({
    rows: parts.length,
    statistic(rows) {
      const median = quantile(Float64Array.from(rows, (i) => parts[i] ?? 0).toSorted(), 0.5);
      return median / (1 - median);
    },
    seed,
  });
  return [low, high];
}

const rare = 0.05;

/**
 * The share of samples that lie nearer to a record trained on than all but 5 % of real data do: the
 * held-out data, or, where none is held out, each record to its nearest other. About 5 % is expected
 * of good samples, less of bad ones; more means near copies, also from a generator of few images.
 */
export const copies: Metric = {
  name: "copies",
  better: "neither",
  title: "Near copies of the data",
  about:
    "The share of samples that are nearer to a record of the data than all but 5 % of real data are: about 5 % is expected, less when they are bad, more when it copies.",
  needs: ["features"],
  leastRows: 3,
  async compute(evidence) {
    const { features, seed } = evidence;
    const { real: train } = features; // all of them, since a copy is found only where its record is
    const fake = atMost(features.fake, "copies fake", seed);
    const held = features.heldOut && atMost(features.heldOut, "copies held out", seed);
    const between = held
      ? nearestRows({ of: held, among: train }).distances
      : nearestDistances(train, 1).map(Math.sqrt);
    const near = quantile(between.filter((d) => d > 0).toSorted(), rare) || 0; // a record may be there twice
    const { distances } = nearestRows({ of: fake, among: train });
    const { estimate, low, high } = bootstrapMean({
      values: distances.map((d) => (d < near || d === 0 ? 1 : 0)),
      seed,
    });
    return [
      {
        ...{ metric: this.name, title: this.title, better: "neither", value: estimate },
        ...{ nGenerated: fake.rows, nReference: train.rows, floor: rare },
        interval: [low, high],
      },
    ];
  },
};
