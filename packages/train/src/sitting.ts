import type { Clock } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { Context, Stage } from "@duelo/zoo";
import { setImmediate } from "node:timers/promises";
import { Diverged } from "./diverged.ts";
import { fractionOf, gridEvery, type Counters } from "./counters.ts";
import { writeGenerator } from "./export.ts";
import { Feeder } from "./feeder.ts";
import { watch, type Watcher } from "./generator.ts";
import type { Probe } from "./health/history.ts";
import { Monitor, probeEvery, type Subject } from "./health/monitor.ts";
import { runsAway, verdictLine, type Verdict } from "./health/verdict.ts";
import type { Progress, Session, TrainResult } from "./session.ts";
import { buildModel, type Log, type Model } from "./model.ts";
import { realPicture, samplePicture } from "./pictures.ts";
import { writeModelCard } from "./report/model-card.ts";
import { writeReport } from "./report/report.ts";
import { contextFor } from "./request.ts";
import { firstOf } from "./streams.ts";
import { demandState, findNonFinite, type Json } from "./run/checkpoint.ts";
import type { Tensors } from "./run/safetensors.ts";
import type { EventWriter } from "./run/tfevents.ts";
import { standOf, type Rollback, type Stand } from "./stand.ts";

const logEvery = 10;
/** A rollback leaves this part of the learning rate, and there are so many at most: 1/64 in the end. */
const rateFactor = 0.25;
const maxRollbacks = 3;
/** Probes between two safe points. */
const safeEvery = 5;

type State = Readonly<Record<string, HostTensor>>;

/** One process's share of a run: from where it stands to its end, or to a signal. */
export class Sitting {
  readonly #s: Session;
  readonly #events: EventWriter;
  readonly #feeder: Feeder;
  readonly #monitor: Monitor;
  readonly #beganMs = performance.now();
  /** Spent on what is no training. */
  #pausedMs = 0;
  #beganAt: Counters;
  #counters: Counters;
  /** What the request says, before a stage changes options. */
  readonly #base: Context;
  #context: Context;
  #stage: Stage | undefined;
  #model: Model | undefined;
  #watcher: Watcher | undefined;
  #savedMs = performance.now();
  #savedStep: number;
  #loggedStep: number;
  #picturedStep: number;
  /** Whether any step so far asked how much of the budget was used. */
  #sawProgress: boolean;
  #log: Log = {};
  /** Whether the verdict is of the step at hand. */
  #judged = false;
  #rollbacks: readonly Rollback[];

  constructor(parts: {
    session: Session;
    events: EventWriter;
    stand: Stand;
    probes: readonly Probe[];
  }) {
    const { session, stand, probes } = parts;
    const { counters, cursors, rollbacks } = stand;
    this.#s = session;
    this.#events = parts.events;
    this.#counters = counters;
    this.#beganAt = counters;
    this.#savedStep = this.#loggedStep = this.#picturedStep = counters.step;
    this.#sawProgress = stand.sawProgress;
    this.#base = contextFor(session.resolved, session.streams);
    this.#context = this.#base;
    const { seed, recipe, budget } = session.resolved;
    const { streams, probeShare: share } = session;
    const dataset = firstOf(streams);
    const every = probeEvery(budget, this.#base.batch);
    this.#monitor = new Monitor({ recipe, dataset, seed, every, share, probes });
    this.#rollbacks = rollbacks;
    this.#feeder = new Feeder({
      seed,
      fields: recipe.data,
      streams,
      cursors,
    });
    this.#feeder.rewind({ cursors, rate: rateFactor ** rollbacks.length });
  }

  /**
   * Compiles the stage at hand. Its state is `saved` as far as that goes, without the optimiser's
   * slots where `saved` is of the stage before and this one begins them anew. Throws UserError when `saved` is of another run.
   */
  async open(saved?: { state: State; stage: string | undefined }): Promise<void> {
    await this.close();
    const { resolved, streams, runtime } = this.#s;
    const { recipe, seed } = resolved;
    this.#stage = this.#stageNow();
    this.#context = { ...this.#base, ...this.#stage?.options } as Context;
    const parts = { recipe, context: this.#context, runtime, seed };
    const reset = this.#stage?.resetSlots === true && saved?.stage !== this.#stage.name;
    const kept = Object.entries(saved?.state ?? {}).filter(
      ([name]) => !reset || !name.startsWith("slot."),
    );
    this.#model = await buildModel({ ...parts, saved: Object.fromEntries(kept) });
    if (saved !== undefined && saved.stage === this.#stage?.name)
      demandState({ state: saved.state, specs: this.#model.specs, dir: this.#s.run.dir });
    this.#watcher = await watch({ ...parts, streams });
  }

  async close(): Promise<void> {
    await this.#watcher?.close();
    await this.#model?.close();
  }

  async work(): Promise<TrainResult> {
    if (this.#counters.step === 0) {
      await this.#pictures();
      await this.#saveSafePoint();
    }
    while (!this.#done() && this.#s.hooks.signal?.aborted !== true) {
      await setImmediate(); // lets a signal in
      if (this.#stageNow()?.name !== this.#stage?.name) {
        const state = await this.#running.state.read();
        await this.open({ state, stage: this.#stage?.name });
      }
      await this.#step();
    }
    return this.#finish();
  }

  #stageNow(): Stage | undefined {
    const stages = this.#s.resolved.recipe.stages(this.#base);
    return stages.find((s) => this.#counters.nImages < s.untilImages) ?? stages.at(-1);
  }

  get #running(): Model {
    if (this.#model === undefined) throw new TypeError("open() comes first");
    return this.#model;
  }

  #done(): boolean {
    if (this.#s.evaluation?.stopped !== undefined) return true;
    return fractionOf(this.#s.resolved.budget, this.#now()) >= 1;
  }

  /** The counters with the time of this sitting added. */
  #now(): Counters {
    const timeMs = this.#beganAt.timeMs + performance.now() - this.#beganMs - this.#pausedMs;
    return { ...this.#counters, timeMs };
  }

  async #step(): Promise<void> {
    const { budget } = this.#s.resolved;
    const { step, nImages, timeMs } = this.#counters;
    const seen = this.#seen();
    const probed = this.#monitor.due(step + 1);
    if (probed) await this.#monitor.before(this.#subject);
    this.#log = await this.#running.step(this.#feeder, this.#clock());
    this.#counters = { step: step + 1, nImages: nImages + this.#seen() - seen, timeMs };
    if (probed || this.#nonFinite() !== undefined) await this.#probe(probed);
    const { verdict } = this.#monitor;
    if (verdict !== undefined && runsAway(verdict)) return this.#diverged(verdict);
    const measured = await this.#evaluate();
    if (measured || (step + 1) % logEvery === 0 || step === 0) await this.#writeLog();
    if ((step + 1) % gridEvery(budget, this.#context.batch) === 0) await this.#pictures();
    if (performance.now() - this.#savedMs > this.#s.checkpointSeconds * 1000) await this.#save();
    await this.#saveSafePoint();
    this.#s.hooks.progress?.(this.#progress());
  }

  /** Where this step stands, for schedules; notices when one of them looks at the budget. */
  #clock(): Clock {
    const { step, nImages } = this.#counters;
    const progress = fractionOf(this.#s.resolved.budget, this.#now());
    const saw = (): number => {
      this.#sawProgress = true;
      return progress;
    };
    return {
      step,
      nImages,
      get progress() {
        return saw();
      },
    };
  }

  /** Judges the samples when that is due, and keeps the best; that takes no time of training. */
  async #evaluate(): Promise<boolean> {
    const { step } = this.#counters;
    const watcher = this.#watcher;
    if (this.#s.evaluation?.due(step) !== true || watcher === undefined) return false;
    const beganMs = performance.now();
    const { state } = this.#running;
    const { log, best } = await this.#s.evaluation.measure({ watcher, state, step });
    this.#log = { ...this.#log, ...log };
    this.#pausedMs += performance.now() - beganMs;
    if (best) await this.#s.run.saveBest(await this.#stand());
    return true;
  }

  get #subject(): Subject {
    const { state, specs } = this.#running;
    return { state, specs, watcher: this.#watcher };
  }

  /** Judges the step; a number that is none is judged at once, and other steps when they are due. */
  async #probe(due: boolean): Promise<void> {
    const trainedMs = this.#now().timeMs - this.#beganAt.timeMs;
    if (due) this.#log = { ...this.#log, ...(await this.#monitor.after(this.#subject, trainedMs)) };
    const before = this.#monitor.verdict?.name ?? "too early";
    const verdict = this.#monitor.judge({ step: this.#counters.step, log: this.#log });
    this.#judged = true;
    if (before !== verdict.name && !runsAway(verdict)) this.#s.hooks.note?.(verdictLine(verdict));
  }

  #nonFinite(): readonly [name: string, value: number] | undefined {
    return Object.entries(this.#log).find(([, value]) => !Number.isFinite(value));
  }

  /** Records drawn so far. */
  #seen(): number {
    return Object.values(this.#feeder.cursors.data).reduce((a, b) => a + b, 0);
  }

  #progress(): Progress {
    const now = this.#now();
    const { step, nImages } = now;
    const seconds = (now.timeMs - this.#beganAt.timeMs) / 1000;
    const fraction = Math.min(fractionOf(this.#s.resolved.budget, now), 1);
    const done = fraction - fractionOf(this.#s.resolved.budget, this.#beganAt);
    return {
      step,
      nImages,
      fraction,
      imagesPerSecond: (now.nImages - this.#beganAt.nImages) / seconds,
      secondsLeft: done > 0 ? ((1 - fraction) * seconds) / done : Number.NaN,
      log: this.#log,
      ...(this.#monitor.verdict && { verdict: this.#monitor.verdict }),
    };
  }

  /** Goes back to the last safe point if the run may, and ends it otherwise. */
  async #diverged(verdict: Verdict): Promise<void> {
    const { run, resolved, hooks } = this.#s;
    await this.#writeLog();
    const why = `Step ${this.#counters.step}: ${await this.#whatDiverged(verdict)}`;
    if (resolved.onDivergence === "rollback" && this.#rollbacks.length < maxRollbacks) {
      const done = await this.#rollBack();
      hooks.note?.(`${why} ${done}`);
      return;
    }
    await writeReport({ dir: run.dir });
    const tried = this.#rollbacks.length;
    const last =
      this.#savedStep > 0 || tried > 0
        ? `The last good checkpoint is that of step ${this.#savedStep}, in ${run.dir}.`
        : `No checkpoint had been written yet.`;
    const next =
      resolved.onDivergence === "rollback"
        ? `It went back ${tried} times, to ${rateFactor ** tried} of the learning rate; begin with a lower one.`
        : "Try a lower learning rate, or --on-divergence rollback.";
    throw new Diverged(`${why} ${last} ${next}`);
  }

  async #whatDiverged({ text }: Verdict): Promise<string> {
    const bad = this.#nonFinite();
    if (bad === undefined) return `${text}.`;
    const tensor = findNonFinite(floats(await this.#running.state.read()));
    const where =
      tensor === undefined ? "" : ` The first tensor with such a value is ${tensor.name}.`;
    return `${bad[0]} became ${bad[1]}.${where}`;
  }

  /**
   * Takes up the last safe point with a lower learning rate, and commits that at once, so that the run
   * resumes as it would have gone on. Gives what was done as a sentence.
   */
  async #rollBack(): Promise<string> {
    const { run } = this.#s;
    const from = this.#counters.step;
    const { counters, cursors, saved } = standOf(await run.safePoint()); // `best/` stays as it is
    this.#rollbacks = [...this.#rollbacks, { from, to: counters.step }];
    this.#beganAt = {
      ...this.#beganAt,
      step: this.#beganAt.step - (from - counters.step),
      nImages: this.#beganAt.nImages - (this.#counters.nImages - counters.nImages),
    };
    this.#counters = { ...counters, timeMs: this.#counters.timeMs };
    this.#loggedStep = this.#picturedStep = counters.step;
    this.#feeder.rewind({ cursors, rate: rateFactor ** this.#rollbacks.length });
    this.#monitor.rewind(counters.step);
    this.#log = {};
    await this.open(saved);
    await run.log({ step: counters.step, rollback: { from, rate: this.#feeder.rate } });
    await this.#save();
    return `Back to step ${counters.step} with ${this.#feeder.rate} of the learning rate (time ${this.#rollbacks.length} of at most ${maxRollbacks}).`;
  }

  async #writeLog(): Promise<void> {
    const { step, nImages, timeMs } = this.#now();
    const log = { ...this.#log, "speed/imagesPerSecond": this.#progress().imagesPerSecond };
    const { verdict } = this.#monitor;
    const judged = this.#judged && verdict !== undefined ? { verdict: { ...verdict } } : {};
    this.#judged = false;
    await this.#s.run.log({ step, nImages, timeMs: Math.round(timeMs), log, ...judged });
    this.#loggedStep = step;
    await this.#events.scalars(step, log);
  }

  /** The grid of this step, where the recipe makes samples, and the real one at the beginning. */
  async #pictures(): Promise<void> {
    const { run, streams, resolved } = this.#s;
    this.#picturedStep = this.#counters.step;
    const watcher = this.#watcher;
    const dataset = watcher?.target ?? firstOf(streams);
    const { recipe } = resolved;
    if (this.#counters.step === 0)
      await run.write("samples/real.png", await realPicture({ recipe, dataset }));
    if (watcher === undefined) return;
    const samples = await watcher.sample(this.#running.state);
    const { before, after } = watcher;
    const picture = await samplePicture({ recipe, dataset, samples, before, after });
    await run.write(run.sampleName(this.#counters.step), picture);
    await this.#events.image(this.#counters.step, "samples", picture);
  }

  async #save(): Promise<void> {
    await this.#s.run.save(await this.#stand());
    this.#savedMs = performance.now();
    this.#savedStep = this.#counters.step;
  }

  /** A point to go back to: at steps that depend on nothing but the budget, so that runs repeat. */
  async #saveSafePoint(): Promise<void> {
    if (this.#s.resolved.onDivergence !== "rollback") return;
    if (this.#counters.step % (safeEvery * this.#monitor.every) !== 0) return;
    await this.#s.run.saveSafePoint(await this.#stand());
  }

  /** Everything that the run is at this moment. */
  async #stand(): Promise<{ tensors: Tensors; meta: { step: number } & Record<string, Json> }> {
    const { step, nImages, timeMs } = this.#now();
    const evaluation = this.#s.evaluation?.record;
    const rollbacks = this.#rollbacks.map((r) => ({ ...r }));
    return {
      tensors: floats(await this.#running.state.read()),
      meta: {
        step,
        nImages,
        timeMs,
        cursors: this.#feeder.cursors as unknown as Json,
        stage: this.#stage?.name ?? null,
        sawProgress: this.#sawProgress,
        ...(evaluation === undefined ? {} : { evaluation }),
        ...(rollbacks.length > 0 ? { rollbacks } : {}),
      },
    };
  }

  async #finish(): Promise<TrainResult> {
    const { run, resolved, hooks } = this.#s;
    const finished = this.#done();
    const { step, nImages, timeMs } = this.#now();
    if (finished && this.#loggedStep < step) await this.#writeLog();
    if (this.#savedStep < step) await this.#save();
    if (this.#picturedStep < step) await this.#pictures();
    if (step > 0) {
      const state = await this.#running.state.read();
      const { recipe } = resolved;
      const parts = { run, recipe, context: this.#context, state, step };
      const generator = this.#watcher && (await writeGenerator(parts));
      const functions = recipe.functions(this.#context);
      await writeModelCard({ dir: run.dir, functions, generator });
    }
    const report = await writeReport({ dir: run.dir });
    const stopped = this.#s.evaluation?.stopped;
    if (stopped !== undefined) hooks.note?.(stopped);
    if (!finished) hooks.note?.(`Stopped at step ${step}; the same command goes on from there.`);
    const samples = this.#watcher && `${run.dir}/${run.sampleName(step)}`;
    return {
      dir: run.dir,
      step,
      nImages,
      seconds: timeMs / 1000,
      probeSeconds: this.#monitor.spentMs / 1000,
      finished,
      ...(stopped === undefined ? {} : { stopped }),
      samples,
      report,
      log: this.#log,
      ...(this.#monitor.verdict && { verdict: this.#monitor.verdict }),
    };
  }
}

/** The state as a checkpoint holds it. */
function floats(state: State): Tensors {
  const entries = Object.entries(state).map(([name, { shape, data }]) => {
    if (!(data instanceof Float32Array)) throw new TypeError(`state "${name}" is not float32`);
    return [name, { dtype: "float32" as const, shape, data }] as const;
  });
  return Object.fromEntries(entries);
}
