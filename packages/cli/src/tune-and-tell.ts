import type { Trial, TrialAt, TuneHooks, TuneRequest, TuneResult } from "@duelo/train";
import { count, figures, plural, table } from "./format.ts";
import { jsonReporter, textReporter, type Reporter } from "./progress.ts";
import { untilSignal } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** Searches, and tells about it as the flags ask. */
export async function tuneAndTell(options: {
  request: TuneRequest;
  flags: { readonly json?: true };
  terminal: Terminal;
}): Promise<void> {
  const { request, flags, terminal } = options;
  const reporter = flags.json ? jsonReporter(terminal) : textReporter(terminal);
  const hooks = flags.json ? jsonHooks(reporter, terminal) : textHooks(reporter);
  const { tune } = await import("@duelo/train");
  try {
    await untilSignal(
      async (signal) => {
        const result = await tune(request, { ...hooks, signal });
        reporter.rest();
        terminal.out(
          flags.json ? `${JSON.stringify({ event: "end", ...result })}\n` : endText(result),
        );
      },
      () => reporter.note("Saving, then leaving. Once more leaves at once."),
    );
  } finally {
    reporter.rest();
  }
}

function textHooks(reporter: Reporter): TuneHooks {
  const { data, note, progress } = reporter;
  return {
    ...{ data, note, progress },
    planned({ dir, rounds, nDone }) {
      const course = rounds.map((r) => `${count(r.nTrials)} to step ${count(r.steps)}`).join(", ");
      note(`Search ${dir}: trials ${course}`);
      if (nDone > 0) note(`Going on after ${plural(nDone, "result")}`);
    },
    trial: (at) => note(`${atText(at)}: ${choiceText(at.options)}`),
    scored: ({ value, failure }, at) =>
      note(`${atText(at)}: ${value === undefined ? (failure ?? "failed") : figures(value)}`),
  };
}

function jsonHooks(reporter: Reporter, terminal: Terminal): TuneHooks {
  const { data, note, progress } = reporter;
  const write = (event: string, fields: object): void =>
    terminal.out(`${JSON.stringify({ event, ...fields })}\n`);
  return {
    ...{ data, note, progress },
    planned: (plan) => write("planned", plan),
    trial: (at) => write("trial", at),
    scored: (result) => write("scored", result),
  };
}

const atText = ({ trial, round, nRounds }: TrialAt): string =>
  `Trial ${trial}, round ${round} of ${nRounds}`;

const choiceText = (options: Trial["options"]): string =>
  Object.entries(options)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");

function endText({ trials, rounds, metric, better, winner, page, finished }: TuneResult): string {
  const names = Object.keys(trials[0]?.options ?? {});
  const rows = trials.map(({ trial, options, results }) => [
    String(trial),
    ...names.map((name) => String(options[name])),
    ...rounds.map((_, round) => {
      const found = results.find((r) => r.round === round);
      return found === undefined
        ? "–"
        : found.value === undefined
          ? "failed"
          : figures(found.value);
    }),
  ]);
  const head = ["trial", ...names, ...rounds.map((r) => `step ${count(r.steps)}`)];
  const told = `${metric} of each trial at each round; ${better} is better.\n${table([head, ...rows], "  ")}Page  ${page}\n`;
  if (!finished) return `${told}Stopped; the same command goes on from there.\n`;
  return winner === undefined
    ? told
    : `${told}Winner: trial ${winner.trial}, ${winner.dir}\n${winner.command}\n`;
}
