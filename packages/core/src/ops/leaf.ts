import {
  apply,
  defineOp,
  graphError,
  showShape,
  sizeOf,
  Tensor,
  type DType,
  type Shape,
} from "../ir.ts";
import { expand } from "./shape.ts";

export type LeafAttrs = { readonly dtype: DType; readonly shape: Shape };

/** y = a named value, fed from outside. */
export const Input = defineOp<LeafAttrs & { readonly name: string }>({
  name: "Input",
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  grad: "none",
  emit: (_e, node) => node.attrs.name,
  evaluate() {
    throw new TypeError("an Input has no value of its own");
  },
});

/** y = literal values. */
export const Const = defineOp<LeafAttrs>({
  name: "Const",
  infer: (_, { dtype, shape }) => ({ dtype, shape }),
  grad: "none",
  emit: (e, node) => e.constant(node, node.literal ?? []),
  evaluate: (_, node) => node.literal ?? new Float64Array(),
});

/** A named input of the graph. */
export function input(name: string, type: { dtype?: DType; shape: Shape }): Tensor {
  return apply(Input, [], { name, dtype: type.dtype ?? "float32", shape: type.shape });
}

/** Literal values, row-major. */
export function constant(values: ArrayLike<number>, type: { shape: Shape; dtype?: DType }): Tensor {
  if (values.length !== sizeOf(type.shape)) {
    throw graphError("constant", `${values.length} values for shape ${showShape(type.shape)}`);
  }
  const attrs = { dtype: type.dtype ?? "float32", shape: type.shape };
  return new Tensor(Const, [], attrs, Float64Array.from(values)) as unknown as Tensor;
}

/** One number, rank 0. */
export const scalar = (value: number, dtype: DType = "float32"): Tensor =>
  constant([value], { shape: [], dtype });

/** `shape` filled with one number; stored as a scalar. */
export const full = (shape: Shape, value: number): Tensor => expand(scalar(value), shape);
