import { advice } from "./advice.ts";
import type { Probe } from "./history.ts";
import { judged } from "./rules.ts";
import { thresholds } from "./thresholds.ts";
import type { VerdictName } from "./verdict-name.ts";

/** How a run is doing, and why. */
export interface Verdict {
  readonly name: VerdictName;
  /** The step at which it was first said. */
  readonly since: number;
  /** The evidence in a sentence without its stop, and in numbers. */
  readonly text: string;
  readonly evidence: Readonly<Record<string, number>>;
  /** One thing to do. */
  readonly advice: string;
}

/** Divergence in weights or losses, which ends a run or sends it back; all else is only said. */
export const runsAway = ({ evidence, name }: Verdict): boolean =>
  name === "divergence" && evidence["health/distance"] === undefined;

/** What stands, and what has been found since but not for long enough to be said. */
interface Opinion {
  readonly said: Verdict;
  readonly rival: { readonly name: VerdictName; readonly times: number };
}

/**
 * A new finding is said once it was found `thresholds.agree` times in a row; divergence at once, and
 * it stands until a rollback ends it.
 */
function next(before: Opinion | undefined, history: readonly Probe[]): Opinion {
  const found = judged(history);
  const step = history.at(-1)?.step ?? 0;
  const { name, text, evidence, runsAway: final } = found;
  const as = (since: number): Opinion => ({
    said: { name, since, text, evidence, advice: advice[name] },
    rival: { name, times: 0 },
  });
  if (before === undefined) return as(step);
  const { said, rival } = before;
  if (runsAway(said)) return before;
  if (found.name === said.name) return as(said.since);
  const times = rival.name === found.name ? rival.times + 1 : 1;
  const sure = final || said.name === "too early";
  if (sure || times >= thresholds.agree) return as(step);
  return { said, rival: { name: found.name, times } };
}

/** Follows a run probe by probe. What it says is a function of the probes alone. */
export class Observer {
  readonly #history: Probe[] = [];
  #opinion: Opinion | undefined;

  constructor(history: readonly Probe[] = []) {
    for (const probe of history) this.add(probe);
  }

  add(probe: Probe): Verdict {
    this.#history.push(probe);
    this.#opinion = next(this.#opinion, this.#history);
    return this.#opinion.said;
  }

  get history(): readonly Probe[] {
    return this.#history;
  }

  get verdict(): Verdict | undefined {
    return this.#opinion?.said;
  }
}

/** The verdict at the end of a history; undefined for an empty one. */
export const verdictOf = (history: readonly Probe[]): Verdict | undefined =>
  new Observer(history).verdict;

/** `Step 1,200: mode collapse: samples reach 3 clusters …. Try ….` */
export const verdictLine = ({ name, since, text, advice: todo }: Verdict): string =>
  `Step ${since.toLocaleString("en")}, ${name}: ${text}. ${todo}`;
