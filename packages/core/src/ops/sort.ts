import { apply, axisOf, defineOp, demand, graphError, showShape, type Tensor } from "../ir.ts";
import { gatherElements } from "./gather.ts";
import { mapLines, nth, withAxis } from "./nd.ts";

type TopKAttrs = { readonly axis: number; readonly k: number; readonly largest: boolean };

/** y = the indices of the k largest (or smallest) along an axis, best first; of equals the lower index. */
export const TopK = defineOp<TopKAttrs>({
  name: "TopK",
  infer(inputs, { axis, k }) {
    const x = nth(inputs, 0);
    demand("TopK", "the operand", x, "float32");
    if (!Number.isInteger(k) || k < 1 || k > (x.shape[axis] ?? 1)) {
      throw graphError(
        "TopK",
        `k is ${k}, not 1 to the extent of axis ${axis} of ${showShape(x.shape)}`,
      );
    }
    return { dtype: "int32", shape: withAxis(x.shape, axis, k) };
  },
  grad: "none",
  emit(e, { attrs }, inputs) {
    const options = { axis: { int: attrs.axis }, largest: { int: Number(attrs.largest) } };
    const [, indices = ""] = e.node("TopK", [nth(inputs, 0), e.ints([attrs.k])], options, {
      outputs: 2,
    });
    return e.node("Cast", [indices], { to: { int: 6 } })[0]; // int32
  },
  evaluate(inputs, { attrs }) {
    const sign = attrs.largest ? -1 : 1;
    return mapLines(nth(inputs, 0), attrs.axis, (line) =>
      Array.from(line.keys())
        .toSorted((i, j) => sign * ((line[i] ?? 0) - (line[j] ?? 0)) || i - j)
        .slice(0, attrs.k),
    );
  },
});

/** y = the index of the largest along an axis, which is removed; of equals the lowest. */
export const ArgMax = defineOp<{ readonly axis: number }>({
  name: "ArgMax",
  infer(inputs, { axis }) {
    const x = nth(inputs, 0);
    demand("ArgMax", "the operand", x, "float32");
    return { dtype: "int32", shape: x.shape.toSpliced(axis, 1) };
  },
  grad: "none",
  emit(e, { attrs }, inputs) {
    const options = { axis: { int: attrs.axis }, keepdims: { int: 0 } };
    return e.node("Cast", e.node("ArgMax", inputs, options), { to: { int: 6 } })[0]; // int32
  },
  evaluate: (inputs, { attrs }) =>
    mapLines(nth(inputs, 0), attrs.axis, (line) => [line.indexOf(Math.max(...line))]),
});

/** Values along an axis with the places (int32) that they came from. */
export interface Ranked {
  /** Differentiable: picked by the indices, which are not. */
  readonly values: Tensor;
  readonly indices: Tensor;
}

/** The k largest (or smallest) along an axis, best first; of equals the one with the lower index. */
export function topK(
  x: Tensor,
  o: { readonly k: number; readonly axis: number; readonly largest?: boolean },
): Ranked {
  const axis = axisOf("TopK", o.axis, x.rank);
  const indices = apply(TopK, [x], { axis, k: o.k, largest: o.largest ?? true });
  return { values: gatherElements(x, indices, { axis }), indices };
}

/** Sorts an axis, the smallest first unless `descending`; equals keep their order. */
export function sort(
  x: Tensor,
  o: { readonly axis: number; readonly descending?: boolean },
): Ranked {
  const axis = axisOf("Sort", o.axis, x.rank);
  return topK(x, { k: x.shape[axis] ?? 1, axis, largest: o.descending ?? false });
}

/** The index (int32) of the largest along an axis, which is removed; of equals the lowest. */
export const argmax = (x: Tensor, axis: number): Tensor =>
  apply(ArgMax, [x], { axis: axisOf("ArgMax", axis, x.rank) });
