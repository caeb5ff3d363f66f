import {
  apply,
  axisOf,
  defineOp,
  graphError,
  sameShape,
  showShape,
  sizeOf,
  type Shape,
  type Tensor,
  type TensorType,
} from "../ir.ts";
import { broadcastIndices, sumTo } from "./broadcast.ts";
import { nth, reader, tabulate, withAxis } from "./nd.ts";

type ShapeAttrs = { readonly shape: Shape };

/** y = the elements of x, row-major, in another shape. */
export const Reshape = defineOp<ShapeAttrs>({
  name: "Reshape",
  infer(inputs, { shape }) {
    const x = nth(inputs, 0);
    if (sizeOf(shape) !== sizeOf(x.shape)) {
      throw graphError("Reshape", `${showShape(x.shape)} does not fill ${showShape(shape)}`);
    }
    return { dtype: x.dtype, shape };
  },
  grad: (g, node) => [reshape(g, nth(node.inputs, 0).shape)],
  emit: (e, node, inputs) => e.node("Reshape", [nth(inputs, 0), e.ints(node.shape)])[0],
  evaluate: (inputs) => nth(inputs, 0).data,
});

/** y[i...] = x[j...] with i[k] = j[perm[k]]. */
export const Transpose = defineOp<{ readonly perm: readonly number[] }>({
  name: "Transpose",
  infer(inputs, { perm }) {
    const x = nth(inputs, 0);
    const axes = perm.toSorted((a, b) => a - b);
    if (perm.length !== x.shape.length || axes.some((a, i) => a !== i)) {
      throw graphError("Transpose", `[${perm.join(", ")}] does not permute ${showShape(x.shape)}`);
    }
    return { dtype: x.dtype, shape: perm.map((a) => x.shape[a] ?? 1) };
  },
  grad: (g, node) => [transpose(g, inverse(node.attrs.perm))],
  emit: (e, node, inputs) => e.node("Transpose", inputs, { perm: { ints: node.attrs.perm } })[0],
  evaluate(inputs, node) {
    const at = reader(nth(inputs, 0));
    const back = inverse(node.attrs.perm);
    return tabulate(node.shape, (index) => at(back.map((k) => index[k] ?? 0)));
  },
});

const inverse = (perm: readonly number[]): number[] => perm.map((_, i) => perm.indexOf(i));

/** y = x, repeated along the axes on which x has extent 1 or none. */
export const Expand = defineOp<ShapeAttrs>({
  name: "Expand",
  infer(inputs, { shape }) {
    const x = nth(inputs, 0);
    const offset = shape.length - x.shape.length;
    if (offset < 0 || x.shape.some((d, i) => d !== 1 && d !== shape[offset + i])) {
      throw graphError("Expand", `${showShape(x.shape)} does not expand to ${showShape(shape)}`);
    }
    return { dtype: x.dtype, shape };
  },
  grad: (g, node) => [sumTo(g, nth(node.inputs, 0).shape)],
  emit: (e, node, inputs) => e.node("Expand", [nth(inputs, 0), e.ints(node.shape)])[0],
  evaluate(inputs, node) {
    const x = nth(inputs, 0);
    return Float64Array.from(broadcastIndices(x.shape, node.shape), (i) => x.data[i] ?? 0);
  },
});

type SliceAttrs = {
  readonly axis: number;
  readonly start: number;
  readonly count: number;
  readonly step: number;
};

/** y = x[start + step i] along an axis, for i = 0 to count - 1. */
export const Slice = defineOp<SliceAttrs>({
  name: "Slice",
  infer(inputs, { axis, start, count, step }) {
    const x = nth(inputs, 0);
    const extent = x.shape[axis] ?? 0;
    const last = start + step * (count - 1);
    const inside = (i: number): boolean => Number.isInteger(i) && i >= 0 && i < extent;
    if (!(count >= 1) || !Number.isInteger(step) || step === 0 || !inside(start) || !inside(last)) {
      throw graphError(
        "Slice",
        `${count} elements from ${start} on, ${step} apart, do not lie within axis ${axis} of ${showShape(x.shape)}`,
      );
    }
    return { dtype: x.dtype, shape: withAxis(x.shape, axis, count) };
  },
  grad: (g, node) => [unslice(g, node.attrs, nth(node.inputs, 0).shape[node.attrs.axis] ?? 1)],
  emit(e, node, inputs) {
    const { axis, start, count, step } = node.attrs;
    const end = start + step * count;
    const first = [nth(inputs, 0), e.ints([start]), e.ints([end < 0 ? -(2 ** 31) : end])];
    return e.node("Slice", [...first, e.ints([axis]), ...(step === 1 ? [] : [e.ints([step])])])[0];
  },
  evaluate(inputs, node) {
    const at = reader(nth(inputs, 0));
    const { axis, start, step } = node.attrs;
    return tabulate(node.shape, (index) =>
      at(index.map((i, k) => (k === axis ? start + step * i : i))),
    );
  },
});

/** The adjoint of a slice: g where it was taken from an axis of `extent`, zeros between and around. */
function unslice(g: Tensor, { axis, start, count, step }: SliceAttrs, extent: number): Tensor {
  if (step < 0) {
    const forward = { axis, start: start + step * (count - 1), count, step: -step };
    return unslice(flip(g, axis), forward, extent);
  }
  const spread = interleaveZeros(g, axis, step); // extent count * step along the axis
  const room = extent - start;
  const fitting = count * step > room ? slice(spread, { axis, end: room }) : spread;
  const length = fitting.shape[axis] ?? 1;
  return padAxis(fitting, axis, start, room - length);
}

/** Puts step - 1 zeros after every element along an axis. */
function interleaveZeros(x: Tensor, axis: number, step: number): Tensor {
  if (step === 1) return x;
  const padded = padAxis(unsqueeze(x, axis + 1), axis + 1, 0, step - 1);
  return reshape(padded, withAxis(x.shape, axis, (x.shape[axis] ?? 1) * step));
}

function padAxis(x: Tensor, axis: number, before: number, after: number): Tensor {
  const only = (n: number): number[] => x.shape.map((_, i) => (i === axis ? n : 0));
  return zeroPad(x, { before: only(before), after: only(after) });
}

/** y = the operands one after the other along an axis. */
export const Concat = defineOp<{ readonly axis: number }>({
  name: "Concat",
  infer(inputs, { axis }) {
    const [first, ...rest] = inputs;
    if (!first) throw graphError("Concat", "there is nothing to concatenate");
    for (const x of rest) {
      const alike = x.shape.length === first.shape.length && x.dtype === first.dtype;
      if (!alike || !sameShape(withAxis(x.shape, axis, 0), withAxis(first.shape, axis, 0))) {
        const [a, b] = [first, x].map((t: TensorType) => `${t.dtype} ${showShape(t.shape)}`);
        throw graphError("Concat", `${a} and ${b} differ elsewhere than along axis ${axis}`);
      }
    }
    const extent = inputs.reduce((n, x) => n + (x.shape[axis] ?? 0), 0);
    return { dtype: first.dtype, shape: withAxis(first.shape, axis, extent) };
  },
  grad(g, node) {
    const { axis } = node.attrs;
    return split(
      g,
      node.inputs.map((x) => x.shape[axis] ?? 0),
      axis,
    );
  },
  emit: (e, node, inputs) => e.node("Concat", inputs, { axis: { int: node.attrs.axis } })[0],
  evaluate(inputs, node) {
    const { axis } = node.attrs;
    const readers = inputs.map((x) => ({ at: reader(x), extent: x.shape[axis] ?? 0 }));
    return tabulate(node.shape, (index) => {
      let i = index[axis] ?? 0;
      for (const { at, extent } of readers) {
        if (i < extent) return at(index.map((j, k) => (k === axis ? i : j)));
        i -= extent;
      }
      return 0;
    });
  },
});

type PadAttrs = {
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly value: number;
};

/** y = x with `before` and `after` elements of `value` added at the ends of each axis. */
export const Pad = defineOp<PadAttrs>({
  name: "Pad",
  infer(inputs, { before, after }) {
    const x = nth(inputs, 0);
    const bad = [...before, ...after].some((n) => !Number.isInteger(n) || n < 0);
    if (bad || before.length !== x.shape.length || after.length !== x.shape.length) {
      const given = `before [${before.join(", ")}] and after [${after.join(", ")}]`;
      throw graphError(
        "Pad",
        `${given} are not one count of 0 or more per axis of ${showShape(x.shape)}`,
      );
    }
    return { dtype: x.dtype, shape: x.shape.map((d, i) => (before[i] ?? 0) + d + (after[i] ?? 0)) };
  },
  grad(g, node) {
    const { shape } = nth(node.inputs, 0);
    return [
      node.attrs.before.reduce(
        (y, start, axis) => slice(y, { axis, start, end: start + (shape[axis] ?? 1) }),
        g,
      ),
    ];
  },
  emit(e, node, inputs) {
    const { before, after, value } = node.attrs;
    const fill = value === 0 ? [] : [e.constant({ dtype: node.dtype, shape: [] }, [value])];
    return e.node("Pad", [nth(inputs, 0), e.ints([...before, ...after]), ...fill])[0];
  },
  evaluate(inputs, node) {
    const x = nth(inputs, 0);
    const at = reader(x);
    const { before, value } = node.attrs;
    return tabulate(node.shape, (index) => {
      const from = index.map((i, k) => i - (before[k] ?? 0));
      return from.every((i, k) => i >= 0 && i < (x.shape[k] ?? 0)) ? at(from) : value;
    });
  },
});

/** The same elements, row-major, in another shape, in which one extent may be -1: what remains. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  const known = sizeOf(shape.filter((d) => d !== -1));
  if (shape.filter((d) => d === -1).length > 1 || (shape.includes(-1) && x.size % known !== 0)) {
    throw graphError("Reshape", `${showShape(x.shape)} does not fill ${showShape(shape)}`);
  }
  const full = shape.map((d) => (d === -1 ? x.size / known : d));
  return sameShape(full, x.shape) ? x : apply(Reshape, [x], { shape: full });
}

/** Reorders axes: axis k of the result is axis perm[k] of x. */
export function transpose(x: Tensor, perm: readonly number[]): Tensor {
  const axes = perm.map((a) => axisOf("Transpose", a, x.rank));
  const identity = axes.length === x.rank && axes.every((a, i) => a === i);
  return identity ? x : apply(Transpose, [x], { perm: axes });
}

/** Repeats x to `shape` by NumPy's broadcasting. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return sameShape(x.shape, shape) ? x : apply(Expand, [x], { shape });
}

/** One axis of a tensor, from `start` up to and without `end`; negative numbers count from the end. */
export interface SliceOptions {
  readonly axis: number;
  /** The first element unless said otherwise (the last, when step is negative). */
  readonly start?: number;
  /** All the way unless said otherwise. */
  readonly end?: number;
  /** 1 unless said otherwise; negative steps walk backwards. */
  readonly step?: number;
}

/** Every step-th element of an axis, as NumPy's x[start:end:step], but bounds must lie within. */
export function slice(x: Tensor, o: SliceOptions): Tensor {
  const axis = axisOf("Slice", o.axis, x.rank);
  const extent = x.shape[axis] ?? 1;
  const step = o.step ?? 1;
  const fromEnd = (i: number): number => (i < 0 ? i + extent : i);
  const start = o.start === undefined ? (step > 0 ? 0 : extent - 1) : fromEnd(o.start);
  const end = o.end === undefined ? (step > 0 ? extent : -1) : fromEnd(o.end);
  const count = Math.ceil((end - start) / step);
  if (start === 0 && step === 1 && count === extent) return x;
  return apply(Slice, [x], { axis, start, count, step });
}

/** One tensor of several, one after the other along an axis. */
export function concat(xs: readonly Tensor[], axis: number): Tensor {
  const only = xs.length === 1 ? xs[0] : undefined;
  // a copy, as the caller's array may change
  return only ?? apply(Concat, [...xs], { axis: axisOf("Concat", axis, xs[0]?.rank ?? 0) });
}

/** Cuts an axis into pieces of the given sizes, which must fill it. Composed of slices. */
export function split(x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  const a = axisOf("Split", axis, x.rank);
  if (sizes.reduce((n, d) => n + d, 0) !== x.shape[a]) {
    throw graphError(
      "Split",
      `sizes [${sizes.join(", ")}] do not fill axis ${a} of ${showShape(x.shape)}`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const part = slice(x, { axis: a, start, end: start + size });
    start += size;
    return part;
  });
}

/** Tensors of one shape, side by side along a new axis. */
export const stack = (xs: readonly Tensor[], axis: number): Tensor =>
  concat(
    xs.map((x) => unsqueeze(x, axis)),
    axis,
  );

/** Adds an axis of extent 1 so that it has index `axis` in the result. */
export function unsqueeze(x: Tensor, axis: number): Tensor {
  const a = axisOf("Unsqueeze", axis, x.rank + 1);
  return reshape(x, x.shape.toSpliced(a, 0, 1));
}

/** Removes an axis of extent 1. */
export function squeeze(x: Tensor, axis: number): Tensor {
  const a = axisOf("Squeeze", axis, x.rank);
  if (x.shape[a] !== 1) {
    throw graphError("Squeeze", `axis ${a} of ${showShape(x.shape)} has more than one element`);
  }
  return reshape(x, x.shape.toSpliced(a, 1));
}

/** Reverses an axis. */
export const flip = (x: Tensor, axis: number): Tensor => slice(x, { axis, step: -1 });

/** Adds elements of `value` (0 unless said otherwise) at both ends of every axis; counts of 0 or more. */
export function zeroPad(
  x: Tensor,
  o: {
    readonly before: readonly number[];
    readonly after: readonly number[];
    readonly value?: number;
  },
): Tensor {
  const none = o.before.length === x.rank && [...o.before, ...o.after].every((n) => n === 0);
  return none ? x : apply(Pad, [x], { before: o.before, after: o.after, value: o.value ?? 0 });
}
