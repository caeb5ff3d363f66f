import type { Verdict } from "../health/verdict.ts";
import type { Judgement } from "../judge/judgement.ts";
import { metrics } from "../judge/metric-table.ts";
import type { RunRecord } from "./run-record.ts";
import { finalMean } from "./series.ts";
import { optionRows } from "./summary.ts";
import { numberText } from "./words.ts";

/** One run of several, in numbers. */
export interface ComparedRun {
  readonly name: string;
  readonly recipe: string;
  readonly data: string;
  readonly step: number;
  /** Real records seen. */
  readonly nImages: number;
  /** Of training alone. */
  readonly timeMs: number;
  /** Every logged number: its mean over the last tenth of the log; null when it was no number. */
  readonly finals: Readonly<Record<string, number | null>>;
  /** What `duelo eval` last found, where it did. */
  readonly judgement?: Judgement;
  /** How it was doing when it was last probed, where it was. */
  readonly health?: Verdict;
}

/** Runs side by side. */
export interface Comparison {
  readonly runs: readonly ComparedRun[];
  /** Choices in which they are not all the same, with the value of each run; null where it has none. */
  readonly differences: readonly {
    readonly option: string;
    readonly values: readonly (string | null)[];
  }[];
}

/** What runs have come to, and where their choices differ. */
export function comparison(records: readonly RunRecord[]): Comparison {
  return { runs: records.map(comparedRun), differences: differences(records) };
}

function comparedRun(record: RunRecord): ComparedRun {
  const { name, options, step, nImages, timeMs, series, health } = record;
  const judgement = record.judgements.at(-1);
  const finals = series.map((s) => {
    const mean = finalMean(s);
    return [s.name, Number.isNaN(mean) ? null : mean] as const;
  });
  return {
    name,
    recipe: options.recipe,
    data: options.data,
    step,
    nImages,
    timeMs,
    finals: Object.fromEntries(finals),
    ...(judgement === undefined ? {} : { judgement }),
    ...(health === undefined ? {} : { health: health.verdict }),
  };
}

function differences(records: readonly RunRecord[]): Comparison["differences"] {
  const tables = records.map(
    ({ options }) =>
      new Map([["recipe", options.recipe], ["data", options.data], ...optionRows(options)]),
  );
  const names = [...new Set(tables.flatMap((table) => [...table.keys()]))];
  return names
    .map((option) => ({ option, values: tables.map((table) => table.get(option) ?? null) }))
    .filter(({ values }) => new Set(values).size > 1);
}

/** The names of everything that any of the runs logged: metrics, losses, then the rest. */
export function seriesNames(records: readonly RunRecord[]): string[] {
  const names = [...new Set(records.flatMap((r) => r.series.map((s) => s.name)))];
  const rank = (name: string): number =>
    name.startsWith("metric/") ? 0 : name.startsWith("loss/") ? 1 : 2;
  return names.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Steps at which to look at all runs, at most `n`, evenly from the first sample grid to the last of
 * any run.
 */
export function momentsOf(records: readonly RunRecord[], n: number): number[] {
  const steps = records.flatMap((r) => r.samples.map((s) => s.step));
  const low = steps.reduce((a, b) => Math.min(a, b), Infinity);
  const high = steps.reduce((a, b) => Math.max(a, b), 0);
  if (steps.length === 0) return [];
  const even = Array.from({ length: n }, (_, i) => low + (i * (high - low)) / (n - 1));
  return [...new Set(even.map(Math.round))];
}

/** The sample grid of a run nearest to a moment; none when its nearest is one of another moment. */
export function sampleAt(
  record: RunRecord,
  moment: number,
  moments: readonly number[],
): RunRecord["samples"][number] | undefined {
  const nearest = record.samples.toSorted(
    (a, b) => Math.abs(a.step - moment) - Math.abs(b.step - moment),
  )[0];
  if (nearest === undefined) return undefined;
  const away = Math.abs(nearest.step - moment);
  const closer = moments.some((m) => Math.abs(nearest.step - m) < away);
  return closer ? undefined : nearest;
}

/**
 * The scores of the last judgement of each run, a row a metric. A score that rests on features is told
 * with them, as those of two networks do not compare.
 */
export function scoreRows({ runs }: Comparison): {
  readonly name: string;
  readonly scores: readonly (Judgement["scores"][number] | undefined)[];
}[] {
  const named = runs.map(
    ({ judgement }) =>
      new Map(judgement?.scores.map((s) => [titleOf(s, judgement.features.name), s])),
  );
  const names = [...new Set(named.flatMap((scores) => [...scores.keys()]))];
  return names.map((name) => ({ name, scores: named.map((scores) => scores.get(name)) }));
}

export type ScoreRows = typeof scoreRows;

function titleOf({ metric, title }: Judgement["scores"][number], features: string): string {
  const needs = metrics.find((m) => m.name === metric)?.needs;
  const isTold = needs?.includes("features") === false || title.includes(features);
  return isTold ? title : `${title} (${features})`;
}

/** What the scores of each run must be read with, a row a fact; none where no run was judged. */
export function conditionRows({ runs }: Comparison): {
  readonly name: string;
  readonly values: readonly (string | undefined)[];
}[] {
  const facts: readonly (readonly [name: string, of: (judgement: Judgement) => string])[] = [
    ["features", ({ features }) => networkText(features)],
    ["resized for them", ({ features }) => features.resizer],
    ["judged against", ({ reference }) => sideText(reference)],
    ["samples judged", ({ generated }) => numberText(generated.n)],
  ];
  if (runs.every((run) => run.judgement === undefined)) return [];
  return facts.map(([name, of]) => ({
    name,
    values: runs.map(({ judgement }) => judgement && of(judgement)),
  }));
}

export type ConditionRows = typeof conditionRows;

/** The name of a network, and the beginning of its digest. */
const networkText = ({ name, digest }: Judgement["features"]): string =>
  digest === undefined ? name : `${name} (sha256 ${digest.slice(0, 12)}…)`;

const sideText = ({ name, split, n, resizer }: Judgement["reference"]): string =>
  `${name}${split === undefined ? "" : ` (${split})`}, ${numberText(n)}, resized: ${resizer}`;
