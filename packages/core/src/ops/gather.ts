import {
  apply,
  axisOf,
  defineOp,
  demand,
  graphError,
  sameShape,
  showShape,
  sizeOf,
  type Emitter,
  type Shape,
  type Tensor,
  type TensorType,
} from "../ir.ts";
import { nth, reader, tabulate, withAxis } from "./nd.ts";
import { transpose } from "./shape.ts";

// Indices are int32 and lie in 0 to n - 1. No gradient flows to them.

type AxisAttrs = { readonly axis: number };
type SizeAttrs = { readonly size: number };

/** y[a, i..., b] = x[a, indices[i...], b]: an axis of x gives way to those of `indices`. */
export const Gather = defineOp<AxisAttrs>({
  name: "Gather",
  infer(inputs, { axis }) {
    const [x, indices] = [nth(inputs, 0), nth(inputs, 1)];
    demand("Gather", "the index", indices, "int32");
    return { dtype: x.dtype, shape: x.shape.toSpliced(axis, 1, ...indices.shape) };
  },
  grad(g, node) {
    const [x, indices] = [nth(node.inputs, 0), nth(node.inputs, 1)];
    const { axis } = node.attrs;
    return [scatterAdd({ indices, updates: g, axis, size: x.shape[axis] ?? 1 }), null];
  },
  emit: (e, node, inputs) => e.node("Gather", inputs, { axis: { int: node.attrs.axis } })[0],
  evaluate(inputs, node) {
    const [x, index] = [reader(nth(inputs, 0)), reader(nth(inputs, 1))];
    const { axis } = node.attrs;
    const end = axis + nth(inputs, 1).shape.length;
    return tabulate(node.shape, (k) =>
      x([...k.slice(0, axis), index(k.slice(axis, end)), ...k.slice(end)]),
    );
  },
});

/** y[j, b] = the sum of updates[i..., b] over all i with indices[i...] = j: Gather's adjoint, on axis 0. */
export const ScatterAdd = defineOp<SizeAttrs>({
  name: "ScatterAdd",
  infer(inputs, { size }) {
    const [indices, updates] = [nth(inputs, 0), nth(inputs, 1)];
    demand("ScatterAdd", "the index", indices, "int32");
    demand("ScatterAdd", "what is added", updates, "float32");
    const rank = indices.shape.length;
    if (!sameShape(updates.shape.slice(0, rank), indices.shape)) {
      throw graphError("ScatterAdd", disagree(updates, indices));
    }
    return { dtype: updates.dtype, shape: [size, ...updates.shape.slice(rank)] };
  },
  grad: (g, node) => [null, gather(g, nth(node.inputs, 0), { axis: 0 })],
  emit(e, node, inputs) {
    const { size } = node.attrs;
    const m = nth(node.inputs, 0).size;
    const c = node.size / size;
    const indices = e.node("Reshape", [nth(inputs, 0), e.ints([m, 1])])[0];
    const updates = e.node("Reshape", [nth(inputs, 1), e.ints([m, c])])[0];
    const sums = size <= 32 ? sumByProduct : sumByScatter;
    return e.node("Reshape", [sums(e, indices, updates, { m, c, size }), e.ints(node.shape)])[0];
  },
  evaluate(inputs, node) {
    const [indices, updates] = [nth(inputs, 0), nth(inputs, 1)];
    const out = new Float64Array(sizeOf(node.shape));
    const row = sizeOf(node.shape.slice(1));
    updates.data.forEach((v, k) => {
      const to = (indices.data[Math.floor(k / row)] ?? 0) * row + (k % row);
      out[to] = (out[to] ?? 0) + v;
    });
    return out;
  },
});

/** y[a, i, b] = x[a, indices[a, i, b], b]; x and indices differ in extent along the axis alone. */
export const GatherElements = defineOp<AxisAttrs>({
  name: "GatherElements",
  infer(inputs, { axis }) {
    const [x, indices] = [nth(inputs, 0), nth(inputs, 1)];
    demand("GatherElements", "the index", indices, "int32");
    if (!sameShape(withAxis(x.shape, axis, 0), withAxis(indices.shape, axis, 0))) {
      throw graphError("GatherElements", disagree(x, indices));
    }
    return { dtype: x.dtype, shape: indices.shape };
  },
  grad(g, node) {
    const [x, indices] = [nth(node.inputs, 0), nth(node.inputs, 1)];
    const { axis } = node.attrs;
    return [scatterElements({ indices, updates: g, axis, size: x.shape[axis] ?? 1 }), null];
  },
  emit: (e, node, inputs) =>
    e.node("GatherElements", inputs, { axis: { int: node.attrs.axis } })[0],
  evaluate(inputs, node) {
    const [x, index] = [reader(nth(inputs, 0)), reader(nth(inputs, 1))];
    return tabulate(node.shape, (k) => x(k.map((i, a) => (a === node.attrs.axis ? index(k) : i))));
  },
});

/** y[a, j, b] = the sum of updates[a, i, b] over all i with indices[a, i, b] = j: GatherElements' adjoint. */
export const ScatterElements = defineOp<AxisAttrs & SizeAttrs>({
  name: "ScatterElements",
  infer(inputs, { axis, size }) {
    const [indices, updates] = [nth(inputs, 0), nth(inputs, 1)];
    demand("ScatterElements", "the index", indices, "int32");
    demand("ScatterElements", "what is added", updates, "float32");
    if (!sameShape(indices.shape, updates.shape)) {
      throw graphError("ScatterElements", disagree(updates, indices));
    }
    return { dtype: updates.dtype, shape: withAxis(updates.shape, axis, size) };
  },
  grad: (g, node) => [null, gatherElements(g, nth(node.inputs, 0), node.attrs)],
  emit(e, node, inputs) {
    const options = { axis: { int: node.attrs.axis }, reduction: { string: "add" } };
    return e.node("ScatterElements", [zeros(e, node.shape), ...inputs], options)[0];
  },
  evaluate(inputs, node) {
    const [index, update] = [reader(nth(inputs, 0)), reader(nth(inputs, 1))];
    const { axis } = node.attrs;
    const n = nth(inputs, 0).shape[axis] ?? 1;
    return tabulate(node.shape, (k) => {
      let total = 0;
      for (let i = 0; i < n; i++) {
        const from = k.with(axis, i);
        if (index(from) === k[axis]) total += update(from);
      }
      return total;
    });
  },
});

const disagree = (x: TensorType, indices: TensorType): string =>
  `shape ${showShape(x.shape)} does not go with an index of shape ${showShape(indices.shape)}`;

// ONNX Runtime's ScatterND would be faster than both forms below, but its CPU threads add without
// regard to each other: with repeated indices and two threads, sums come out wrong.

type Extents = { readonly m: number; readonly c: number; readonly size: number };

/** [M, 1], [M, C] -> [size, C] as a product with one-hot rows: the fastest way for a few places. */
function sumByProduct(e: Emitter, indices: string, updates: string, { size }: Extents): string {
  const places = Array.from({ length: size }, (_, i) => i);
  const axis = e.constant({ dtype: "int32", shape: [size] }, places);
  const hot = e.node("Cast", e.node("Equal", [indices, axis]), { to: { int: 1 } })[0]; // float32
  return e.node("Gemm", [hot, updates], { transA: { int: 1 } })[0];
}

/** [M, 1], [M, C] -> [size, C] with one thread; fastest along the last axis. */
function sumByScatter(
  e: Emitter,
  indices: string,
  updates: string,
  { m, c, size }: Extents,
): string {
  const turn = (x: string): string => e.node("Transpose", [x], { perm: { ints: [1, 0] } })[0];
  const index = e.node("Expand", [turn(indices), e.ints([c, m])])[0];
  const options = { axis: { int: 1 }, reduction: { string: "add" } };
  return turn(e.node("ScatterElements", [zeros(e, [c, size]), index, turn(updates)], options)[0]);
}

const zeros = (e: Emitter, shape: Shape): string =>
  e.node("Expand", [e.constant({ dtype: "float32", shape: [] }, [0]), e.ints(shape)])[0];

/** Picks entries of an axis by an index (int32) of any shape, whose axes take that axis's place. */
export function gather(x: Tensor, indices: Tensor, o: { readonly axis: number }): Tensor {
  return apply(Gather, [x, indices], { axis: axisOf("Gather", o.axis, x.rank) });
}

/**
 * The adjoint of `gather`: zeros of extent `size` along the axis, plus the updates, each added where
 * its index points; what falls on one place is summed.
 */
export function scatterAdd(o: {
  readonly indices: Tensor;
  readonly updates: Tensor;
  readonly axis: number;
  readonly size: number;
}): Tensor {
  const { indices, updates, size } = o;
  const axis = axisOf("ScatterAdd", o.axis, updates.rank - indices.rank + 1);
  const order = updates.shape.map((_, i) => i);
  const [before, places, after] = [
    order.slice(0, axis),
    order.slice(axis, axis + indices.rank),
    order.slice(axis + indices.rank),
  ];
  const y = apply(ScatterAdd, [indices, transpose(updates, [...places, ...before, ...after])], {
    size,
  });
  const axes = y.shape.map((_, i) => i);
  return transpose(y, [...axes.slice(1, axis + 1), 0, ...axes.slice(axis + 1)]);
}

/** Picks one entry of an axis for each element of `indices`, whose other extents are those of x. */
export function gatherElements(x: Tensor, indices: Tensor, o: { readonly axis: number }): Tensor {
  return apply(GatherElements, [x, indices], { axis: axisOf("GatherElements", o.axis, x.rank) });
}

/** The adjoint of `gatherElements`: zeros of extent `size` along the axis, plus the updates. */
export function scatterElements(o: {
  readonly indices: Tensor;
  readonly updates: Tensor;
  readonly axis: number;
  readonly size: number;
}): Tensor {
  const axis = axisOf("ScatterElements", o.axis, o.updates.rank);
  return apply(ScatterElements, [o.indices, o.updates], { axis, size: o.size });
}
