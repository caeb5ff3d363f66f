import { UserError } from "@duelo/core";
import type { HostTensor, State } from "@duelo/runtime";
import type { Dataset } from "./data/dataset.ts";
import { isToy, toys, type Toy } from "./data/toy.ts";
import type { Features as Seen } from "./features/feature-net.ts";
import type { Watcher } from "./generator.ts";
import { openFeatures, type Features } from "./judge/features.ts";
import { chooseMetrics, demandEnough, findMetric } from "./judge/metric-table.ts";
import type { Evidence, Metric, Need } from "./judge/metric.ts";
import { readSide } from "./judge/open-sides.ts";
import { areImages, type Side } from "./judge/side.ts";
import { toBytes } from "./report/grid.ts";
import type { Json } from "./run/checkpoint.ts";

/** How a run is judged while it is trained. */
export interface EvaluationPlan {
  /** Steps between two evaluations. */
  readonly every: number;
  /** The metric that decides which checkpoint is best; `defaultMetric` unless said otherwise. */
  readonly metric?: string;
  /** See `EvaluateRequest`. */
  readonly features?: string;
  /** Ends the run after so many evaluations without a better one. */
  readonly patience?: number;
}

const nImages = 1000;
const mostNumbers = 2 ** 26; // 256 MiB as float32: all of 1,000 images of 128x128
const nPoints = 2500; // PacGAN's and VEEGAN's protocol
const mostReference = 5000;

/** What has been found so far; part of every checkpoint. */
interface Found {
  /** The best evaluation; undefined before the first. */
  readonly best?: { readonly step: number; readonly value: number; readonly rank: number };
  /** Evaluations since then. */
  readonly since: number;
}

export interface Measured {
  /** Numbers for the log: `metric/frechet`. */
  readonly log: Readonly<Record<string, number>>;
  /** Whether this is the best so far. */
  readonly best: boolean;
}

/**
 * Judges the samples of a run every so many steps, by noise of its own: what is trained is the same
 * with and without it. The reference is data that is trained on, so that nothing held out is used to
 * choose a checkpoint.
 */
export class Evaluation {
  readonly #plan: EvaluationPlan;
  readonly #metrics: readonly Metric[];
  readonly #features: Features;
  readonly #reference: Side;
  readonly #real: Seen;
  readonly #mixture: Toy | undefined;
  readonly #range: readonly [number, number] | undefined;
  readonly #seed: number;
  #found: Found = { since: 0 };

  private constructor(parts: {
    plan: EvaluationPlan;
    metrics: readonly Metric[];
    features: Features;
    reference: Side;
    real: Seen;
    mixture: Toy | undefined;
    range: readonly [number, number] | undefined;
    seed: number;
  }) {
    this.#plan = parts.plan;
    this.#metrics = parts.metrics;
    this.#features = parts.features;
    this.#reference = parts.reference;
    this.#real = parts.real;
    this.#mixture = parts.mixture;
    this.#range = parts.range;
    this.#seed = parts.seed;
  }

  /**
   * Computes the features of the reference.
   * @param request.range the values of a generated image that mean 0 and 255
   * @throws UserError for a metric that does not exist, does not fit the data, or cannot say what is better
   */
  static async begin(request: {
    plan: EvaluationPlan;
    dataset: Dataset;
    range: readonly [number, number] | undefined;
    seed: number;
    cacheDir: string;
  }): Promise<Evaluation> {
    const { plan, dataset, range, seed, cacheDir } = request;
    const reference = readSide(dataset, { part: "train", most: mostReference });
    const mixture = isToy(dataset.name) ? toys[dataset.name] : undefined;
    const features = await openFeatures({ name: plan.features, cacheDir, samples: reference });
    try {
      const metrics = metricsFor(plan, { reference, mixture, features });
      const real = await features.of(reference);
      const parts = { plan, metrics, features, reference, real, mixture, range, seed };
      return new Evaluation(parts);
    } catch (error) {
      await features.close();
      throw error;
    }
  }

  /** Goes on from what `record` gave at a checkpoint. */
  resume(record: Json): void {
    this.#found = record as unknown as Found;
  }

  due(step: number): boolean {
    return step % this.#plan.every === 0;
  }

  /** Judges the samples of the state as it is. */
  async measure(o: { watcher: Watcher; state: State; step: number }): Promise<Measured> {
    const n = this.#mixture ? nPoints : fitting(this.#reference.shape);
    const generated = this.#sideOf(await o.watcher.many(o.state, n));
    const [real, fake] = [this.#real, await this.#features.of(generated)];
    const shares =
      real.probabilities && fake.probabilities
        ? { probabilities: { real: real.probabilities, fake: fake.probabilities } }
        : {};
    const evidence: Evidence = {
      ...{ generated, reference: this.#reference, mixture: this.#mixture, seed: this.#seed },
      features: { real: real.features, fake: fake.features },
      ...{ ...shares, by: this.#features, brief: true },
    };
    const log: Record<string, number> = {};
    let rank = 0;
    for (const [i, metric] of this.#metrics.entries()) {
      for (const { value, better } of await metric.compute(evidence)) {
        log[`metric/${metric.name}`] = value;
        if (i === 0) rank = better === "lower" ? -value : value;
        // of two that reach as many modes, the one with more samples at them
        if (metric.name === "high-quality" && this.#metrics[0]?.name === "modes") rank += value / 2;
      }
    }
    const value = Object.values(log)[0] ?? Number.NaN;
    const best = !(rank <= (this.#found.best?.rank ?? -Infinity)) && Number.isFinite(value);
    this.#found = best
      ? { best: { step: o.step, value, rank }, since: 0 }
      : { ...this.#found, since: this.#found.since + 1 };
    return { log, best };
  }

  /** Why the run should end before its budget; undefined while it should not. */
  get stopped(): string | undefined {
    const { patience } = this.#plan;
    const { best, since } = this.#found;
    if (patience === undefined || best === undefined || since < patience) return undefined;
    const name = this.#metrics[0]?.name ?? "";
    return `No better ${name} in ${since} evaluations: the best was ${best.value.toPrecision(3)} at step ${best.step}, which --best takes.`;
  }

  /** For the checkpoint. */
  get record(): Json {
    return this.#found as unknown as Json;
  }

  async close(): Promise<void> {
    await this.#features.close();
  }

  #sideOf({ shape, data }: HostTensor): Side {
    const pixels = Float32Array.from(data);
    return {
      ...{ name: "samples", shape: shape.slice(1), n: shape[0] ?? 0 },
      data: this.#range === undefined ? pixels : toBytes(pixels, this.#range),
      ...{ classes: [], key: "", resizer: "none", step: 0 }, // made, so its features are not kept
    };
  }
}

/** `nImages`, or as many as fit into memory while the run goes on. */
const fitting = (shape: readonly number[]): number =>
  Math.min(nImages, Math.max(64, Math.floor(mostNumbers / shape.reduce((a, b) => a * b, 1))));

/** The Fréchet distance; of a known mixture, how many modes are reached. */
export const defaultMetric = (dataset: Pick<Dataset, "name">): string =>
  isToy(dataset.name) ? "modes" : "frechet";

/** The metric that decides first, and, of a mixture, the rest of its protocol. */
function metricsFor(
  plan: EvaluationPlan,
  o: { reference: Side; mixture: Toy | undefined; features: Features },
): Metric[] {
  const { reference, mixture, features } = o;
  const there = new Set<Need>(["features"]);
  if (features.classifies === true) there.add("probabilities");
  if (features.activations !== undefined) there.add("layers");
  if (areImages(reference)) there.add("images");
  if (mixture) there.add("mixture");
  const name = findMetric(plan.metric ?? defaultMetric(reference)).name;
  if (findMetric(name).needs.includes("labels"))
    throw new UserError(
      `Metric ${name} judges a run that has ended (duelo eval), not one in training.`,
    );
  const [first] = chooseMetrics({ names: [name], there });
  if (first === undefined || first.better === "neither") {
    throw new UserError(`Metric ${name} has no better end, so it cannot choose a checkpoint.`);
  }
  demandEnough(first, reference);
  const protocol = mixture ? chooseMetrics({ there }) : [];
  return [first, ...protocol.filter((m) => m !== first)];
}
