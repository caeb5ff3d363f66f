import type { Log } from "../model.ts";

/** What was written down at one step that was judged. NaN: it was not a number. */
export interface Probe {
  readonly step: number;
  readonly log: Readonly<Log>;
}

/** The probes among the lines of a run's log: those that carry a verdict. */
export const probesOf = (lines: readonly (Probe & { verdict?: unknown })[]): Probe[] =>
  lines.filter(({ verdict }) => verdict !== undefined).map(({ step, log }) => ({ step, log }));

/** The names of the nets that a log speaks of. */
export const netsOf = (log: Readonly<Log>): string[] =>
  Object.keys(log).flatMap((name) =>
    name.startsWith("weight/") ? [name.slice("weight/".length)] : [],
  );
