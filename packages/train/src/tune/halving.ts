/** The share that goes on after a round, and how much longer it is trained. */
const factor = 3;

/** A round of successive halving. */
export interface Round {
  /** Trials in it. */
  readonly nTrials: number;
  /** Steps that each has been trained at its end. */
  readonly steps: number;
}

/**
 * Rounds of successive halving (Jamieson, Talwalkar 2016, arXiv:1502.07943): all trials for the steps
 * of the first; the best third, rounded down, for three times as many; until one is left.
 */
export function roundsOf(o: { nTrials: number; firstSteps: number }): Round[] {
  const rounds = [{ nTrials: o.nTrials, steps: o.firstSteps }];
  for (let last = rounds[0]; last !== undefined && last.nTrials > 1; last = rounds.at(-1)) {
    const nTrials = Math.max(1, Math.floor(last.nTrials / factor));
    rounds.push({ nTrials, steps: last.steps * factor });
  }
  return rounds;
}

/** Steps of the first round so that the last one ends at `lastSteps`, rounded up. */
export function firstStepsFor(o: { nTrials: number; lastSteps: number }): number {
  const nRounds = roundsOf({ nTrials: o.nTrials, firstSteps: 1 }).length;
  return Math.ceil(o.lastSteps / factor ** (nRounds - 1));
}

/** Steps that all rounds take together, each trial going on from where it stood. */
export const stepsOfAll = (rounds: readonly Round[]): number =>
  rounds.reduce(
    (sum, { nTrials, steps }, i) => sum + nTrials * (steps - (rounds[i - 1]?.steps ?? 0)),
    0,
  );

/** What a trial came to: its score, or none where it failed. */
export interface Scored {
  /** Its number, from 1. */
  readonly trial: number;
  readonly value?: number | undefined;
}

/** From the best to the worst; what failed comes last, and equals by number. */
export function ranked<T extends Scored>(scored: readonly T[], better: "higher" | "lower"): T[] {
  const cost = ({ value }: Scored): number => {
    if (value === undefined || Number.isNaN(value)) return Number.POSITIVE_INFINITY;
    return better === "lower" ? value : -value;
  };
  const byCost = (a: T, b: T): number => {
    const [x, y] = [cost(a), cost(b)];
    return x === y ? a.trial - b.trial : x - y;
  };
  return scored.toSorted(byCost);
}
