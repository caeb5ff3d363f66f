import { UserError } from "@duelo/core";
import { openRuntime, type Runtime } from "@duelo/runtime";
import { rm } from "node:fs/promises";
import type { Dataset } from "./data/dataset.ts";
import { Evaluation } from "./evaluation.ts";
import { demandNoiseSamples } from "./generator.ts";
import { probesOf } from "./health/history.ts";
import { readLog } from "./report/run-record.ts";
import {
  contextFor,
  openFor,
  resolveRequest,
  type Resolved,
  type TrainRequest,
} from "./request.ts";
import type { Json } from "./run/checkpoint.ts";
import { createRun, resumeOrCreateRun, type RunFolder } from "./run/folder.ts";
import { keptRequests } from "./run-data.ts";
import type { RunOptions } from "./run/runs.ts";
import { EventWriter } from "./run/tfevents.ts";
import { closeAll, datasetField, firstOf, type Streams } from "./streams.ts";
import type { Session, TrainHooks, TrainResult } from "./session.ts";
import { Sitting } from "./sitting.ts";
import { standOf } from "./stand.ts";
import { demandWritable } from "./writing.ts";

/**
 * Trains a recipe on data in a run folder, or goes on with the run of the same request. Throws
 * UserError for a mistake in the request, FailureError when the run cannot go on; whatever the last
 * checkpoint holds is safe in either case.
 */
export async function train(request: TrainRequest, hooks: TrainHooks = {}): Promise<TrainResult> {
  const resolved = resolveRequest(request);
  demandWritable(request.runs ?? "runs", "folder");
  const threads = request.threads === undefined ? {} : { threads: request.threads };
  const runtime = await openRuntime({ device: resolved.device, ...threads });
  let streams: Streams | undefined;
  let evaluation: Evaluation | undefined;
  let run: RunFolder | undefined;
  let unbuilt = false; // a new run of which no step can be built leaves nothing
  try {
    streams = await openFor(resolved, dataHooks(hooks));
    evaluation = await beginEvaluation(resolved, streams, request.cacheDir); // a mistake in it begins no run
    const root = request.runs ?? "runs";
    const note = hooks.note === undefined ? {} : { note: hooks.note.bind(hooks) };
    const dataRequest = keptRequests(resolved.data, root);
    const options = { ...runOptions(resolved, streams, runtime), dataRequest };
    const folder = { root, options, ...note };
    run = await (request.fresh === true ? createRun(folder) : resumeOrCreateRun(folder));
    const { checkpointSeconds = 60, probeShare = 0.03 } = request;
    const parts = { run, resolved, streams, runtime, hooks, checkpointSeconds, probeShare };
    return await sit({ ...parts, evaluation }, () => (unbuilt = true));
  } finally {
    await run?.close();
    if (run !== undefined && unbuilt) await rm(run.dir, { recursive: true });
    await evaluation?.close();
    closeAll(streams);
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
export function runOptions(
  resolved: Resolved,
  streams: Streams,
  runtime: Pick<Runtime, "device" | "threads">,
): RunOptions {
  const { recipe } = resolved;
  const dataset = firstOf(streams);
  const [, other] = Object.values(streams);
  const [request] = Object.values(resolved.data);
  const names = Object.keys(recipe.data).filter((n) => recipe.data[n]?.domain !== "label");
  const shapeOf = (name: string): readonly number[] =>
    datasetField(recipe.data, streams, name)?.shape ?? [];
  return {
    recipe: recipe.name,
    about: recipe.about,
    paper: recipe.paper,
    preset: resolved.presetName,
    options: resolved.options,
    data: dataset.name,
    select: { ...request?.select },
    ...dataRecord(dataset),
    ...(other === undefined ? {} : { to: { data: other.name, ...dataRecord(other) } }),
    shape: [...shapeOf(names[0] ?? "x")],
    ...(names.length < 2
      ? {}
      : { shapes: Object.fromEntries(names.map((n) => [n, [...shapeOf(n)]])) }),
    classes: [...(dataset.classes ?? [])],
    budget: { ...resolved.budget },
    ...(resolved.evaluate === undefined ? {} : { evaluate: { ...resolved.evaluate } }),
    seed: resolved.seed,
    device: runtime.device,
    threads: runtime.threads,
    ...(resolved.onDivergence === "rollback" ? { onDivergence: "rollback" } : {}),
  };
}

const dataRecord = (dataset: Dataset) => ({
  dataKey: dataset.key,
  dataSettings: JSON.parse(JSON.stringify(dataset.settings)) as Json,
  nRecords: dataset.length,
});

async function sit(session: Session, unbuilt: () => void): Promise<TrainResult> {
  const { run, hooks } = session;
  const saved = await run.load();
  if (saved?.fellBack === true && saved.why !== undefined) hooks.note?.(saved.why);
  const stand = standOf(saved);
  const { step } = stand.counters;
  const events = await EventWriter.create({ dir: run.dir, firstStep: step + 1 });
  if (stand.evaluation !== undefined) session.evaluation?.resume(stand.evaluation);
  const { lines } = await readLog(run.dir);
  const probes = probesOf(lines);
  const isNew = saved === undefined && lines.length === 0;
  const sitting = new Sitting({ session, events, stand, probes });
  try {
    await sitting.open(stand.saved).catch((error: unknown) => {
      if (isNew && error instanceof UserError) unbuilt();
      throw error;
    });
    hooks.begun?.({ dir: run.dir, resumedAt: step });
    return await sitting.work();
  } finally {
    await sitting.close();
    await events.close();
  }
}

async function beginEvaluation(
  resolved: Resolved,
  streams: Streams,
  cacheDir: string,
): Promise<Evaluation | undefined> {
  const { evaluate: plan, recipe, seed } = resolved;
  if (plan === undefined) return undefined;
  demandNoiseSamples({ recipe, context: contextFor(resolved, streams), who: "--eval-every" });
  const image = Object.values(recipe.data).find((f) => f.domain === "image");
  const dataset = firstOf(streams);
  return Evaluation.begin({ plan, dataset, range: image?.range, seed, cacheDir });
}
