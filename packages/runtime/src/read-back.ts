import { input, reshape, type Graph } from "@duelo/core";
import type { Tensor } from "onnxruntime-common";

/** A graph that hands its inputs through, so that what lives on a device comes out on the host. */
export function readBackGraph(tensors: ReadonlyMap<string, Tensor>): Graph {
  const inputs = [...tensors].map(([name, t]) => input(name, { shape: t.dims }));
  const names = [...tensors.keys()];
  const outputs = Object.fromEntries(
    inputs.map((t, i) => [`host:${names[i] ?? ""}`, reshape(t, t.shape)]),
  );
  return { inputs, outputs };
}
