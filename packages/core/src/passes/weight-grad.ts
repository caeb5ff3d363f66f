import type { Graph } from "../graph.ts";
import type { Tensor } from "../ir.ts";
import { at } from "../ops/conv-geometry.ts";
import { ConvWeightGrad } from "../ops/conv.ts";
import { crop } from "../ops/crop.ts";
import { matmul } from "../ops/matmul.ts";
import { sum } from "../ops/reduce.ts";
import { concat, reshape, transpose, zeroPad } from "../ops/shape.ts";
import { rewrite } from "./rewrite.ts";

/** A ConvWeightGrad of two spatial axes and no dilation, as if of one group. */
export interface WeightGrad {
  /** [N, C, H, W] */
  readonly x: Tensor;
  /** [N, O, H', W'] */
  readonly g: Tensor;
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly pads: readonly number[];
}

/** A piece of the input narrower than this makes too thin a matrix for a product of its own. */
const thin = 8;

/**
 * Chooses the form of each convolution's weight gradient by its shape; the measurements are in
 * docs/decisions/conv-gradients.md. Those with narrow groups, dilation or other than two spatial axes
 * stay as they are, and run as a convolution in which batch and channels have changed places.
 */
export const lowerWeightGrads = (graph: Graph): Graph =>
  rewrite(graph, (node) => {
    const [x, g] = node.inputs;
    if (node.op.name !== ConvWeightGrad.name || !x || !g || x.rank !== 4) return node;
    const [kernel, strides, pads, dilations] = ["kernel", "strides", "pads", "dilations"].map(
      (name) => numbers(node, name),
    ) as [number[], number[], number[], number[]];
    if (dilations.some((d) => d !== 1)) return node;
    const problem = { x, g, kernel, strides, pads };
    const { group } = node.attrs;
    if (typeof group !== "number") throw new TypeError(`${node.op.name} has no group`);
    if (group === 1 && seesOnce(problem)) return bySinglePlace(problem);
    if (group === 1) return isThin(problem) ? byImages(problem) : byPieces(problem);
    return isThin(problem, group) ? node : byGroups(problem, group);
  });

/** The output is one place. */
const seesOnce = ({ g, pads }: WeightGrad): boolean =>
  at(g.shape, 2) * at(g.shape, 3) === 1 && pads.every((p) => p === 0);

const isThin = ({ x, strides }: WeightGrad, group = 1): boolean =>
  (at(x.shape, 1) / group) * at(strides, 1) < thin;

/** Each group's channels by themselves, one result above the other. */
function byGroups(problem: WeightGrad, group: number): Tensor {
  const part = (t: Tensor, i: number): Tensor => {
    const [n, c, ...rest] = t.shape;
    const width = (c ?? 0) / group;
    return crop(t, { starts: [0, i * width, 0, 0], shape: [n ?? 0, width, ...rest] });
  };
  const parts = Array.from({ length: group }, (_, i) =>
    byPieces({ ...problem, x: part(problem.x, i), g: part(problem.g, i) }),
  );
  return concat(parts, 0);
}

function numbers(node: Tensor, name: string): readonly number[] {
  const value = node.attrs[name];
  if (!Array.isArray(value)) throw new TypeError(`${node.op.name} has no ${name}`);
  return value;
}

/** Where the output is one place: dw = g^T x, [O, N] [N, C kh kw]. */
export function bySinglePlace({ x, g, kernel }: WeightGrad): Tensor {
  const [n, c, o] = [at(x.shape, 0), at(x.shape, 1), at(g.shape, 1)];
  const seen = crop(x, { starts: [0, 0, 0, 0], shape: [n, c, ...kernel] });
  const product = matmul(reshape(g, [n, o]), reshape(seen, [n, -1]), { transA: true });
  return reshape(product, [o, c, ...kernel]);
}

/** A product per piece of the kernel, [O, N H' W'] [N H' W', strideW C], side by side. */
export function byPieces(problem: WeightGrad): Tensor {
  const { x, g } = problem;
  const rows = at(x.shape, 0) * at(g.shape, 2) * at(g.shape, 3);
  const cotangent = reshape(transpose(g, [1, 0, 2, 3]), [-1, rows]);
  const products = pieces(problem).map((p) => matmul(cotangent, reshape(p, [rows, -1])));
  return weight(concat(products, 1), problem);
}

/** A product per image, [O, H' W'] [H' W', kh kw C], summed over the images. */
export function byImages(problem: WeightGrad): Tensor {
  const { x, g } = problem;
  const [n, places] = [at(x.shape, 0), at(g.shape, 2) * at(g.shape, 3)];
  const columns = concat(
    pieces(problem).map((p) => reshape(p, [n, places, -1])),
    2,
  );
  const products = matmul(reshape(g, [n, -1, places]), columns); // [N, O, kh kw C]
  return weight(sum(products, { axes: [0] }), problem);
}

/**
 * What the kernel sees, cut into pieces [N, H', 1, W', up to strideW C] in the order of (i, j, c) for
 * kernel row i, column j and channel c. Channels stand last, so that up to strideW columns of the
 * kernel see numbers that lie side by side.
 */
function pieces({ x, g, kernel, strides, pads }: WeightGrad): Tensor[] {
  const [n, c] = [at(x.shape, 0), at(x.shape, 1)];
  const [toH, toW] = [at(g.shape, 2), at(g.shape, 3)];
  const [kh, kw] = [at(kernel, 0), at(kernel, 1)];
  const [sh, sw] = [at(strides, 0), at(strides, 1)];
  const blocksH = toH + Math.ceil(kh / sh) - 1;
  const blocksW = toW + Math.ceil(kw / sw) - 1;
  const last = transpose(x, [0, 2, 3, 1]); // [N, H, W, C]
  const fitted = fit(last, pads, [blocksH * sh, blocksW * sw]);
  const blocks = reshape(fitted, [n, blocksH, sh, blocksW, sw * c]);
  return Array.from({ length: kh }, (_, i) =>
    Array.from({ length: Math.ceil(kw / sw) }, (_unused, j) =>
      crop(blocks, {
        starts: [0, Math.floor(i / sh), i % sh, j, 0],
        shape: [n, toH, 1, toW, Math.min(sw, kw - j * sw) * c],
      }),
    ),
  ).flat();
}

/** Zeros before the spatial axes of [N, H, W, C], and zeros or a cut after, so that they have `extents`. */
function fit(x: Tensor, pads: readonly number[], extents: readonly number[]): Tensor {
  const after = extents.map((d, i) => Math.max(0, d - at(pads, i) - at(x.shape, i + 1)));
  const padded = zeroPad(x, { before: [0, ...pads.slice(0, 2), 0], after: [0, ...after, 0] });
  const shape = [at(x.shape, 0), ...extents, at(x.shape, 3)];
  return crop(padded, { starts: [0, 0, 0, 0], shape });
}

/** [O, kh kw C] as [O, C, kh, kw]. */
function weight(product: Tensor, { x, kernel }: WeightGrad): Tensor {
  const [kh, kw] = [at(kernel, 0), at(kernel, 1)];
  return transpose(reshape(product, [-1, kh, kw, at(x.shape, 1)]), [0, 3, 1, 2]);
}
