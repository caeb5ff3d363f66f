import { add } from "./ops/arithmetic.ts";
import { full } from "./ops/leaf.ts";
import { topological } from "./graph.ts";
import { graphError, sameShape, showShape, type Tensor } from "./ir.ts";

/**
 * Reverse-mode gradients, graph to graph.
 *
 * @param y any float32 tensor; its cotangent is `seed`, or ones (so: the gradient of the sum of y).
 * @param wrt the tensors to differentiate by; they may be inputs or results within the graph.
 * @returns one tensor per entry of `wrt`, of the same shape; zeros where y does not depend on it.
 */
export function grad(y: Tensor, wrt: readonly Tensor[], seed?: Tensor): Tensor[] {
  if (y.dtype !== "float32") throw graphError("grad", `the output is ${y.dtype}, not float32`);
  if (seed !== undefined && !sameShape(seed.shape, y.shape)) {
    throw graphError(
      "grad",
      `the seed has shape ${showShape(seed.shape)}, not ${showShape(y.shape)}`,
    );
  }
  const order = topological([y]);
  const reaches = dependents(order, wrt);
  const cotangents = new Map<Tensor, Tensor>([[y, seed ?? full(y.shape, 1)]]);
  for (const node of order.toReversed()) {
    const g = cotangents.get(node);
    if (g === undefined || node.op.grad === "none" || !node.inputs.some((i) => reaches.has(i))) {
      continue;
    }
    const parts = node.op.grad(g, node);
    node.inputs.forEach((input, i) => {
      const part = parts[i];
      if (part === undefined || part === null || !reaches.has(input)) return;
      if (!sameShape(part.shape, input.shape)) {
        throw new TypeError(
          `${node.op.name}: gradient ${i} has shape ${showShape(part.shape)}, not ${showShape(input.shape)}`,
        );
      }
      const sum = cotangents.get(input);
      cotangents.set(input, sum === undefined ? part : add(sum, part));
    });
  }
  return wrt.map((w) => cotangents.get(w) ?? full(w.shape, 0));
}

/** Those of `order` (operands first) through which `wrt` reaches the output. */
function dependents(order: readonly Tensor[], wrt: readonly Tensor[]): Set<Tensor> {
  const reached = new Set<Tensor>(wrt);
  for (const node of order) {
    if (node.inputs.some((i) => reached.has(i))) reached.add(node);
  }
  return reached;
}
