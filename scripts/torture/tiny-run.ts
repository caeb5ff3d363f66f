import type { FileSystem } from "../../packages/train/src/run/file-system.ts";
import { resumeOrCreateRun } from "../../packages/train/src/run/folder.ts";
import type { Tensors } from "../../packages/train/src/run/safetensors.ts";

/** A few numbers that each step moves, so that one step too many or too few shows in all of them. */
export type TinyState = { readonly step: number; readonly weights: Float32Array };

export function tinyStart(nWeights: number): TinyState {
  return { step: 0, weights: Float32Array.from({ length: nWeights }, (_, i) => i / nWeights) };
}

export function tinyStep({ step, weights }: TinyState): TinyState {
  return {
    step: step + 1,
    weights: weights.map((w, i) => Math.fround(3.7 * w * (1 - w) + i * 1e-6)),
  };
}

export function tinyTensors({ step, weights }: TinyState): Tensors {
  return {
    "G.weight": { dtype: "float32", shape: [weights.length], data: weights },
    order: { dtype: "int64", shape: [1], data: BigInt64Array.of(BigInt(step)) },
    done: { dtype: "bool", shape: [2], data: Uint8Array.of(1, 0) },
  };
}

/**
 * The smallest program that uses a run folder as training does: continue from the checkpoint, step,
 * log a line each step, save every few steps, write a picture's worth of bytes, and close.
 */
export async function tinyRun(request: {
  root: string;
  nSteps: number;
  saveEvery: number;
  nWeights: number;
  fs?: FileSystem;
  afterStep?: (step: number) => Promise<void>;
}): Promise<{ dir: string; fellBack: boolean }> {
  const { root, nSteps, saveEvery, nWeights, fs, afterStep } = request;
  const options = { recipe: "tiny", data: "logistic", nSteps, saveEvery, nWeights };
  const run = await resumeOrCreateRun({ root, options, ...(fs ? { fs } : {}) });
  const checkpoint = await run.load();
  const weights = checkpoint?.tensors["G.weight"]?.data;
  let state = tinyStart(nWeights);
  if (checkpoint && weights instanceof Float32Array)
    state = { step: checkpoint.meta.step, weights };
  while (state.step < nSteps) {
    state = tinyStep(state);
    await run.log({ step: state.step, mean: state.weights.reduce((a, b) => a + b, 0) / nWeights });
    if (state.step % saveEvery === 0 || state.step === nSteps) {
      await run.write(run.sampleName(state.step), Uint8Array.of(state.step));
      await run.save({ tensors: tinyTensors(state), meta: { step: state.step } });
    }
    await afterStep?.(state.step);
  }
  await run.close();
  return { dir: run.dir, fellBack: checkpoint?.fellBack ?? false };
}
