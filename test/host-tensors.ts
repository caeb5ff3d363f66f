import { inputName, type Graph } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, bool: Uint8Array };

/** What a graph is fed with, as the runtime wants it. */
export function hostTensorsOf(
  graph: Graph,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, HostTensor> {
  const entries = graph.inputs.map((t) => {
    const name = inputName(t);
    const data = arrays[t.dtype].from(Array.from(feeds[name] ?? []));
    return [name, { dtype: t.dtype, shape: t.shape, data }] as const;
  });
  return Object.fromEntries(entries);
}
