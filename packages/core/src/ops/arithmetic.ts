import {
  apply,
  broadcastShapes,
  defineOp,
  graphError,
  type NdArray,
  type OpDef,
  type Shape,
  type Tensor,
} from "../ir.ts";
import { broadcastIndices, sumTo } from "./broadcast.ts";
import { log } from "./elementwise.ts";
import { scalar } from "./leaf.ts";
import { cast, greater, greaterOrEqual, where } from "./logic.ts";
import { nth } from "./nd.ts";

/** A number may stand wherever a tensor is expected. */
export type Operand = Tensor | number;

type Binary = (a: number, b: number) => number;
type BinaryGrad = (
  g: Tensor,
  a: Tensor,
  b: Tensor,
  y: Tensor,
) => readonly [Tensor | null, Tensor | null];

/** y = f(a, b) element by element, with NumPy's broadcasting. */
function binary(name: string, f: Binary, rule: BinaryGrad): OpDef {
  return defineOp({
    name,
    infer([a, b]) {
      if (!a || !b || a.dtype !== b.dtype || (a.dtype !== "float32" && a.dtype !== "int32")) {
        throw graphError(name, `operands are ${a?.dtype} and ${b?.dtype}`, "Cast one of them.");
      }
      return { dtype: a.dtype, shape: broadcastShapes(name, a.shape, b.shape) };
    },
    grad(g, node) {
      const [a, b] = [nth(node.inputs, 0), nth(node.inputs, 1)];
      const [ga, gb] = rule(g, a, b, node);
      return [ga && sumTo(ga, a.shape), gb && sumTo(gb, b.shape)];
    },
    emit: (e, _, inputs) => e.node(name, inputs)[0],
    evaluate([a, b], node) {
      const y = zip(f, a, b, node.shape);
      return node.dtype === "int32" ? y.map(Math.trunc) : y;
    },
  });
}

/** f over two broadcast arrays. */
export function zip(f: Binary, a: NdArray | undefined, b: NdArray | undefined, shape: Shape) {
  if (!a || !b) throw new TypeError("two operands are needed");
  const ia = broadcastIndices(a.shape, shape);
  const ib = broadcastIndices(b.shape, shape);
  return Float64Array.from(ia, (i, k) => f(a.data[i] ?? NaN, b.data[ib[k] ?? 0] ?? NaN));
}

/** y = a + b. */
export const Add = binary(
  "Add",
  (a, b) => a + b,
  (g) => [g, g],
);
/** y = a - b. */
export const Sub = binary(
  "Sub",
  (a, b) => a - b,
  (g) => [g, neg(g)],
);
/** y = a b; the gradient of a square is gathered into one term. */
export const Mul = binary(
  "Mul",
  (a, b) => a * b,
  (g, a, b) => (a === b ? [mul(mul(g, 2), a), null] : [mul(g, b), mul(g, a)]),
);
/** y = a / b (int32: cut off towards 0); dy/da = 1/b, dy/db = -y/b. */
export const Div = binary(
  "Div",
  (a, b) => a / b,
  (g, _a, b, y) => {
    const ga = div(g, b);
    return [ga, neg(mul(ga, y))];
  },
);
/** y = a^b; dy/da = b a^(b-1), dy/db = y log a, taken as 0 where a <= 0. */
export const Pow = binary(
  "Pow",
  (a, b) => a ** b,
  (g, a, b, y) => [
    mul(g, mul(b, pow(a, sub(b, 1)))),
    mul(g, where(greater(a, 0), mul(y, log(where(greater(a, 0), a, 1))), 0)),
  ],
);
/** y = max(a, b); at a tie the gradient goes to a. */
export const Max = binary("Max", Math.max, (g, a, b) => choose(g, greaterOrEqual(a, b)));
/** y = min(a, b); at a tie the gradient goes to a. */
export const Min = binary("Min", Math.min, (g, a, b) => choose(g, greaterOrEqual(b, a)));

function choose(g: Tensor, first: Tensor): readonly [Tensor, Tensor] {
  const mask = cast(first, "float32");
  return [mul(g, mask), mul(g, sub(1, mask))];
}

/** Two operands as tensors; a number takes the dtype of the other. */
export function operands(a: Operand, b: Operand): [Tensor, Tensor] {
  const like = typeof a === "number" ? (typeof b === "number" ? "float32" : b.dtype) : a.dtype;
  const operand = (x: Operand): Tensor => (typeof x === "number" ? scalar(x, like) : x);
  return [operand(a), operand(b)];
}

type BinaryCall = (a: Operand, b: Operand) => Tensor;
const call =
  (op: OpDef): BinaryCall =>
  (a, b) =>
    apply(op, operands(a, b), {});
export const add: BinaryCall = call(Add);
export const sub: BinaryCall = call(Sub);
export const mul: BinaryCall = call(Mul);
export const div: BinaryCall = call(Div);
export const pow: BinaryCall = call(Pow);
export const max: BinaryCall = call(Max);
export const min: BinaryCall = call(Min);
/** -x. */
export const neg = (x: Tensor): Tensor => mul(x, -1);
