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
  /** The least median of any window before `n` looks ago. */
  best(name: string, n: number): number | undefined;
  /** Nets that tell real from generated, and the others. */
  readonly judges: readonly string[];
  readonly makers: readonly string[];
}

const isLook = ({ log }: Probe): boolean => log["health/distance"] !== undefined;

/** The facts at the end of a history of at least one probe. */
export function factsOf(history: readonly Probe[]): Facts {
  const last = history.at(-1) ?? { step: 0, log: {} };
  const looks = history.filter(isLook);
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
    best(name, n) {
      const old = values(looks.slice(0, -n), name);
      const medians = old.flatMap((_, i) =>
        i + window <= old.length ? [median(old.slice(i, i + window))] : [],
      );
      return medians.length === 0 ? undefined : Math.min(...medians);
    },
    judges,
    makers: nets.filter((net) => !judges.includes(net)),
  };
}
