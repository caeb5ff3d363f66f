import type { Graph } from "../graph.ts";
import { sameShape, type Shape, type Tensor } from "../ir.ts";
import { at } from "../ops/conv-geometry.ts";
import { crop } from "../ops/crop.ts";
import { nth } from "../ops/nd.ts";
import { rewrite } from "./rewrite.ts";

/** Makes one crop of a slice of a slice. */
export const mergeSlices = (graph: Graph): Graph =>
  rewrite(graph, (node) => {
    const outer = boxOf(node);
    if (outer === undefined) return node;
    const x = nth(node.inputs, 0);
    if (sameShape(x.shape, node.shape)) return x;
    const inner = boxOf(x);
    if (inner === undefined) return node;
    return crop(nth(x.inputs, 0), {
      starts: outer.starts.map((s, i) => s + at(inner.starts, i)),
      shape: outer.shape,
    });
  });

/** The box that a Crop or a Slice of step 1 cuts out. */
function boxOf(node: Tensor): { starts: readonly number[]; shape: Shape } | undefined {
  const { axis, start, step, starts } = node.attrs;
  if (node.op.name === "Crop" && Array.isArray(starts)) return { starts, shape: node.shape };
  if (node.op.name !== "Slice" || step !== 1 || typeof start !== "number") return undefined;
  return { starts: node.shape.map((_, i) => (i === axis ? start : 0)), shape: node.shape };
}
