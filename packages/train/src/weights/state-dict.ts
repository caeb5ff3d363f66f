import type { Tensors } from "../run/safetensors.ts";

/** Tensors by the names of the file that they came from; all float32, and whole numbers left out. */
export interface StateDict {
  readonly tensors: Tensors;
  /** Entries that are no tensors of floats, such as counters of batches. */
  readonly leftOut: readonly string[];
}
