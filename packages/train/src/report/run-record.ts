import { readdir, readFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { UserError } from "@duelo/core";
import { z } from "zod";
import { neighboursName, readJudgements, type Judgement } from "../judge/judgement.ts";
import { examine, type Findings } from "../health/examine.ts";
import { probesOf } from "../health/history.ts";
import { verdictNames } from "../health/verdict-name.ts";
import { pathFrom, withSpecs } from "../run-data.ts";
import { errorCode, unlessMissing } from "../run/file-system.ts";
import type { Series } from "./series.ts";

const text = z.string().optional().catch(undefined);
const count = z.number().optional().catch(undefined);
const table = z.record(z.string(), z.unknown()).catch({});

const words = z.record(z.string(), z.string()).optional().catch(undefined);

const otherSchema = z.object({
  ...{ spec: text, select: words, channels: count, derive: text },
});

/** What was asked of a set; a path is seen from the working folder. */
const requestSchema = z.object({
  ...{ spec: z.string(), select: words, height: count, width: count, channels: count },
  ...{ holdOut: count, jitter: count, flip: z.boolean().optional().catch(undefined) },
  pair: otherSchema.optional().catch(undefined),
});

/** What a report reads of `options.json`; whatever else is there does no harm. */
const optionsSchema = z.object({
  recipe: z.string(),
  data: z.string(),
  about: text,
  paper: text,
  preset: text,
  options: table,
  dataSettings: table,
  dataRequest: z.record(z.string(), requestSchema).catch({}),
  select: table,
  nRecords: count,
  shape: z.array(z.number()).catch([]),
  classes: z.array(z.string()).catch([]),
  budget: table,
  seed: count,
  device: text,
  threads: count,
  onDivergence: text,
  evaluate: table,
  versions: table,
});
export type ReportOptions = z.infer<typeof optionsSchema>;

const verdictSchema = z.object({
  name: z.enum(verdictNames),
  since: z.number(),
  text: z.string(),
  evidence: z.record(z.string(), z.number()),
  advice: z.string(),
});

const lineSchema = z.object({
  step: z.number(),
  nImages: z.number().catch(Number.NaN),
  timeMs: z.number().catch(Number.NaN),
  log: z.record(z.string(), z.number().catch(Number.NaN)).catch({}), // JSON writes NaN as null
  verdict: verdictSchema.optional().catch(undefined),
  rollback: z.object({ from: z.number(), rate: z.number() }).optional().catch(undefined),
});
export type StatsLine = z.infer<typeof lineSchema>;

/** A run as its folder tells it. */
export interface RunRecord {
  /** The name of the folder, for example `0001-dcgan-emoji`. */
  readonly name: string;
  readonly options: ReportOptions;
  /** Where the log ends; when nothing was logged, the step of the last samples and zeros. */
  readonly step: number;
  readonly nImages: number;
  readonly timeMs: number;
  readonly series: readonly Series[];
  /** How the run is doing; undefined when it was never probed. */
  readonly health: Findings | undefined;
  /** Returns to a safe point after divergence. */
  readonly rollbacks: readonly {
    readonly to: number;
    readonly from: number;
    readonly rate: number;
  }[];
  /** Lines of `stats.jsonl`, the last one aside, that could not be read. */
  readonly nBadLines: number;
  /** Sample grids, by step. */
  readonly samples: readonly { readonly step: number; readonly path: string }[];
  /** A grid of real data, where there is one. */
  readonly real: string | undefined;
  /** What `duelo eval` found, oldest first. */
  readonly judgements: readonly Judgement[];
  /** A picture of nearest neighbours, where there is one. */
  readonly neighbours: string | undefined;
}

/**
 * Reads what a run folder holds so far.
 * @throws UserError when it is not a run folder
 */
export async function readRun(dir: string): Promise<RunRecord> {
  const options = await readOptions(dir);
  const { lines, nBadLines } = await readLog(dir);
  const names = (await unlessMissing(readdir(join(dir, "samples")))) ?? [];
  const samples = names
    .filter((name) => /^\d+\.png$/.test(name))
    .map((name) => ({ step: Number.parseInt(name, 10), path: `samples/${name}` }))
    .toSorted((a, b) => a.step - b.step);
  const { step = samples.at(-1)?.step ?? 0, nImages = 0, timeMs = 0 } = lines.at(-1) ?? {};
  return {
    name: basename(resolve(dir)),
    options,
    step,
    nImages,
    timeMs,
    series: seriesOf(lines),
    health: examine(probesOf(lines)),
    rollbacks: rollbacksOf(lines),
    nBadLines,
    samples,
    real: names.includes("real.png") ? "samples/real.png" : undefined,
    judgements: await readJudgements(dir),
    neighbours: (await readdir(dir)).includes(neighboursName) ? neighboursName : undefined,
  };
}

/** The lines of `stats.jsonl` so far, in order of steps; none where there is no such file. */
export async function readLog(dir: string): Promise<{ lines: StatsLine[]; nBadLines: number }> {
  return parseLines((await unlessMissing(readFile(join(dir, "stats.jsonl"), "utf8"))) ?? "");
}

async function readOptions(dir: string): Promise<ReportOptions> {
  const path = join(dir, "options.json");
  try {
    const options = optionsSchema.parse(JSON.parse(await readFile(path, "utf8")));
    const requests = Object.entries(options.dataRequest).map(([stream, request]) => {
      return [stream, withSpecs(request, (spec) => seenFromHere(spec, dir))] as const;
    });
    return { ...options, dataRequest: Object.fromEntries(requests) };
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") {
      throw new UserError(
        `${dir} is not a run folder: it has no options.json. Name a folder that duelo train made.`,
      );
    }
    if (errorCode(error) !== undefined) throw error;
    throw new UserError(
      `${path} is not the options of a run (JSON with recipe and data). Undo what was changed in it.`,
    );
  }
}

/** A path that is kept as seen from the folder of run folders. */
const seenFromHere = (spec: string, dir: string): string =>
  spec.startsWith(".") ? pathFrom(process.cwd(), join(dir, "..", spec)) : spec;

/**
 * The lines of a log as they count. What follows the last line break (a half line) is left out; a step that
 * comes again, as after a resume, replaces what was there from that step on. A rollback takes back what
 * came after the step that it leads to, and stays itself.
 */
function parseLines(content: string): { lines: StatsLine[]; nBadLines: number } {
  const lines: StatsLine[] = [];
  let nBadLines = 0;
  for (const text of content.split("\n").slice(0, -1)) {
    const line = parseLine(text);
    if (line === undefined) nBadLines++;
    else {
      const first = line.rollback === undefined ? line.step : line.step + 1;
      const from = lines.findLastIndex((l) => !l.rollback && l.step < first) + 1;
      lines.push(...lines.splice(from).filter((l) => l.rollback), line);
    }
  }
  return { lines, nBadLines };
}

function parseLine(text: string): StatsLine | undefined {
  try {
    return lineSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export const rollbacksOf = (lines: readonly StatsLine[]): RunRecord["rollbacks"] =>
  lines.flatMap(({ step, rollback }) => (rollback ? [{ to: step, ...rollback }] : []));

/** One series a name, in the order in which the names first appear. */
function seriesOf(lines: readonly StatsLine[]): Series[] {
  const found = new Map<string, { name: string; steps: number[]; values: number[] }>();
  for (const { step, log } of lines) {
    for (const [name, value] of Object.entries(log)) {
      let series = found.get(name);
      if (!series) found.set(name, (series = { name, steps: [], values: [] }));
      series.steps.push(step);
      series.values.push(value);
    }
  }
  return [...found.values()];
}
