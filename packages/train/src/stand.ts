import { FailureError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { Counters } from "./counters.ts";
import type { Cursors } from "./feeder.ts";
import type { Checkpoint, Json } from "./run/checkpoint.ts";

/** A return to a safe point after divergence. */
export interface Rollback {
  /** The step that diverged, and that of the safe point. */
  readonly from: number;
  readonly to: number;
}

/** Where a run stands, as its checkpoint says it. */
export interface Stand {
  readonly counters: Counters;
  readonly cursors: Cursors;
  readonly rollbacks: readonly Rollback[];
  /** Whether any step so far asked how much of the budget was used. */
  readonly sawProgress: boolean;
  /** What the evaluation of samples has found so far. */
  readonly evaluation: Json | undefined;
  /** Undefined before the first checkpoint. */
  readonly saved: { readonly state: State; readonly stage: string | undefined } | undefined;
}
type State = Readonly<Record<string, HostTensor>>;

/** @throws FailureError when a tensor is no float32 */
export function standOf(checkpoint: Checkpoint | undefined): Stand {
  const { meta } = checkpoint ?? { meta: undefined };
  const count = (name: string): number => Number(meta?.[name] ?? 0);
  const stage = typeof meta?.["stage"] === "string" ? meta["stage"] : undefined;
  return {
    counters: { step: count("step"), nImages: count("nImages"), timeMs: count("timeMs") },
    cursors: (meta?.["cursors"] ?? { data: {}, runs: [] }) as unknown as Cursors,
    rollbacks: (meta?.["rollbacks"] ?? []) as unknown as Rollback[],
    sawProgress: meta !== undefined && meta["sawProgress"] !== false,
    evaluation: meta?.["evaluation"],
    saved: checkpoint && { state: hostTensors(checkpoint), stage },
  };
}

function hostTensors(checkpoint: Checkpoint): State {
  const entries = Object.entries(checkpoint.tensors).map(([name, t]) => {
    if (t.dtype !== "float32") {
      throw new FailureError(`${checkpoint.path}: "${name}" is ${t.dtype}, not float32.`);
    }
    return [name, { dtype: t.dtype, shape: t.shape, data: t.data }] as const;
  });
  return Object.fromEntries(entries);
}
