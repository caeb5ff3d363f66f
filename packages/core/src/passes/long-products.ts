import type { Graph } from "../graph.ts";
import type { Tensor } from "../ir.ts";
import { MatMul, matmul } from "../ops/matmul.ts";
import { nth } from "../ops/nd.ts";
import { sum } from "../ops/reduce.ts";
import { reshape, transpose } from "../ops/shape.ts";
import { shareCommon } from "./common.ts";
import { rewrite } from "./rewrite.ts";

/** A GPU's product computes squares of so many rows and columns, each from one end of the sum to the other. */
const tile = 32;
/** Squares at work at a time that keep a large GPU busy, and the shortest sum worth a square of its own. */
const [wanted, shortest] = [512, 128];

/**
 * Cuts products of few rows and columns and a long sum between them, as of a weight's gradient over all places of
 * a batch, into products of pieces that are added up: a GPU otherwise leaves a whole sum to one of its many units.
 */
export function splitLongProducts(graph: Graph): Graph {
  const split = rewrite(graph, (node) => {
    if (node.op.name !== MatMul.name || node.rank !== 2) return node;
    const [a, b] = [nth(node.inputs, 0), nth(node.inputs, 1)];
    const [transA, transB] = [node.attrs["transA"] === true, node.attrs["transB"] === true];
    const [m, n] = [nth(node.shape, 0), nth(node.shape, 1)];
    const k = a.size / m;
    const parts = pieces(k, Math.ceil(m / tile) * Math.ceil(n / tile));
    if (parts === 1) return node;
    const left = inPieces(a, { parts, first: transA });
    const right = inPieces(b, { parts, first: !transB });
    return sum(matmul(left, right, { transA, transB }), { axes: [0] });
  });
  return shareCommon(split);
}

/** How many equal pieces a sum of k is cut into. */
function pieces(k: number, tiles: number): number {
  const most = Math.min(Math.floor(k / shortest), Math.ceil(wanted / tiles));
  for (let d = most; d > 1; d--) if (k % d === 0) return d;
  return 1;
}

/** [parts, ...] of a matrix whose first or last axis is cut. */
function inPieces(x: Tensor, o: { readonly parts: number; readonly first: boolean }): Tensor {
  const [rows, columns] = [nth(x.shape, 0), nth(x.shape, 1)];
  if (o.first) return reshape(x, [o.parts, rows / o.parts, columns]);
  return transpose(reshape(x, [rows, o.parts, columns / o.parts]), [1, 0, 2]);
}
