import { median } from "./look.ts";
import { netsOf, type Probe } from "./history.ts";
import { thresholds } from "./thresholds.ts";

/** What the rules look at: medians over the last probes, and what they are compared with. */
export interface Facts {
  readonly step: number;
  /** Looks at samples so far. */
  readonly nLooks: number;
  /** The first number of the last probe that is none. */
  readonly nonFinite: string | undefined;
  /** Median of a number over the window; undefined when it was not written down. */
  now(name: string): number | undefined;
  /** The same two windows ago, or at the beginning where there is less. */
  before(name: string): number | undefined;
  /** The value at the first probe that has it. */
  first(name: string): number | undefined;
  /** Smallest of the last three probes. */
  lasting(name: string): number | undefined;
  /** Of the last probe over that of a window ago, or of the first where there are fewer. */
  growth(name: string): number | undefined;
  /** Largest size among the first ten probes. */
  earliest(name: string): number | undefined;
  /** The least median of any window of distances before `n` looks ago. */
  bestDistance(n: number): number | undefined;
  /** Nets that tell real from generated, and the others. */
  readonly judges: readonly string[];
  readonly makers: readonly string[];
}

/** The looks of a history, and after each of them the least median of any window of its distances. */
interface Looks {
  nProbes: number;
  readonly looks: Probe[];
  readonly finite: number[];
  readonly least: (number | undefined)[];
}
const known = new WeakMap<readonly Probe[], Looks>();

/** A history grows by probes at its end, so only those are read that have come since. */
function looksOf(history: readonly Probe[]): Looks {
  const found = known.get(history) ?? { nProbes: 0, looks: [], finite: [], least: [] };
  const { looks, finite, least } = found;
  const { window } = thresholds;
  for (const probe of history.slice(found.nProbes)) {
    const distance = probe.log["health/distance"];
    if (distance === undefined) continue;
    looks.push(probe);
    if (Number.isFinite(distance)) finite.push(distance);
    const before = least.at(-1) ?? Infinity;
    const last = finite.length < window ? Infinity : median(finite.slice(-window));
    least.push(Math.min(before, last) === Infinity ? undefined : Math.min(before, last));
  }
  found.nProbes = history.length;
  known.set(history, found);
  return found;
}

/** The facts at the end of a history of at least one probe. */
export function factsOf(history: readonly Probe[]): Facts {
  const last = history.at(-1) ?? { step: 0, log: {} };
  const { looks, least } = looksOf(history);
  const { window } = thresholds;
  const values = (probes: readonly Probe[], name: string): number[] =>
    probes.flatMap(({ log }) => log[name] ?? []).filter(Number.isFinite);
  const middle = (probes: readonly Probe[], name: string): number | undefined => {
    const found = values(probes, name);
    return found.length === 0 ? undefined : median(found);
  };
  // What is seen in looks is taken over looks, and what stands in every probe over as many probes.
  const among = (name: string): readonly Probe[] => (name.startsWith("health/") ? looks : history);
  const nets = netsOf(last.log);
  const judges = nets.filter((net) => `${net}/real` in last.log);
  return {
    step: last.step,
    nLooks: looks.length,
    nonFinite: Object.entries(last.log).find(([, value]) => !Number.isFinite(value))?.[0],
    now: (name) => middle(among(name).slice(-window), name),
    before(name) {
      const all = among(name);
      const to = Math.max(all.length - 2 * window, window);
      return middle(all.slice(Math.max(to - window, 0), to), name);
    },
    first: (name) => values(history.slice(0, 20), name)[0],
    lasting(name) {
      const found = values(history.slice(-3), name);
      return found.length < 3 ? undefined : Math.min(...found);
    },
    growth(name) {
      const found = values(history.slice(-window - 1), name);
      const [then, now] = [found[0], found.at(-1)];
      return then === undefined || now === undefined || then === 0 ? undefined : now / then;
    },
    earliest(name) {
      const found = values(history.slice(0, 10), name).map(Math.abs);
      return found.length === 0 ? undefined : Math.max(...found);
    },
    bestDistance: (n) => least.at(-n - 1),
    judges,
    makers: nets.filter((net) => !judges.includes(net)),
  };
}
