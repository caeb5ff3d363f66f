import type { HostTensor, State } from "@duelo/runtime";
import type { Recipe, StateSpec } from "@duelo/zoo";
import type { Budget } from "../counters.ts";
import type { Dataset } from "../data/dataset.ts";
import type { Watcher } from "../generator.ts";
import type { Log } from "../model.ts";
import type { Probe } from "./history.ts";
import { driftOf, lookAt } from "./look.ts";
import { copyWeights, countUpdates, normsOf, type Counts, type Weights } from "./norms.ts";
import { comparable, openReference, type Reference } from "./reference.ts";
import { Observer, type Verdict } from "./verdict.ts";

/** Samples in a look beside the grid's: points are cheap, and have more modes to reach. */
const nMore = { picture: 64, vector: 192 };

const nothing = { weights: new Map<string, never>(), counts: new Map<string, never>() };

/** Steps between two probes: a hundred over the run where its length is known, 10 to 250 steps apart. */
export function probeEvery(budget: Budget, batch: number): number {
  if ("minutes" in budget) return 50;
  const steps = "steps" in budget ? budget.steps : budget.images / batch;
  return Math.min(Math.max(10 * Math.round(steps / 1000), 10), 250);
}

/** What is being trained just now. */
export interface Subject {
  readonly state: State;
  readonly specs: ReadonlyMap<string, StateSpec>;
  /** Undefined when the recipe makes no samples. */
  readonly watcher: Watcher | undefined;
}

/**
 * Probes a run at step 1 and at every `every`-th step. Norms are taken at each of these steps; samples
 * are looked at unless that would take more than a share of the time, so which of these steps have a look
 * depends on the clock. Nothing that is trained depends on any of it.
 */
export class Monitor {
  readonly every: number;
  readonly #open: () => Reference | undefined;
  readonly #shape: readonly number[];
  readonly #nMore: number;
  readonly #share: number;
  #reference: Reference | undefined;
  #opened = false;
  #before: { weights: Weights; counts: Counts } | undefined;
  #last: Float32Array | undefined;
  #spentMs = 0;
  #lookMs = 0;
  #observer: Observer;

  constructor(o: {
    recipe: Recipe;
    dataset: Dataset;
    seed: number;
    every: number;
    /** The part of the time that probes may take; with 1 every probe has a look. */
    share: number;
    /** What was probed before this sitting. */
    probes: readonly Probe[];
  }) {
    this.#observer = new Observer(o.probes);
    this.every = o.every;
    this.#open = () => openReference(o);
    this.#shape = o.dataset.fields["x"]?.shape ?? [];
    this.#nMore = this.#shape.length === 3 ? nMore.picture : nMore.vector;
    this.#share = o.share;
  }

  /** Whether the step that ends as number `step` is probed. */
  due(step: number): boolean {
    return step === 1 || step % this.every === 0;
  }

  /** Before a step that is probed. */
  async before({ state, specs }: Subject): Promise<void> {
    const beganMs = performance.now();
    this.#before = { weights: await copyWeights(state, specs), counts: await countUpdates(state) };
    this.#spentMs += performance.now() - beganMs;
  }

  /** After it: the numbers to write down. `trainedMs`: of this sitting, probes included. */
  async after(subject: Subject, trainedMs: number): Promise<Log> {
    const beganMs = performance.now();
    const { state, specs } = subject;
    const norms = await normsOf({ state, specs, before: this.#before ?? nothing });
    this.#before = undefined;
    const mayLook = this.#spentMs + this.#lookMs <= this.#share * trainedMs;
    const look = mayLook ? await this.#look(subject) : {};
    const tookMs = performance.now() - beganMs;
    if (mayLook) this.#lookMs = tookMs;
    this.#spentMs += tookMs;
    return { ...norms, ...look };
  }

  /** What is to be said after one more probe. */
  judge(probe: Probe): Verdict {
    return this.#observer.add(probe);
  }

  get verdict(): Verdict | undefined {
    return this.#observer.verdict;
  }

  /** Forgets what came after `step`. */
  rewind(step: number): void {
    this.#observer = new Observer(this.#observer.history.filter((probe) => probe.step <= step));
    this.#last = undefined;
  }

  /** Milliseconds that probes have taken in this sitting. */
  get spentMs(): number {
    return this.#spentMs;
  }

  async #look({ state, watcher }: Subject): Promise<Log> {
    if (!this.#opened) {
      this.#opened = true;
      this.#reference = this.#open();
    }
    const reference = this.#reference;
    if (watcher === undefined || watcher.fromRecords) return {};
    const grid = await watcher.sample(state);
    if (reference === undefined || !comparable(grid.shape, this.#shape)) return {};
    const now = featuresOf(reference, grid);
    const others = featuresOf(reference, await watcher.many(state, this.#nMore));
    const before = this.#last;
    this.#last = now;
    const look = lookAt(Float32Array.of(...now, ...others), reference);
    if (!Object.values(look).every(Number.isFinite)) return {};
    const drift = before === undefined ? {} : { drift: driftOf({ before, now, reference }) };
    const named = Object.entries({ ...look, ...drift });
    return Object.fromEntries(named.map(([name, value]) => [`health/${name}`, value]));
  }
}

const featuresOf = ({ features }: Reference, { data, shape }: HostTensor): Float32Array =>
  features.of(data, shape[0] ?? 0);
