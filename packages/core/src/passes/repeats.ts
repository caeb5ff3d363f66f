import type { Graph } from "../graph.ts";
import { sizeOf, type Tensor } from "../ir.ts";
import { nth } from "../ops/nd.ts";
import { constant } from "../ops/leaf.ts";
import { matmul } from "../ops/matmul.ts";
import { expand, reshape } from "../ops/shape.ts";
import { rewrite } from "./rewrite.ts";

/** More copies than these of each element are copied fast as they are. */
const maxTimes = 8;
/** Elements of one row of the product: with fewer it is many small ones, with more it is mostly zeros. */
const [minPiece, maxPiece] = [4, 32];

/**
 * Repeats each element along the last axis by products of short rows with a matrix of zeros and ones: the
 * runtime's Expand copies single elements, and takes ten times as long (nearest upsampling, and the gradient
 * of average pooling). Exact for finite numbers; an infinity makes its neighbours NaN.
 */
export const lowerRepeats = (graph: Graph): Graph =>
  rewrite(graph, (node) => {
    const [x] = node.inputs;
    if (node.op.name !== "Expand" || !x || x.dtype !== "float32" || x.rank < 3) return node;
    const times = nth(node.shape, node.rank - 1);
    if (nth(x.shape, x.rank - 1) !== 1 || times < 2 || times > maxTimes) return node;
    const [n = 1, c = 1, ...places] = x.shape; // the batch, whose extent may be free, is one of the first
    const piece = largestDivisor(sizeOf(places), maxPiece);
    if (piece < minPiece) return node;
    const rows = reshape(x, [n, c, sizeOf(places) / piece, piece]);
    const wide = matmul(rows, repeating(piece, times));
    return copyRows(reshape(wide, [...x.shape.slice(0, -1), times]), node);
  });

/** x expanded to the shape of `to`, its last axes taken as one where they stay: longer rows to copy. */
function copyRows(x: Tensor, to: Tensor): Tensor {
  let kept = 0; // axes from the end that stay
  while (kept < x.rank - 1 && x.shape.at(-1 - kept) === to.shape.at(-1 - kept)) kept++;
  const join = (shape: readonly number[]): number[] => [
    ...shape.slice(0, shape.length - kept),
    sizeOf(shape.slice(shape.length - kept)),
  ];
  return reshape(expand(reshape(x, join(x.shape)), join(to.shape)), to.shape);
}

/** [n, n times] that repeats each element of a row of n. */
const repeating = (n: number, times: number): Tensor =>
  constant(
    Float32Array.from({ length: n * n * times }, (_, i) =>
      Math.floor(i / (n * times)) === Math.floor((i % (n * times)) / times) ? 1 : 0,
    ),
    { shape: [n, n * times] },
  );

function largestDivisor(n: number, most: number): number {
  for (let d = Math.min(n, most); d > 1; d--) if (n % d === 0) return d;
  return 1;
}
