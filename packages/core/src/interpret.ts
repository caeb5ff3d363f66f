import { inputName, topological, type Graph } from "./graph.ts";
import { sizeOf, type NdArray, type Tensor } from "./ir.ts";

/**
 * Runs a graph by the float64 definitions of its operations: the oracle that gradients and ONNX
 * Runtime are compared with. Slow by design.
 */
export function interpret(
  graph: Graph,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
): Record<string, NdArray> {
  const values = new Map<Tensor, NdArray>();
  const valueOf = (t: Tensor): NdArray => {
    const value = values.get(t);
    if (value === undefined) throw new TypeError(`${t.op.name} %${t.id} has no value yet`);
    return value;
  };
  for (const node of topological(Object.values(graph.outputs))) {
    values.set(node, { shape: node.shape, data: nodeData(node, feeds, valueOf) });
  }
  return Object.fromEntries(Object.entries(graph.outputs).map(([k, t]) => [k, valueOf(t)]));
}

function nodeData(
  node: Tensor,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
  valueOf: (t: Tensor) => NdArray,
): Float64Array {
  if (node.op.name !== "Input") return node.op.evaluate(node.inputs.map(valueOf), node);
  const name = inputName(node);
  const fed = feeds[name];
  if (fed === undefined) throw new TypeError(`input "${name}" was not fed`);
  if (fed.length !== sizeOf(node.shape)) {
    throw new TypeError(`input "${name}" has ${fed.length} values, not ${sizeOf(node.shape)}`);
  }
  return Float64Array.from(fed);
}
