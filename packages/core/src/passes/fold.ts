import type { Graph } from "../graph.ts";
import type { NdArray, Tensor } from "../ir.ts";
import { constant } from "../ops/leaf.ts";
import { rewrite } from "./rewrite.ts";

/** Results of more elements than this stay computed, so that the file stays small. */
const mostElements = 4096;

/** Replaces what depends on constants alone by its value. */
export const foldConstants = (graph: Graph): Graph => rewrite(graph, foldNode);

function foldNode(node: Tensor): Tensor {
  if (node.inputs.length === 0 || node.size > mostElements) return node;
  const values = node.inputs.map(valueOf);
  if (!values.every((v) => v !== undefined)) return node;
  return constant(node.op.evaluate(values, node), { shape: node.shape, dtype: node.dtype });
}

const valueOf = (t: Tensor): NdArray | undefined =>
  t.literal === undefined ? undefined : { shape: t.shape, data: t.literal };
