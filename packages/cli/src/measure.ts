import {
  buildModel,
  contextFor,
  Feeder,
  openFor,
  resolveRequest,
  sameForBoth,
  type TrainRequest,
} from "@duelo/train";
import { openRuntime } from "@duelo/runtime";
import { findRecipe } from "@duelo/zoo";
import { cacheDir } from "./cache-dir.ts";

/** How fast a recipe trains on this machine. */
export interface Measurement {
  readonly recipe: string;
  readonly preset: string;
  readonly device: string;
  readonly threads: number;
  readonly batch: number;
  /** Of one record. */
  readonly shape: readonly number[];
  readonly nSteps: number;
  /** One whole step with its data and noise; the median. */
  readonly stepMs: number;
  readonly recordsPerSecond: number;
  /** Most memory that the process has held. */
  readonly peakBytes: number;
}

const nWarm = 2;

/**
 * Trains a recipe for a few steps without a run folder and takes the time of each.
 * @param request.data `emoji`, or `ring8` for points, unless said otherwise
 * @param request.nSteps steps that count; two more come before them
 * @throws UserError for a mistake in the request
 */
export async function measure(
  request: Omit<TrainRequest, "recipe" | "data" | "cacheDir"> & {
    readonly recipe: string;
    readonly data?: string;
    readonly nSteps: number;
  },
): Promise<Measurement> {
  const { nSteps, threads } = request;
  const sets = sameForBoth(request.recipe, request.data ?? defaultData(request.recipe));
  const resolved = resolveRequest({ ...sets, ...request, data: sets.data, cacheDir: cacheDir() });
  const { recipe, seed, device } = resolved;
  const streams = await openFor(resolved, {});
  const runtime = await openRuntime({ device, ...(threads === undefined ? {} : { threads }) });
  const context = contextFor(resolved, streams);
  const model = await buildModel({ recipe, context, runtime, seed });
  const feeder = new Feeder({ seed, fields: recipe.data, streams });
  const timesMs: number[] = [];
  for (let step = 0; step < nWarm + nSteps; step++) {
    const beganMs = performance.now();
    await model.step(feeder, { step, nImages: step * context.batch, progress: 0 });
    if (step >= nWarm) timesMs.push(performance.now() - beganMs);
  }
  const records = Object.values(feeder.cursors.data).reduce((a, b) => a + b, 0) / (nWarm + nSteps);
  await model.close();
  await runtime.close();
  for (const dataset of Object.values(streams)) dataset.close();
  const stepMs = median(timesMs);
  return {
    recipe: recipe.name,
    preset: resolved.presetName,
    device: runtime.device,
    threads: runtime.threads,
    batch: context.batch,
    shape: Object.values(context.shape)[0] ?? [],
    nSteps,
    stepMs,
    recordsPerSecond: (records * 1000) / stepMs,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function defaultData(recipe: string): string {
  const domains = Object.values(findRecipe(recipe).data).map((field) => field.domain);
  return domains.includes("image") ? "emoji" : "ring8";
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [low = Number.NaN, high = Number.NaN] = [sorted[half - 1], sorted[half]];
  return sorted.length % 2 === 1 ? high : (low + high) / 2;
}
