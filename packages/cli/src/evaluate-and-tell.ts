import { UserError } from "@duelo/core";
import {
  demandWritable,
  evaluate,
  featureKinds,
  metrics,
  writeJudgementPage,
  type Judgement,
} from "@duelo/train";
import { cacheDir } from "./cache-dir.ts";
import { count, figures, table, wrapped } from "./format.ts";
import { textReporter } from "./progress.ts";
import { untilSignal } from "./signals.ts";
import type { Terminal } from "./terminal.ts";

/** What the command line says; see `duelo eval --help`. */
export interface EvalFlags {
  readonly against?: string;
  readonly metrics?: readonly string[];
  readonly features?: string;
  readonly number?: number;
  readonly seed: number;
  readonly best?: true;
  readonly size?: { height: number; width: number };
  readonly channels?: 1 | 3 | 4;
  readonly runs: string;
  readonly out?: string;
  readonly json?: true;
}

/** Judges and prints what was found. @throws UserError as `evaluate` does */
export async function evaluateAndTell(options: {
  samples: string | undefined;
  flags: EvalFlags;
  terminal: Terminal;
}): Promise<void> {
  const { samples, flags, terminal } = options;
  if (flags.metrics?.includes("list")) return terminal.out(metricList());
  if (samples === undefined) {
    throw new UserError(
      "Name what to judge: a run, or a folder of samples. See duelo eval --help.",
    );
  }
  const { number: n, size, out, json, ...rest } = flags;
  if (out !== undefined) demandWritable(out, "file");
  const reporter = textReporter(terminal);
  const request = {
    ...{ ...rest, ...size, judged: samples, cacheDir: cacheDir() },
    ...(n === undefined ? {} : { n }),
  };
  const { judgement, picture, dir } = await untilSignal(
    (signal) => evaluate(request, { progress: reporter.data, warn: reporter.note, signal }),
    () => reporter.note("Stopping; nothing of it is kept. Once more ends it at once."),
  ).finally(reporter.rest);
  terminal.out(json ? `${JSON.stringify(judgement)}\n` : judgementText(judgement));
  if (out !== undefined) await writeJudgementPage({ out, judgement, picture });
  if (json) return;
  if (dir !== undefined) terminal.err(`Added to ${dir}/metrics.jsonl and report.html\n`);
  if (out !== undefined) terminal.out(`page      ${out}\n`);
}

/** Every metric and every kind of features, with what it says. */
function metricList(): string {
  const about = (names: readonly string[], text: string): string =>
    `  ${names.join(", ")}\n${wrapped(text, { first: "      ", width: 90 })}`;
  return [
    "Metrics (--metrics name,name)\n",
    ...metrics.map((m) => about([m.name, ...(m.aliases ?? [])], m.about)),
    "\nFeatures (--features name)\n",
    ...featureKinds.map((f) => about([f.name], `${f.about}.`)),
  ].join("");
}

const number = (value: number): string => (Number.isInteger(value) ? count(value) : figures(value));

type Sided = Judgement["generated"];

const sideText = ({ name, n, shape, split, resizer }: Sided): string => {
  const what = shape.length === 3 ? "images" : "rows";
  const part = split === undefined ? "" : ` (${split})`;
  const size = shape.length === 3 ? `, ${resizer}` : "";
  return `${name}${part}: ${count(n)} ${what} of [${shape.join(", ")}]${size}`;
};

/** A judgement as text, for a person: what was compared, the numbers, and what they say. */
export function judgementText(judgement: Judgement): string {
  const { generated, reference, heldOut, features, scores, verdict, notes, step } = judgement;
  const digest = features.digest === undefined ? "" : `, sha256 ${features.digest.slice(0, 12)}`;
  const facts = [
    [
      "judged",
      `${sideText(generated)}${step === undefined ? "" : `, step ${count(step)}`}, seed ${judgement.seed}`,
    ],
    ["against", sideText(reference)],
    ...(heldOut ? [["held out", sideText(heldOut)]] : []),
    ["features", `${features.name}${digest}, ${features.resizer}`],
  ];
  const withGiven = scores.some((s) => s.given !== undefined);
  const given = (text: string): string[] => (withGiven ? [text] : []);
  const rows = scores.map((s) => [
    s.title,
    number(s.value),
    s.interval ? s.interval.map(number).join(" to ") : "–",
    s.floor === undefined ? "–" : number(s.floor),
    ...given(s.given === undefined ? "–" : number(s.given)),
    s.better === "neither" ? "" : s.better,
    `${count(s.nGenerated)} / ${count(s.nReference)}`,
  ]);
  const head = [
    "",
    "value",
    "95 % interval",
    "real data",
    ...given("as given"),
    "better",
    "samples / real",
  ];
  return [
    table(facts),
    "\n",
    table([head, ...rows]),
    "\n",
    ...verdict.map((line) => wrapped(line)),
    ...notes.map((line) => wrapped(line)),
  ].join("");
}
