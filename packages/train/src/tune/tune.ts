import { FailureError, UserError } from "@duelo/core";
import { openRuntime } from "@duelo/runtime";
import { readFile } from "node:fs/promises";
import { demandNoiseSamples } from "../generator.ts";
import { demandEnough } from "../judge/metric-table.ts";
import { runOptions, train } from "../loop.ts";
import { trainCommand } from "../report/commands.ts";
import { readRun } from "../report/run-record.ts";
import { embed, type Picture } from "../report/whole-page.ts";
import {
  contextFor,
  openFor,
  resolveRequest,
  type Resolved,
  type TrainRequest,
} from "../request.ts";
import type { RunOptions } from "../run/runs.ts";
import type { Progress, TrainHooks } from "../session.ts";
import { closeAll, firstOf } from "../streams.ts";
import { Diverged } from "../diverged.ts";
import { TuneFolder, type TrialResult } from "./folder.ts";
import { firstStepsFor, ranked, roundsOf, type Round } from "./halving.ts";
import { tunePage } from "../report/tune-page.ts";
import { scorerOf, type Scorer } from "./score.ts";
import { drawTrials, spaceOf, type Choice, type Range, type Space } from "./space.ts";

/** What is searched, and how long; everything else is as in training. */
export interface TuneRequest extends Omit<TrainRequest, "budget" | "runs" | "fresh"> {
  /** Options of the recipe, each with the values to look among. */
  readonly over: Readonly<Record<string, Range>>;
  /** Trials of the first round; 9 unless said otherwise. Fewer where the ranges hold fewer. */
  readonly trials?: number;
  /** Steps of each trial in the first round; unless said otherwise so many that the last one ends at the preset's. */
  readonly firstSteps?: number;
  /** By what trials are compared; `high-quality` for a known mixture, else `frechet`. */
  readonly metric?: string;
  /** Folder of search folders; `tunes` unless said otherwise. */
  readonly tunes?: string;
  /** Begins another search where the same request would go on with an earlier one. */
  readonly fresh?: boolean;
}

/** A trial at work. */
export interface TrialAt {
  /** Its number, from 1. */
  readonly trial: number;
  readonly nTrials: number;
  readonly options: Choice;
  /** From 1. */
  readonly round: number;
  readonly nRounds: number;
  /** Steps that it is trained to. */
  readonly steps: number;
}

export interface TuneHooks extends Pick<TrainHooks, "data" | "note" | "signal"> {
  /** The search is known: its folder, and what it will do. */
  planned?(plan: { dir: string; rounds: readonly Round[]; nDone: number }): void;
  /** A trial begins or goes on. */
  trial?(at: TrialAt): void;
  progress?(progress: Progress, at: TrialAt): void;
  scored?(result: TrialResult, at: TrialAt): void;
}

/** A trial with all that is known of it. */
export interface Trial {
  /** From 1. */
  readonly trial: number;
  readonly options: Choice;
  /** One a round that it took part in. */
  readonly results: readonly TrialResult[];
}

export interface TuneResult {
  readonly dir: string;
  readonly metric: string;
  readonly better: "higher" | "lower";
  readonly rounds: readonly Round[];
  /** From the best to the worst: those that came further first, then by score. */
  readonly trials: readonly Trial[];
  /** False when the signal ended it early; the same request goes on from there. */
  readonly finished: boolean;
  /** The winner's run folder, its score and the command that trains it again, once all is done. */
  readonly winner?: {
    readonly trial: number;
    readonly dir: string;
    readonly value: number;
    readonly command: string;
  };
  /** Path of the page. */
  readonly page: string;
}

/**
 * Searches for good options of a recipe: trials drawn at random, then successive halving. Each trial
 * is a run of its own that goes on where it stood. All trials train with the seed of the request,
 * from which their options are drawn too. The same request again goes on with the search.
 * @throws UserError for a mistake in the request
 * @throws FailureError when every trial of a round failed, or the disk does
 */
export async function tune(request: TuneRequest, hooks: TuneHooks = {}): Promise<TuneResult> {
  const resolved = resolveRequest(request);
  const space = checkedSpace(request, resolved);
  const choices = drawTrials({ space, n: checkedTrials(request), seed: resolved.seed });
  const nTrials = choices.length;
  const { steps: lastSteps } = resolved.preset;
  const firstSteps = request.firstSteps ?? firstStepsFor({ nTrials, lastSteps });
  const rounds = roundsOf({ nTrials, firstSteps });
  const { recipe, seed } = resolved;
  const { data, metric, cacheDir } = request;
  const scorer = scorerOf({ recipe, data, metric, seed, cacheDir });
  const options = await searchOptions({ request, resolved, space, rounds, scorer, hooks });
  const root = request.tunes ?? "tunes";
  const folder = await TuneFolder.open({ root, options, fresh: request.fresh === true });
  try {
    hooks.planned?.({ dir: folder.dir, rounds, nDone: folder.results.length });
    const search = { request, hooks, folder, space, choices, rounds, scorer };
    return await finish(search, await work(search));
  } finally {
    await folder.close();
  }
}

function checkedTrials({ trials = 9 }: TuneRequest): number {
  if (Number.isInteger(trials) && trials >= 2 && trials <= 1000) return trials;
  throw new UserError(
    `A search of ${trials} trials is none; it takes a whole number from 2 to 1000.`,
  );
}

function checkedSpace({ over, set = {} }: TuneRequest, { recipe }: Resolved): Space {
  const both = Object.keys(over).find((name) => Object.hasOwn(set, name));
  if (both === undefined) return spaceOf(recipe, over);
  throw new UserError(`Option ${both} is both set and searched over. Leave out one of the two.`);
}

/** What makes two requests the same search; also `options.json`. */
async function searchOptions(o: {
  request: TuneRequest;
  resolved: Resolved;
  space: Space;
  rounds: readonly Round[];
  scorer: Scorer;
  hooks: TuneHooks;
}): Promise<RunOptions> {
  const { request, resolved, space, rounds, scorer, hooks } = o;
  const threads = request.threads === undefined ? {} : { threads: request.threads };
  const runtime = await openRuntime({ device: resolved.device, ...threads });
  await runtime.close();
  const streams = await openFor(resolved, {
    ...(hooks.data === undefined ? {} : { progress: hooks.data.bind(hooks) }),
    ...(hooks.note === undefined ? {} : { warn: hooks.note.bind(hooks) }),
    ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
  });
  closeAll(streams);
  const { recipe } = resolved;
  demandNoiseSamples({ recipe, context: contextFor(resolved, streams), who: "a search" });
  const { length: n, fields, name } = firstOf(streams);
  demandEnough(scorer.by, { n, shape: fields["x"]?.shape ?? [], name });
  return {
    ...runOptions(resolved, streams, runtime),
    budget: { steps: rounds.map((r) => r.steps) },
    trials: rounds[0]?.nTrials ?? 0,
    over: space.map((axis) => ({ ...axis })),
    metric: scorer.metric,
  };
}

interface Search {
  readonly request: TuneRequest;
  readonly hooks: TuneHooks;
  readonly folder: TuneFolder;
  readonly space: Space;
  readonly choices: readonly Choice[];
  readonly rounds: readonly Round[];
  readonly scorer: Scorer;
}

/** Works through the rounds; false when the signal ended it. */
async function work(search: Search): Promise<boolean> {
  const { rounds, folder, choices, hooks } = search;
  let left = choices.map((_, i) => i + 1);
  for (const round of rounds.keys()) {
    const scored: TrialResult[] = [];
    for (const trial of left) {
      const known = folder.results.find((r) => r.round === round && r.trial === trial);
      const result = known ?? (await runTrial(search, trial, round));
      if (result === undefined) return false;
      scored.push(result);
    }
    const order = ranked(scored, search.scorer.better).filter((r) => r.value !== undefined);
    if (order.length === 0 && round === 0) {
      throw new FailureError(
        `Every trial failed. The first one: ${scored[0]?.failure ?? "no score"} Search over lower rates.`,
      );
    }
    left = order.slice(0, rounds[round + 1]?.nTrials).map((r) => r.trial);
    await writePage(search);
    if (hooks.signal?.aborted === true) return round === rounds.length - 1;
  }
  return true;
}

/** Trains a trial to the end of a round and keeps its score; nothing when the signal ended it. */
async function runTrial(
  search: Search,
  trial: number,
  round: number,
): Promise<TrialResult | undefined> {
  const { request, hooks, folder, choices, rounds, scorer } = search;
  const { steps = 0 } = rounds[round] ?? {};
  const options = choices[trial - 1] ?? {};
  const nTrials = choices.length;
  const at = { trial, nTrials, options, round: round + 1, nRounds: rounds.length, steps };
  const { over: _over, fresh: _fresh, ...base } = request;
  const asked = { ...base, set: { ...base.set, ...options }, budget: { steps }, runs: folder.runs };
  if (hooks.signal?.aborted === true) return undefined;
  hooks.trial?.(at);
  const result = { trial, round, steps };
  try {
    const trained = await train(asked, {
      progress: (progress) => hooks.progress?.(progress, at),
      ...(hooks.data === undefined ? {} : { data: hooks.data.bind(hooks) }),
      ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
    });
    if (!trained.finished) return undefined;
    const run = trained.dir.slice(trained.dir.lastIndexOf("/") + 1);
    const value = await scorer.score({ dir: trained.dir });
    return await kept(search, at, { ...result, run, value });
  } catch (error) {
    if (!(error instanceof Diverged)) throw error;
    return kept(search, at, { ...result, failure: error.message });
  }
}

async function kept(
  { folder, hooks }: Search,
  at: TrialAt,
  result: TrialResult,
): Promise<TrialResult> {
  await folder.keep(result);
  hooks.scored?.(result, at);
  return result;
}

/** Trials from the best to the worst: those with a score of a later round first, then by that score. */
function table({ folder, choices, scorer }: Search): Trial[] {
  const trials = choices.map((options, i) => {
    const results = folder.results.filter((r) => r.trial === i + 1);
    const last = lastScored(results);
    return { trial: i + 1, options, results, round: last?.round ?? -1, value: last?.value };
  });
  return ranked(trials, scorer.better)
    .toSorted((a, b) => b.round - a.round)
    .map(({ trial, options, results }) => ({ trial, options, results }));
}

const lastScored = (results: readonly TrialResult[]): TrialResult | undefined =>
  results.findLast((r) => r.value !== undefined);

async function finish(search: Search, finished: boolean): Promise<TuneResult> {
  const { folder, rounds, scorer } = search;
  const trials = table(search);
  const winner = finished ? await winnerOf(search, trials[0]) : undefined;
  const page = await writePage(search, winner?.command);
  const { metric, better } = scorer;
  const result = { dir: folder.dir, metric, better, rounds, trials, finished, page };
  return winner === undefined ? result : { ...result, winner };
}

async function winnerOf({ folder }: Search, best: Trial | undefined) {
  const last = lastScored(best?.results ?? []);
  if (best === undefined || last?.run === undefined || last.value === undefined) return undefined;
  const dir = `${folder.runs}/${last.run}`;
  const { options } = await readRun(dir);
  const command = trainCommand({ ...options, budget: { steps: last.steps } });
  return { trial: best.trial, dir, value: last.value, command };
}

async function writePage(search: Search, command?: string): Promise<string> {
  const { request, folder, rounds, scorer, space } = search;
  const { recipe } = resolveRequest(request);
  const page = tunePage({
    ...{ recipe: recipe.name, data: request.data, metric: scorer.metric, better: scorer.better },
    ...{ space, rounds, trials: table(search), command },
    picture: await pictureOf(search),
  });
  return folder.write("tune.html", new TextEncoder().encode(page.text));
}

/** The last samples of the trial that is first now. */
async function pictureOf(search: Search): Promise<Picture | undefined> {
  const last = lastScored(table(search)[0]?.results ?? []);
  if (last?.run === undefined) return undefined;
  const dir = `${search.folder.runs}/${last.run}`;
  const sample = (await readRun(dir)).samples.findLast(({ step }) => step <= last.steps);
  return sample && embed(await readFile(`${dir}/${sample.path}`));
}
