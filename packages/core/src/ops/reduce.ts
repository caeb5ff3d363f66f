import {
  apply,
  axisOf,
  defineOp,
  demand,
  sizeOf,
  type NdArray,
  type OpDef,
  type Shape,
  type Tensor,
} from "../ir.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { broadcastIndices } from "./broadcast.ts";
import { stopGradient } from "./control.ts";
import { exp, log, sqrt, square } from "./elementwise.ts";
import { cast, equal } from "./logic.ts";
import { mapLines, nth } from "./nd.ts";
import { expand, reshape } from "./shape.ts";

type ReduceAttrs = { readonly axes: readonly number[]; readonly keep: boolean };

const keptShape = (shape: Shape, axes: readonly number[]): Shape =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d));

function reduction(o: {
  name: string;
  start: number;
  combine: (a: number, b: number) => number;
  grad: (g: Tensor, x: Tensor, y: Tensor) => Tensor;
}): OpDef<ReduceAttrs> {
  return defineOp<ReduceAttrs>({
    name: o.name,
    infer(inputs, { axes, keep }) {
      const x = nth(inputs, 0);
      if (x.dtype !== "int32") demand(o.name, "the operand", x, "float32");
      const shape = keptShape(x.shape, axes);
      return { dtype: x.dtype, shape: keep ? shape : shape.filter((_, i) => !axes.includes(i)) };
    },
    grad(g, node) {
      const x = nth(node.inputs, 0);
      const shape = keptShape(x.shape, node.attrs.axes);
      return [o.grad(reshape(g, shape), x, reshape(node, shape))];
    },
    emit: (e, { attrs }, inputs) =>
      e.node(o.name, [nth(inputs, 0), e.ints(attrs.axes)], {
        keepdims: { int: Number(attrs.keep) },
      })[0],
    evaluate: (inputs, node) => fold(nth(inputs, 0), node.attrs.axes, o.start, o.combine),
  });
}

function fold(
  x: NdArray,
  axes: readonly number[],
  start: number,
  combine: (a: number, b: number) => number,
): Float64Array {
  const kept = keptShape(x.shape, axes);
  const out = new Float64Array(sizeOf(kept)).fill(start);
  broadcastIndices(kept, x.shape).forEach((to, k) => {
    out[to] = combine(out[to] ?? start, x.data[k] ?? 0);
  });
  return out;
}

/** y = the sum of x over some axes. */
export const ReduceSum = reduction({
  name: "ReduceSum",
  start: 0,
  combine: (a, b) => a + b,
  grad: (g, x) => expand(g, x.shape),
});
/** y = the largest of x over some axes; the gradient is shared equally among ties. */
export const ReduceMax = reduction({
  name: "ReduceMax",
  start: -Infinity,
  combine: Math.max,
  grad: shareAmongTies,
});
/** y = the smallest of x over some axes; the gradient is shared equally among ties. */
export const ReduceMin = reduction({
  name: "ReduceMin",
  start: Infinity,
  combine: Math.min,
  grad: shareAmongTies,
});

function shareAmongTies(g: Tensor, x: Tensor, y: Tensor): Tensor {
  const mask = cast(equal(x, y), "float32");
  const axes = x.shape.flatMap((d, i) => (y.shape[i] === d ? [] : [i]));
  return mul(mask, div(g, sum(mask, { axes, keep: true })));
}

type CumSumAttrs = {
  readonly axis: number;
  readonly exclusive: boolean;
  readonly reverse: boolean;
};

/** y[i] = x[0] + ... + x[i] along an axis; without x[i] if exclusive, from the other end if reverse. */
export const CumSum = defineOp<CumSumAttrs>({
  name: "CumSum",
  infer(inputs) {
    const x = nth(inputs, 0);
    demand("CumSum", "the operand", x, "float32");
    return { dtype: x.dtype, shape: x.shape };
  },
  grad: (g, { attrs }) => [cumsum(g, { ...attrs, reverse: !attrs.reverse })],
  emit(e, { attrs }, inputs) {
    const options = {
      exclusive: { int: Number(attrs.exclusive) },
      reverse: { int: Number(attrs.reverse) },
    };
    return e.node("CumSum", [nth(inputs, 0), e.ints([attrs.axis], [])], options)[0];
  },
  evaluate(inputs, { attrs }) {
    return mapLines(nth(inputs, 0), attrs.axis, (line) => {
      const forward = attrs.reverse ? line.toReversed() : line;
      let total = 0;
      const sums = forward.map((v) => {
        const before = total;
        total += v;
        return attrs.exclusive ? before : total;
      });
      return attrs.reverse ? sums.toReversed() : sums;
    });
  },
});

/** What to reduce: all axes unless some are named (negative ones count from the end). */
export interface ReduceOptions {
  readonly axes?: readonly number[];
  /** Keeps reduced axes with extent 1. */
  readonly keep?: boolean;
}

function reduce(op: OpDef<ReduceAttrs>, x: Tensor, o: ReduceOptions): Tensor {
  const axes = axesOf(op.name, x, o.axes);
  return axes.length === 0 ? x : apply(op, [x], { axes, keep: o.keep ?? false });
}

function axesOf(op: string, x: Tensor, axes?: readonly number[]): number[] {
  const all = axes?.map((a) => axisOf(op, a, x.rank)) ?? x.shape.map((_, i) => i);
  return x.rank === 0 ? [] : [...new Set(all)].toSorted((a, b) => a - b);
}

const countOf = (x: Tensor, o: ReduceOptions): number =>
  sizeOf(axesOf("Reduce", x, o.axes).map((a) => x.shape[a] ?? 1));

/** Sum over axes. */
export const sum = (x: Tensor, o: ReduceOptions = {}): Tensor => reduce(ReduceSum, x, o);

/** Arithmetic mean over axes; a sum and a product. */
export function mean(x: Tensor, o: ReduceOptions = {}): Tensor {
  const n = countOf(x, o);
  return n === 1 ? sum(x, o) : mul(sum(x, o), 1 / n);
}

/** Mean squared deviation from the mean over axes; with `unbiased`, divided by n - 1. Composed. */
export function variance(
  x: Tensor,
  o: ReduceOptions & { readonly unbiased?: boolean } = {},
): Tensor {
  const centred = sub(x, mean(x, { ...o, keep: true }));
  const n = countOf(x, o) - (o.unbiased ? 1 : 0);
  return mul(sum(square(centred), o), 1 / n);
}

/** Largest value over axes. */
export const amax = (x: Tensor, o: ReduceOptions = {}): Tensor => reduce(ReduceMax, x, o);

/** Smallest value over axes. */
export const amin = (x: Tensor, o: ReduceOptions = {}): Tensor => reduce(ReduceMin, x, o);

/** Euclidean norm over axes; composed. Its gradient at 0 is not a number. */
export const norm2 = (x: Tensor, o: ReduceOptions = {}): Tensor => sqrt(sum(square(x), o));

/** log of the sum of exp over axes, without overflow; composed. */
export function logsumexp(x: Tensor, o: ReduceOptions = {}): Tensor {
  const top = stopGradient(amax(x, { ...o, keep: true }));
  const total = sum(exp(sub(x, top)), o);
  return add(log(total), reshape(top, total.shape));
}

/** Running sum along an axis. */
export function cumsum(
  x: Tensor,
  o: { readonly axis: number; readonly exclusive?: boolean; readonly reverse?: boolean },
): Tensor {
  const axis = axisOf("CumSum", o.axis, x.rank);
  return apply(CumSum, [x], { axis, exclusive: o.exclusive ?? false, reverse: o.reverse ?? false });
}
