import { topological, type DType, type Graph, type Tensor } from "@duelo/core";

const bytesPer: Record<DType, number> = { float32: 4, int32: 4, uint8: 1, bool: 1 };
const nBytes = (t: Tensor): number => t.size * bytesPer[t.dtype];

/**
 * Bytes that one run of a graph needs at its peak: inputs and outputs, and the largest set of values
 * alive at once when every value is freed after its last use and reshaping costs nothing. The
 * workspace of single operations and ONNX Runtime itself come on top.
 */
export function estimateMemory(graph: Graph): number {
  const order = topological(Object.values(graph.outputs));
  const lastUse = new Map<Tensor, number>();
  for (const [i, node] of order.entries()) {
    for (const t of node.inputs) lastUse.set(storage(t), i);
  }
  for (const t of [...graph.inputs, ...Object.values(graph.outputs)]) {
    lastUse.set(storage(t), order.length);
  }
  const fed = graph.inputs.reduce((n, t) => n + nBytes(t), 0);
  let alive = fed;
  let peak = fed;
  const ends = new Map<number, Tensor[]>();
  for (const [t, i] of lastUse) ends.set(i, [...(ends.get(i) ?? []), t]);
  for (const [i, node] of order.entries()) {
    if (storage(node) === node && node.op.name !== "Input") alive += nBytes(node);
    peak = Math.max(peak, alive);
    for (const t of ends.get(i) ?? []) alive -= nBytes(t);
  }
  return peak;
}

/** The value whose memory a reshaped one shares. */
function storage(t: Tensor): Tensor {
  const [source] = t.inputs;
  return t.op.name === "Reshape" && source !== undefined ? storage(source) : t;
}
