import type { Graph } from "../graph.ts";
import { apply, type Tensor } from "../ir.ts";
import { BlockedConv, fromBlocked, toBlocked } from "../ops/blocked.ts";
import { at } from "../ops/conv-geometry.ts";
import { input } from "../ops/leaf.ts";
import { nth } from "../ops/nd.ts";
import { concat, reshape, slice, transpose } from "../ops/shape.ts";
import { shareCommon } from "./common.ts";
import { rewrite } from "./rewrite.ts";

/**
 * A graph that tells what block this processor wants: the number of elements of `y` that comes out
 * when it runs with `x` of four. Where it cannot be loaded, or says 1, there is no blocked layout.
 */
export function blockProbe(): Graph {
  const x = input("x", { shape: [1, 4, 1, 1] });
  return { inputs: [x], outputs: { y: toBlocked(x, 4) } };
}

/**
 * Runs convolutions over two axes in ONNX Runtime's blocked layout where channels come in whole
 * blocks; transposed ones too, as one convolution per residue of the output's position by the
 * stride. `block` is what the processor wants (see blockProbe); the result runs on a CPU alone.
 */
export function useBlockedConvs(graph: Graph, options: { readonly block: number }): Graph {
  const { block } = options;
  const lowered = rewrite(graph, (node) => {
    const transposed = node.op.name === "ConvTranspose";
    if (node.op.name !== "Conv" && !transposed) return node;
    const [x, w] = [nth(node.inputs, 0), nth(node.inputs, 1)];
    const whole = [at(w.shape, 0), at(w.shape, 1)].every((c) => c % block === 0);
    if (node.rank !== 4 || node.attrs["group"] !== 1 || !whole) return node;
    const attrs = {
      strides: numbers(node, "strides"),
      pads: numbers(node, "pads"),
      dilations: numbers(node, "dilations"),
      block,
    };
    const blocks = toBlocked(x, block);
    if (!transposed) {
      const weight = reshape(blockedWeight(w, block), w.shape);
      const inputs = [blocks, weight, ...node.inputs.slice(2)];
      return fromBlocked(apply(BlockedConv, inputs, attrs), block);
    }
    const y = transposedByResidues(node, blocks, attrs);
    return y === undefined ? node : fromBlocked(y, block);
  });
  return shareCommon(lowered);
}

/** Numbers [outer, b, inner] as [outer, inner, b]: the fastest way is to call them an image of b channels. */
const blockLast = (x: Tensor, outer: number, b: number): Tensor =>
  toBlocked(reshape(x, [outer, b, 1, x.size / (outer * b)]), b);

/** A weight [O, C, kh, kw] as [O / b, C / b, kh kw, b of C, b of O]. */
function blockedWeight(w: Tensor, b: number): Tensor {
  const [o, c] = [at(w.shape, 0), at(w.shape, 1)];
  return blockLast(blockLast(w, (o * c) / b, b), o / b, b);
}

/** The same of a transposed convolution's weight [C, O, kh, kw]. */
function blockedTransposedWeight(w: Tensor, b: number): Tensor {
  const [c, o] = [at(w.shape, 0), at(w.shape, 1)];
  const blocks = blockLast(blockLast(w, c / b, b), (c * o) / (b * b), b);
  return transpose(reshape(blocks, [c / b, o / b, -1]), [1, 0, 2]);
}

/** The taps of a kernel's axis that reach outputs of one residue, and the padding that places them. */
interface Residue {
  readonly last: number;
  readonly taps: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Outputs at s m + r are reached through the taps k = (r + pad) mod s + s t, from the inputs
 * m + floor((r + pad) / s) - t: a convolution of stride 1 with those taps in reverse.
 */
function residues(o: {
  size: number;
  out: number;
  kernel: number;
  stride: number;
  pad: number;
}): Residue[] {
  return Array.from({ length: o.stride }, (_, r) => {
    const first = (r + o.pad) % o.stride;
    const taps = Math.ceil((o.kernel - first) / o.stride);
    const shift = Math.floor((r + o.pad) / o.stride);
    const last = first + o.stride * (taps - 1);
    return { last, taps, before: taps - 1 - shift, after: o.out / o.stride + shift - o.size };
  });
}

/** A transposed convolution of a blocked input, or undefined where its shape does not allow for it. */
function transposedByResidues(
  node: Tensor,
  x: Tensor,
  attrs: {
    strides: readonly number[];
    pads: readonly number[];
    dilations: readonly number[];
    block: number;
  },
): Tensor | undefined {
  const { strides, pads, dilations, block: b } = attrs;
  const w = nth(node.inputs, 1);
  const axes = [0, 1].map((i) =>
    residues({
      size: at(x.shape, i + 2),
      out: at(node.shape, i + 2),
      kernel: at(w.shape, i + 2),
      stride: at(strides, i),
      pad: at(pads, i),
    }),
  );
  const fits = axes.every((list, i) =>
    list.every(
      (r) =>
        r.taps > 0 &&
        r.before >= 0 &&
        r.after >= 0 &&
        Number.isInteger(r.after) &&
        at(dilations, i) === 1,
    ),
  );
  if (!fits) return undefined;
  const [sh, sw] = [at(strides, 0), at(strides, 1)];
  const [n, o, h, v] = [
    at(node.shape, 0),
    at(node.shape, 1),
    at(node.shape, 2) / sh,
    at(node.shape, 3) / sw,
  ];
  const weight = reshape(blockedTransposedWeight(w, b), [
    o / b,
    at(x.shape, 1) / b,
    at(w.shape, 2),
    at(w.shape, 3),
    b * b,
  ]);
  const rows = nth(axes, 0).map((row) => {
    const some = slice(weight, { axis: 2, start: row.last, step: -sh });
    const columns = nth(axes, 1).map((column) => {
      const taps = slice(some, { axis: 3, start: column.last, step: -sw });
      const inputs = [
        x,
        reshape(taps, [o, at(x.shape, 1), row.taps, column.taps]),
        ...node.inputs.slice(2),
      ];
      const y = apply(BlockedConv, inputs, {
        strides: [1, 1],
        pads: [row.before, column.before, row.after, column.after],
        dilations: [1, 1],
        block: b,
      });
      return reshape(y, [n, o / b, h, v, 1, b]);
    });
    return reshape(concat(columns, 4), [n, o / b, h, 1, v * sw * b]);
  });
  return reshape(concat(rows, 3), node.shape);
}

function numbers(node: Tensor, name: string): readonly number[] {
  const value = node.attrs[name];
  if (!Array.isArray(value)) throw new TypeError(`${node.op.name} has no ${name}`);
  return value;
}
