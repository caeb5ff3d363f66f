import type { Graph } from "../graph.ts";
import { inputName } from "../graph.ts";
import type { Tensor } from "../ir.ts";
import { rewrite } from "./rewrite.ts";

/** Computes equal expressions once. */
export function shareCommon(graph: Graph): Graph {
  const first = new Map<string, Tensor>();
  return rewrite(graph, (node) => {
    if (node.op.name === "Input") return node;
    const key = keyOf(node);
    const known = first.get(key) ?? node;
    first.set(key, known);
    return known;
  });
}

/** Equal for nodes that compute the same of the same operands. */
function keyOf(node: Tensor): string {
  const operands = node.inputs.map((i) => (i.op.name === "Input" ? inputName(i) : i.id));
  const literal = node.literal === undefined ? "" : node.literal.join();
  return JSON.stringify([node.op.name, node.attrs, operands, literal]);
}
