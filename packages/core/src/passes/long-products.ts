import type { Graph } from "../graph.ts";
import { MatMul, matmul } from "../ops/matmul.ts";
import { nth } from "../ops/nd.ts";
import { sum } from "../ops/reduce.ts";
import { reshape, transpose } from "../ops/shape.ts";
import { shareCommon } from "./common.ts";
import { rewrite } from "./rewrite.ts";

/** A GPU's product computes squares of so many rows and columns, each from one end of the sum to the other. */
const tile = 32;
/** Squares at work at a time that keep a large GPU busy. */
const wanted = 512;
/** The shortest sum worth cutting, for the two kernels more that it takes to start, and the shortest piece. */
const [long, shortest] = [4096, 512];

/**
 * Cuts products of few rows and columns and a long sum between them, as of a weight's gradient over all places of
 * a batch, into products of pieces that are added up: a GPU otherwise leaves a whole sum to one of its many units.
 */
export function splitLongProducts(graph: Graph): Graph {
  const split = rewrite(graph, (node) => {
    if (node.op.name !== MatMul.name || node.rank !== 2) return node;
    const [a, b] = [nth(node.inputs, 0), nth(node.inputs, 1)];
    const [m, n] = [nth(node.shape, 0), nth(node.shape, 1)];
    const k = a.size / m;
    const parts = pieces(k, Math.ceil(m / tile) * Math.ceil(n / tile));
    if (parts === 1) return node;
    const left =
      node.attrs["transA"] === true
        ? transpose(reshape(a, [parts, k / parts, m]), [0, 2, 1])
        : transpose(reshape(a, [m, parts, k / parts]), [1, 0, 2]);
    const right =
      node.attrs["transB"] === true
        ? transpose(reshape(b, [n, parts, k / parts]), [1, 2, 0])
        : reshape(b, [parts, k / parts, n]);
    return sum(matmul(left, right), { axes: [0] }); // [parts, m, k / parts] [parts, k / parts, n]
  });
  return shareCommon(split);
}

/** How many equal pieces a sum of k is cut into. */
function pieces(k: number, tiles: number): number {
  if (k < long) return 1;
  const most = Math.min(Math.floor(k / shortest), Math.ceil(wanted / tiles));
  for (let d = most; d > 1; d--) if (k % d === 0) return d;
  return 1;
}
