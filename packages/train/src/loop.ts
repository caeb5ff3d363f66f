import { FailureError, UserError, type Clock } from "@duelo/core";
import { openRuntime, type HostTensor, type Runtime } from "@duelo/runtime";
import type { Context, ImageField } from "@duelo/zoo";
import type { Dataset } from "./data/dataset.ts";
import { writeGenerator } from "./export.ts";
import { Feeder, readField, type Cursors } from "./feeder.ts";
import { watch, type Watcher } from "./generator.ts";
import { buildModel, type Log, type Model } from "./model.ts";
import { imageGrid } from "./report/grid.ts";
import { writeModelCard } from "./report/model-card.ts";
import { pointPlot } from "./report/points.ts";
import { writeReport } from "./report/report.ts";
import { contextFor, openFor, resolveRequest, type Budget, type Resolved, type TrainRequest } from "./request.ts";
import type { Checkpoint, Json } from "./run/checkpoint.ts";
import { findNonFinite } from "./run/checkpoint.ts";
import { resumeOrCreateRun, type RunFolder } from "./run/folder.ts";
import type { RunOptions } from "./run/runs.ts";
import { EventWriter } from "./run/tfevents.ts";

/** Where a run stands, for a progress line. */
export interface Progress {
  readonly step: number;
  readonly nImages: number;
  /** 0 to 1. */
  readonly fraction: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  readonly log: Readonly<Log>;
}

export interface TrainHooks {
  /** Data being read: so many of so many. */
  data?(done: number, total: number, what: string): void;
  /** One line for the user: a file left out, a run resumed, a checkpoint fallen back to. */
  note?(line: string): void;
  /** The run's folder is known. */
  begun?(run: { dir: string; resumedAt: number }): void;
  progress?(progress: Progress): void;
  /** Asks the run to save and leave after the step at hand. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly dir: string;
  readonly step: number;
  readonly nImages: number;
  /** Of training alone, over all sittings. */
  readonly seconds: number;
  /** False when the signal ended it early; the same request goes on from there. */
  readonly finished: boolean;
  readonly samples: string;
  readonly report: string;
  readonly log: Readonly<Log>;
}

const nWatched = 64;
const columns = 8;
const logEvery = 10;
const nGrids = 20;
const checkpointSeconds = 60;

/** Counters of a run; with the state, all that a checkpoint holds. */
interface Counters {
  step: number;
  nImages: number;
  timeMs: number;
}

/**
 * Trains a recipe on data in a run folder, or goes on with the run of the same request. Throws
 * UserError for a mistake in the request, FailureError when the run cannot go on; whatever the last
 * checkpoint holds is safe in either case.
 */
export async function train(request: TrainRequest, hooks: TrainHooks = {}): Promise<TrainResult> {
  const resolved = resolveRequest(request);
  const runtime = await openRuntime({
    device: resolved.device,
    ...(request.threads === undefined ? {} : { threads: request.threads }),
  });
  let dataset: Dataset | undefined;
  let run: RunFolder | undefined;
  try {
    dataset = await openFor(resolved, dataHooks(hooks));
    run = await resumeOrCreateRun({
      root: request.runs ?? "runs",
      options: runOptions(resolved, dataset, runtime),
    });
    return await trainIn({ run, resolved, dataset, runtime, hooks });
  } finally {
    await run?.close();
    dataset?.close();
    await runtime.close();
  }
}

function dataHooks(hooks: TrainHooks) {
  return {
    ...(hooks.data === undefined ? {} : { progress: hooks.data.bind(hooks) }),
    ...(hooks.note === undefined ? {} : { warn: hooks.note.bind(hooks) }),
    ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
  };
}

/** What makes two requests the same run; also `options.json`. */
export function runOptions(resolved: Resolved, dataset: Dataset, runtime: Runtime): RunOptions {
  const { recipe } = resolved;
  return {
    recipe: recipe.name,
    about: recipe.about,
    paper: recipe.paper,
    preset: resolved.presetName,
    options: resolved.options,
    data: dataset.name,
    dataKey: dataset.key,
    dataSettings: JSON.parse(JSON.stringify(dataset.settings)) as Json,
    nRecords: dataset.length,
    shape: [...(dataset.fields["x"]?.shape ?? [])],
    classes: [...(dataset.classes ?? [])],
    budget: { ...resolved.budget },
    seed: resolved.seed,
    device: runtime.device,
    threads: runtime.threads,
  };
}

interface Session {
  readonly run: RunFolder;
  readonly resolved: Resolved;
  readonly dataset: Dataset;
  readonly runtime: Runtime;
  readonly hooks: TrainHooks;
}

async function trainIn(session: Session): Promise<TrainResult> {
  const { run, resolved, dataset, runtime, hooks } = session;
  const context = contextFor(resolved, dataset);
  const saved = await run.load();
  if (saved?.fellBack === true) hooks.note?.(saved.why ?? "The newest checkpoint was damaged; the one before it is used.");
  const counters = countersOf(saved);
  const model = await buildModel({
    recipe: resolved.recipe,
    context,
    runtime,
    seed: resolved.seed,
    ...(saved === undefined ? {} : { saved: hostTensors(saved) }),
  });
  const { recipe, seed } = resolved;
  const watcher = await watch({ recipe, context, runtime, seed, n: nWatched, columns, dataset });
  hooks.begun?.({ dir: run.dir, resumedAt: counters.step });
  const events = await EventWriter.create({ dir: run.dir, firstStep: counters.step + 1 });
  try {
    const sitting = new Sitting({ session, context, model, watcher, events, counters, saved });
    return await sitting.work();
  } finally {
    await events.close();
    await watcher.close();
    await model.close();
  }
}

function countersOf(saved: Checkpoint | undefined): Counters {
  const read = (name: string): number => Number(saved?.meta[name] ?? 0);
  return { step: read("step"), nImages: read("nImages"), timeMs: read("timeMs") };
}

function hostTensors(saved: Checkpoint): Record<string, HostTensor> {
  const entries = Object.entries(saved.tensors).map(([name, t]) => {
    if (t.dtype !== "float32") throw new FailureError(`${saved.path}: "${name}" is ${t.dtype}, not float32.`);
    return [name, { dtype: t.dtype, shape: t.shape, data: t.data }] as const;
  });
  return Object.fromEntries(entries);
}

/** One process's share of a run: from where it stands to its end, or to a signal. */
class Sitting {
  readonly #s: Session;
  readonly #context: Context;
  readonly #model: Model;
  readonly #watcher: Watcher;
  readonly #events: EventWriter;
  readonly #counters: Counters;
  readonly #feeder: Feeder;
  readonly #beganMs = performance.now();
  readonly #beganAt: Counters;
  #savedMs = performance.now();
  #savedStep: number;
  #log: Log = {};

  constructor(parts: {
    session: Session;
    context: Context;
    model: Model;
    watcher: Watcher;
    events: EventWriter;
    counters: Counters;
    saved: Checkpoint | undefined;
  }) {
    this.#s = parts.session;
    this.#context = parts.context;
    this.#model = parts.model;
    this.#watcher = parts.watcher;
    this.#events = parts.events;
    this.#counters = parts.counters;
    this.#beganAt = { ...parts.counters };
    this.#savedStep = parts.counters.step;
    const cursors = parts.saved?.meta["cursors"];
    this.#feeder = new Feeder({
      seed: parts.session.resolved.seed,
      fields: parts.session.resolved.recipe.data,
      streams: { data: parts.session.dataset },
      ...(cursors === undefined ? {} : { cursors: cursors as unknown as Cursors }),
    });
  }

  async work(): Promise<TrainResult> {
    if (this.#counters.step === 0) await this.#pictures();
    while (!this.#done()) {
      if (this.#s.hooks.signal?.aborted === true) break;
      await this.#step();
    }
    return this.#finish();
  }

  #done(): boolean {
    return fractionOf(this.#s.resolved.budget, this.#now()) >= 1;
  }

  /** The counters with the time of this sitting added. */
  #now(): Counters {
    return { ...this.#counters, timeMs: this.#beganAt.timeMs + performance.now() - this.#beganMs };
  }

  async #step(): Promise<void> {
    const { budget } = this.#s.resolved;
    const { step, nImages } = this.#counters;
    const clock: Clock = { step, nImages, progress: fractionOf(budget, this.#now()) };
    const before = this.#seen();
    this.#log = await this.#model.step(this.#feeder, clock);
    this.#counters.step++;
    this.#counters.nImages += this.#seen() - before;
    await this.#demandFinite();
    if (this.#counters.step % logEvery === 0 || this.#counters.step === 1) await this.#writeLog();
    if (this.#counters.step % gridEvery(this.#s.resolved) === 0) await this.#pictures();
    if (performance.now() - this.#savedMs > checkpointSeconds * 1000) await this.#save();
    this.#s.hooks.progress?.(this.#progress());
  }

  /** Records drawn so far. */
  #seen(): number {
    return Object.values(this.#feeder.cursors.data).reduce((a, b) => a + b, 0);
  }

  #progress(): Progress {
    const now = this.#now();
    const seconds = (now.timeMs - this.#beganAt.timeMs) / 1000;
    const fraction = Math.min(fractionOf(this.#s.resolved.budget, now), 1);
    const done = fraction - fractionOf(this.#s.resolved.budget, this.#beganAt);
    return {
      step: now.step,
      nImages: now.nImages,
      fraction,
      imagesPerSecond: (now.nImages - this.#beganAt.nImages) / seconds,
      secondsLeft: done > 0 ? ((1 - fraction) * seconds) / done : Number.NaN,
      log: this.#log,
    };
  }

  async #demandFinite(): Promise<void> {
    const bad = Object.entries(this.#log).find(([, value]) => !Number.isFinite(value));
    if (bad === undefined) return;
    const tensor = findNonFinite(await this.#model.state.read());
    const where = tensor === undefined ? "" : ` The first tensor with such a value is ${tensor.name}.`;
    const last = this.#savedStep > 0 ? `step ${this.#savedStep}` : "none yet";
    throw new FailureError(
      `Step ${this.#counters.step}: ${bad[0]} became ${bad[1]}.${where} ` +
        `The last good checkpoint is ${last}, in ${this.#s.run.dir}. Try a lower learning rate.`,
    );
  }

  async #writeLog(): Promise<void> {
    const { step, nImages, timeMs } = this.#now();
    const log = { ...this.#log, "speed/imagesPerSecond": this.#progress().imagesPerSecond };
    await this.#s.run.log({ step, nImages, timeMs: Math.round(timeMs), log });
    await this.#events.scalars(step, log);
  }

  /** The fixed-noise grid of this step, and the real one at the beginning. */
  async #pictures(): Promise<void> {
    const { run } = this.#s;
    if (this.#counters.step === 0) await run.write("samples/real.png", await this.#realPicture());
    const picture = await this.#picture(await this.#watcher.sample(this.#model.state));
    await run.write(run.sampleName(this.#counters.step), picture);
    await this.#events.image(this.#counters.step, "samples", picture);
  }

  async #picture(samples: HostTensor): Promise<Uint8Array> {
    const range = imageRange(this.#s.resolved);
    const [n = 1, c = 1, h = 1, w = 1] = samples.shape;
    if (range === undefined) {
      const real = readField(this.#s.dataset, "x", Int32Array.from({ length: 1000 }, (_, i) => i % this.#s.dataset.length));
      return pointPlot({ real: Float32Array.from(real.data), generated: Float32Array.from(samples.data) });
    }
    return imageGrid({ pixels: Float32Array.from(samples.data), shape: [n, c, h, w], range, columns });
  }

  async #realPicture(): Promise<Uint8Array> {
    const { dataset } = this.#s;
    const step = Math.max(1, Math.floor(dataset.length / nWatched));
    const indices = Int32Array.from({ length: nWatched }, (_, i) => (i * step) % dataset.length);
    const { shape, data } = readField(dataset, "x", indices);
    const [n = 1, c = 1, h = 1, w = 1] = shape;
    if (imageRange(this.#s.resolved) === undefined) {
      return pointPlot({ real: Float32Array.from(data), generated: new Float32Array() });
    }
    return imageGrid({ pixels: Float32Array.from(data), shape: [n, c, h, w], range: [0, 255], columns });
  }

  async #save(): Promise<void> {
    const { step, nImages, timeMs } = this.#now();
    const tensors = await this.#model.state.read();
    const cursors = this.#feeder.cursors as unknown as Json;
    await this.#s.run.save({ tensors: tensors as never, meta: { step, nImages, timeMs, cursors } });
    this.#savedMs = performance.now();
    this.#savedStep = step;
  }

  async #finish(): Promise<TrainResult> {
    const { run, resolved, hooks } = this.#s;
    const finished = this.#done();
    if (this.#savedStep < this.#counters.step) {
      await this.#save();
      await this.#pictures();
    }
    if (this.#counters.step > 0) {
      const { inputs, range } = await writeGenerator({ run, recipe: resolved.recipe, context: this.#context, state: await this.#model.state.read(), step: this.#counters.step });
      await writeModelCard({ dir: run.dir, inputs, range });
    }
    const report = await writeReport({ dir: run.dir });
    const { step, nImages, timeMs } = this.#now();
    if (!finished) hooks.note?.(`Stopped at step ${step}; the same command goes on from there.`);
    const samples = `${run.dir}/${run.sampleName(step)}`;
    return { dir: run.dir, step, nImages, seconds: timeMs / 1000, finished, samples, report, log: this.#log };
  }
}

const imageRange = (resolved: Resolved): ImageField["range"] | undefined =>
  Object.values(resolved.recipe.data).find((f): f is ImageField => f.domain === "image")?.range;

/** How much of a budget is used up; 1 and more: all of it. */
export function fractionOf(budget: Budget, counters: Counters): number {
  if ("steps" in budget) return counters.step / budget.steps;
  if ("images" in budget) return counters.nImages / budget.images;
  return counters.timeMs / (budget.minutes * 60_000);
}

/** Steps between two sample grids. */
function gridEvery({ budget, options }: Resolved): number {
  const batch = Number(options["batch"]);
  if ("steps" in budget) return Math.max(1, Math.ceil(budget.steps / nGrids));
  return "images" in budget ? Math.max(1, Math.ceil(budget.images / batch / nGrids)) : 100;
}

/** Checks a budget. Throws UserError. */
export function checkBudget(budget: Budget): void {
  const [unit, amount] = Object.entries(budget)[0] ?? ["steps", Number.NaN];
  if (!(amount > 0)) {
    throw new UserError(`A budget of ${amount} ${unit} is no training; give more than 0.`);
  }
}
