import { topological, type Graph } from "../graph.ts";
import { sameShape, Tensor } from "../ir.ts";
import { at, type ConvAttrs } from "../ops/conv-geometry.ts";
import { Conv, ConvTranspose } from "../ops/conv.ts";
import { matmul } from "../ops/matmul.ts";
import { nth } from "../ops/nd.ts";
import { reshape } from "../ops/shape.ts";
import { rewrite } from "./rewrite.ts";

/**
 * Brings convolutions into the forms that run fastest: zeros around the input become padding, a
 * convolution that is a plain matrix product becomes one, and a bias joins its convolution.
 */
export function fuseConvs(graph: Graph): Graph {
  const uses = countUses(graph);
  return rewrite(graph, (node, original) => {
    switch (node.op.name) {
      case "Conv":
        return asProduct(node) ?? withPadding(node);
      case "ConvWeightGrad":
        return withPadding(node);
      case "ConvTranspose":
        return transposedAsProduct(node) ?? node;
      case "Add":
        return withBias(node, original, uses) ?? node;
      default:
        return node;
    }
  });
}

/** Conv(zeros around x) = Conv(x) with more padding; likewise for the weight's gradient. */
function withPadding(node: Tensor): Tensor {
  const x = nth(node.inputs, 0);
  if (x.op.name !== "Pad" || x.attrs["value"] !== 0) return node;
  const [before, after] = [x.attrs["before"], x.attrs["after"]];
  if (!Array.isArray(before) || !Array.isArray(after)) return node;
  if ([...before.slice(0, 2), ...after.slice(0, 2)].some((p) => p !== 0)) return node;
  const more = [...before.slice(2), ...after.slice(2)];
  const pads = convAttrsOf(node).pads.map((p, i) => p + at(more, i));
  return new Tensor(node.op, [nth(x.inputs, 0), ...node.inputs.slice(1)], { ...node.attrs, pads });
}

/** A kernel that covers the whole input once: [N, C K] [O, C K]^T. */
function asProduct(node: Tensor): Tensor | undefined {
  const [x, w] = [nth(node.inputs, 0), nth(node.inputs, 1)];
  const { pads, group } = convAttrsOf(node);
  const covers = sameShape(x.shape.slice(2), w.shape.slice(2)) && pads.every((p) => p === 0);
  if (!covers || group !== 1 || node.inputs.length > 2) return undefined;
  const [n, o] = [at(x.shape, 0), at(w.shape, 0)];
  return reshape(matmul(reshape(x, [n, -1]), reshape(w, [o, -1]), { transB: true }), node.shape);
}

/** A transposed convolution of one place: [N, I] [I, O K]. */
function transposedAsProduct(node: Tensor): Tensor | undefined {
  const [x, w] = [nth(node.inputs, 0), nth(node.inputs, 1)];
  const { pads, group } = convAttrsOf(node);
  const onePlace = x.shape.slice(2).every((d) => d === 1) && pads.every((p) => p === 0);
  if (!onePlace || group !== 1 || !sameShape(node.shape.slice(2), w.shape.slice(2))) {
    return undefined;
  }
  const [n, i] = [at(x.shape, 0), at(x.shape, 1)];
  return reshape(matmul(reshape(x, [n, i]), reshape(w, [i, -1])), node.shape);
}

/** conv(x, w) + b per channel, when nothing else needs the convolution alone. */
function withBias(
  node: Tensor,
  original: Tensor,
  uses: ReadonlyMap<Tensor, number>,
): Tensor | undefined {
  const [y, b] = [nth(node.inputs, 0), nth(node.inputs, 1)];
  const known = y.op.name === Conv.name || y.op.name === ConvTranspose.name;
  if (!known || y.inputs.length !== 2) return undefined;
  const channels = at(y.shape, 1);
  const perChannel = b.rank === y.rank - 1 && b.shape[0] === channels && b.size === channels;
  const alone = uses.get(nth(original.inputs, 0)) === 1;
  if (!perChannel || !alone) return undefined;
  return new Tensor(y.op, [...y.inputs, reshape(b, [channels])], y.attrs);
}

/** How often each node's result is needed. */
function countUses(graph: Graph): ReadonlyMap<Tensor, number> {
  const uses = new Map<Tensor, number>();
  const use = (t: Tensor): void => void uses.set(t, (uses.get(t) ?? 0) + 1);
  for (const node of topological(Object.values(graph.outputs))) node.inputs.forEach(use);
  Object.values(graph.outputs).forEach(use);
  return uses;
}

function convAttrsOf(node: Tensor): Pick<ConvAttrs, "pads" | "group"> {
  const { pads, group } = node.attrs;
  if (!Array.isArray(pads) || typeof group !== "number") {
    throw new TypeError(`${node.op.name} has no pads or group`);
  }
  return { pads, group };
}
