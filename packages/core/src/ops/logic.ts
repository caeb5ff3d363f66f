import {
  apply,
  broadcastShapes,
  defineOp,
  demand,
  graphError,
  type DType,
  type OpDef,
  type Tensor,
} from "../ir.ts";
import { mul, operands, zip, type Operand } from "./arithmetic.ts";
import { broadcastIndices, sumTo } from "./broadcast.ts";
import { constant } from "./leaf.ts";
import { nth } from "./nd.ts";
import { unsqueeze } from "./shape.ts";

/** y = whether f holds, element by element, with broadcasting. */
function comparison(name: string, f: (a: number, b: number) => boolean): OpDef {
  return defineOp({
    name,
    infer([a, b]) {
      if (!a || !b || a.dtype !== b.dtype || (a.dtype !== "float32" && a.dtype !== "int32")) {
        throw graphError(name, `operands are ${a?.dtype} and ${b?.dtype}`, "Cast one of them.");
      }
      return { dtype: "bool", shape: broadcastShapes(name, a.shape, b.shape) };
    },
    grad: "none",
    emit: (e, _, inputs) => e.node(name, inputs)[0],
    evaluate: ([a, b], node) => zip((x, y) => Number(f(x, y)), a, b, node.shape),
  });
}

function connective(name: string, f: (a: number, b: number) => number): OpDef {
  return defineOp({
    name,
    infer(inputs) {
      const [a, b] = [nth(inputs, 0), nth(inputs, 1)];
      demand(name, "the first operand", a, "bool");
      demand(name, "the second operand", b, "bool");
      return { dtype: "bool", shape: broadcastShapes(name, a.shape, b.shape) };
    },
    grad: "none",
    emit: (e, _, inputs) => e.node(name, inputs)[0],
    evaluate: ([a, b], node) => zip(f, a, b, node.shape),
  });
}

/** y = (a = b). */
export const Equal = comparison("Equal", (a, b) => a === b);
/** y = (a < b). */
export const Less = comparison("Less", (a, b) => a < b);
/** y = (a <= b). */
export const LessOrEqual = comparison("LessOrEqual", (a, b) => a <= b);
/** y = (a > b). */
export const Greater = comparison("Greater", (a, b) => a > b);
/** y = (a >= b). */
export const GreaterOrEqual = comparison("GreaterOrEqual", (a, b) => a >= b);
/** y = a and b. */
export const And = connective("And", (a, b) => a * b);
/** y = a or b. */
export const Or = connective("Or", Math.max);

/** y = not a. */
export const Not = defineOp({
  name: "Not",
  infer(inputs) {
    demand("Not", "the operand", inputs[0], "bool");
    return { dtype: "bool", shape: nth(inputs, 0).shape };
  },
  grad: "none",
  emit: (e, _, inputs) => e.node("Not", inputs)[0],
  evaluate: (inputs) => nth(inputs, 0).data.map((a) => 1 - a),
});

/** y = a where the condition holds, b elsewhere, with broadcasting. */
export const Where = defineOp({
  name: "Where",
  infer(inputs) {
    const [condition, a, b] = [nth(inputs, 0), nth(inputs, 1), nth(inputs, 2)];
    demand("Where", "the condition", condition, "bool");
    if (a.dtype !== b.dtype || a.dtype === "bool") {
      throw graphError("Where", `the choices are ${a.dtype} and ${b.dtype}`, "Cast one of them.");
    }
    const shape = broadcastShapes("Where", a.shape, b.shape);
    return { dtype: a.dtype, shape: broadcastShapes("Where", condition.shape, shape) };
  },
  grad(g, node) {
    const [condition, a, b] = [nth(node.inputs, 0), nth(node.inputs, 1), nth(node.inputs, 2)];
    return [null, sumTo(where(condition, g, 0), a.shape), sumTo(where(condition, 0, g), b.shape)];
  },
  emit: (e, _, inputs) => e.node("Where", inputs)[0],
  evaluate(inputs, node) {
    const [condition, a, b] = [nth(inputs, 0), nth(inputs, 1), nth(inputs, 2)];
    const ia = broadcastIndices(a.shape, node.shape);
    const ib = broadcastIndices(b.shape, node.shape);
    return Float64Array.from(broadcastIndices(condition.shape, node.shape), (i, k) =>
      condition.data[i] ? (a.data[ia[k] ?? 0] ?? NaN) : (b.data[ib[k] ?? 0] ?? NaN),
    );
  },
});

// The numbers of ONNX's TensorProto.DataType.
const onnxType: Record<DType, number> = { float32: 1, uint8: 2, int32: 6, bool: 9 };

/**
 * y = x as another type: fractions are cut off towards 0, true is 1, any number but 0 is true.
 * Numbers that the type does not hold give anything.
 */
export const Cast = defineOp<{ readonly to: DType }>({
  name: "Cast",
  infer: (inputs, { to }) => ({ dtype: to, shape: nth(inputs, 0).shape }),
  grad: "none",
  emit: (e, { attrs }, inputs) => e.node("Cast", inputs, { to: { int: onnxType[attrs.to] } })[0],
  evaluate(inputs, { attrs }) {
    const { data } = nth(inputs, 0);
    if (attrs.to === "bool") return data.map((v) => Number(v !== 0));
    return attrs.to === "float32" ? data : data.map(Math.trunc);
  },
});

type ClipAttrs = { readonly min?: number; readonly max?: number };

/** y = min(max(x, lo), hi); the gradient flows where lo <= x <= hi. */
export const Clip = defineOp<ClipAttrs>({
  name: "Clip",
  infer(inputs, { min = -Infinity, max = Infinity }) {
    const x = nth(inputs, 0);
    demand("Clip", "the operand", x, "float32");
    if (!(min <= max)) throw graphError("Clip", `min ${min} is above max ${max}`);
    return { dtype: x.dtype, shape: x.shape };
  },
  grad(g, node) {
    const x = nth(node.inputs, 0);
    const { min, max } = node.attrs;
    const above = min === undefined ? [] : [greaterOrEqual(x, min)];
    const below = max === undefined ? [] : [lessOrEqual(x, max)];
    return [[...above, ...below].reduce((y, mask) => mul(y, cast(mask, "float32")), g)];
  },
  emit(e, { attrs }, inputs) {
    const bound = (v: number | undefined): string =>
      v === undefined ? "" : e.constant({ dtype: "float32", shape: [] }, [v]);
    return e.node("Clip", [nth(inputs, 0), bound(attrs.min), bound(attrs.max)])[0];
  },
  evaluate(inputs, { attrs: { min = -Infinity, max = Infinity } }) {
    return nth(inputs, 0).data.map((v) => Math.min(Math.max(v, min), max));
  },
});

type Compare = (a: Operand, b: Operand) => Tensor;
const compare =
  (op: OpDef): Compare =>
  (a, b) =>
    apply(op, operands(a, b), {});
export const equal: Compare = compare(Equal);
export const less: Compare = compare(Less);
export const lessOrEqual: Compare = compare(LessOrEqual);
export const greater: Compare = compare(Greater);
export const greaterOrEqual: Compare = compare(GreaterOrEqual);
/** Composed of `not` and `equal`. */
export const notEqual: Compare = (a, b) => not(equal(a, b));
export const and = (a: Tensor, b: Tensor): Tensor => apply(And, [a, b], {});
export const or = (a: Tensor, b: Tensor): Tensor => apply(Or, [a, b], {});
export const not = (a: Tensor): Tensor => apply(Not, [a], {});

/** a where `condition` (bool) holds, b elsewhere; all three broadcast. */
export const where = (condition: Tensor, a: Operand, b: Operand): Tensor =>
  apply(Where, [condition, ...operands(a, b)], {});

/** x as another type: fractions are cut off towards 0, true is 1, any number but 0 is true. */
export const cast = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : apply(Cast, [x], { to: dtype });

/** x held within bounds, either of which may be left out. */
export function clamp(x: Tensor, o: { readonly min?: number; readonly max?: number }): Tensor {
  return apply(Clip, [x], o);
}

/** float32 [..., depth]: 1 at the place that an index (int32, 0 to depth - 1) names, 0 elsewhere. Composed. */
export function oneHot(indices: Tensor, o: { readonly depth: number }): Tensor {
  demand("oneHot", "the operand", indices, "int32");
  const places = Array.from({ length: o.depth }, (_, i) => i);
  const axis = constant(places, { shape: [o.depth], dtype: "int32" });
  return cast(equal(unsqueeze(indices, -1), axis), "float32");
}
