import type { Progress, TrainHooks, TrainResult } from "@duelo/train";
import { count, duration, figures, plural } from "./format.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Tells how training goes, one way for a person, another for a log file, another for a program. */
export interface Reporter extends Required<Omit<TrainHooks, "signal">> {
  end(result: TrainResult): void;
  /** Puts the line being drawn to rest, before anything else is written. */
  rest(): void;
}

const lineEveryMs = 5000;
const drawEveryMs = 100;

/** True at most once in `everyMs`, and when `always`; the first time only after `afterMs`. */
function seldom(everyMs: number, afterMs = 0): (always?: boolean) => boolean {
  let lastMs = performance.now() + afterMs - everyMs;
  return (always = false) => {
    const nowMs = performance.now();
    if (!always && nowMs - lastMs < everyMs) return false;
    lastMs = nowMs;
    return true;
  };
}

/** Losses first, then what D says of real and fake, then nothing: `loss D 1.02, G 2.31; D real 1.50, fake -1.62`. */
export function logText(log: Progress["log"]): string {
  const losses = Object.entries(log)
    .filter(([name]) => name.startsWith("loss/"))
    .map(([name, value]) => `${name.slice("loss/".length)} ${figures(value)}`);
  const scores = ["real", "fake"].flatMap((side) => {
    const value = log[`D/${side}`];
    return value === undefined ? [] : [`${side} ${figures(value)}`];
  });
  return [
    ...(losses.length > 0 ? [`loss ${losses.join(", ")}`] : []),
    ...(scores.length > 0 ? [`D ${scores.join(", ")}`] : []),
  ].join("; ");
}

function progressText(p: Progress): string {
  const rate = p.imagesPerSecond;
  const verdict = p.verdict?.name ?? "too early";
  const health = verdict === "too early" ? "" : `${verdict}; `;
  const speed = rate >= 100 ? count(rate) : Number.isFinite(rate) ? figures(rate) : "?";
  return `${Math.floor(p.fraction * 100)} %, step ${count(p.step)}, ${speed} records/s, ${duration(p.secondsLeft)} left; ${health}${logText(p.log)}`;
}

/** `[=====>    ]` of a width. */
function bar(fraction: number, width: number): string {
  const full = Math.round(Math.min(Math.max(fraction, 0), 1) * width);
  return `[${"=".repeat(full)}${" ".repeat(width - full)}]`;
}

/** Plain lines every few seconds, or, where a person watches, one line drawn again and again. */
export function textReporter(terminal: Terminal): Reporter {
  const due = terminal.live ? seldom(drawEveryMs) : seldom(lineEveryMs, lineEveryMs);
  let drawn = false;
  let stepped = false;
  const rest = (): void => {
    if (drawn) terminal.err("\r\u001B[K");
    drawn = false;
  };
  const say = (line: string): void => {
    rest();
    terminal.err(`${printable(line)}\n`);
  };
  const show = (fraction: number, text: string): void => {
    if (!terminal.live) return say(text);
    drawn = true;
    const line = `${bar(fraction, 20)} ${text}`;
    terminal.err(`\r${line.slice(0, terminal.columns - 1)}\u001B[K`);
  };
  return {
    rest,
    data(done, total, what) {
      if (due()) show(done / total, `${what}: ${count(done)} of ${count(total)}`);
    },
    note: say,
    begun({ dir, resumedAt }) {
      say(resumedAt > 0 ? `Run ${dir}, going on from step ${count(resumedAt)}` : `Run ${dir}`);
    },
    progress(p) {
      stepped = true;
      if (due(p.fraction >= 1)) show(p.fraction, progressText(p));
    },
    end(result) {
      rest();
      if (result.finished && !stepped) say("It was finished already; --new begins another.");
      terminal.out(endText(result));
    },
  };
}

function endText({ dir, step, nImages, seconds, samples, report, finished }: TrainResult): string {
  const name = dir.slice(dir.lastIndexOf("/") + 1);
  const what = `${plural(step, "step")}, ${plural(nImages, "record")}, ${duration(seconds)}`;
  const next = `Samples  duelo sample ${name}\nModel    duelo export ${name}\n`;
  const picture = samples === undefined ? "" : `Picture  ${samples}\n`;
  return `${finished ? "Trained" : "Stopped"}: ${what}.\n${picture}Report   ${report}\n${finished && picture !== "" ? next : ""}`;
}

/** One JSON object a line on stdout, each with the name of its event. */
export function jsonReporter(terminal: Terminal): Reporter {
  const due = seldom(1000);
  const write = (event: string, fields: object): void =>
    terminal.out(`${JSON.stringify({ event, ...fields })}\n`);
  return {
    rest: () => undefined,
    data(done, total, what) {
      if (due(done === total)) write("data", { done, total, what });
    },
    note: (line) => write("note", { line }),
    begun: (run) => write("begun", run),
    progress(p) {
      if (due(p.fraction >= 1)) write("progress", p);
    },
    end: (result) => write("end", result),
  };
}
