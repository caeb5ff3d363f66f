import { topological, type Graph } from "../graph.ts";
import { at, Tensor } from "../ir.ts";

/**
 * A graph in which `change` has replaced nodes. It is called on every node that the outputs need,
 * operands first, with its operands replaced already (and as it was in `graph`), and returns that
 * node or another of its type.
 * What no output needs any more is gone. Returns `graph` itself when nothing has changed.
 */
export function rewrite(graph: Graph, change: (node: Tensor, original: Tensor) => Tensor): Graph {
  const replaced = new Map<Tensor, Tensor>();
  const now = (t: Tensor): Tensor => replaced.get(t) ?? t;
  for (const node of topological(Object.values(graph.outputs))) {
    replaced.set(
      node,
      traced(node, () => change(withInputs(node, node.inputs.map(now)), node)),
    );
  }
  const entries = Object.entries(graph.outputs);
  if (entries.every(([, t]) => now(t) === t)) return graph;
  return {
    inputs: graph.inputs,
    outputs: Object.fromEntries(entries.map(([name, t]) => [name, now(t)])),
  };
}

/** The same operation on other operands. */
function withInputs(node: Tensor, inputs: readonly Tensor[]): Tensor {
  return inputs.every((t, i) => t === node.inputs[i])
    ? node
    : new Tensor(node.op, inputs, node.attrs, node.literal);
}

/** Runs `build` so that its nodes carry the place where `node` was traced. */
const traced = (node: Tensor, build: () => Tensor): Tensor =>
  node.at === undefined ? build() : at(node.at, build);
