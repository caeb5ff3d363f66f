import {
  apply,
  broadcastShapes,
  defineOp,
  demand,
  graphError,
  showShape,
  sizeOf,
  type Emitter,
  type NdArray,
  type Shape,
  type Tensor,
} from "../ir.ts";
import { broadcastIndices, sumTo } from "./broadcast.ts";
import { nth } from "./nd.ts";
import { reshape } from "./shape.ts";

type MatMulAttrs = { readonly transA: boolean; readonly transB: boolean };

/** Rows and columns of the last two axes, as used. */
function matrix(
  shape: Shape,
  transposed: boolean,
): { rows: number; columns: number; batch: Shape } {
  const [r = 1, c = 1] = shape.slice(-2);
  const [rows, columns] = transposed ? [c, r] : [r, c];
  return { rows, columns, batch: shape.slice(0, -2) };
}

const named = (shape: Shape, transposed: boolean): string =>
  `${showShape(shape)}${transposed ? " transposed" : ""}`;

/** C = op(A) op(B) over the last two axes, op transposing where asked; the axes before them broadcast. */
export const MatMul = defineOp<MatMulAttrs>({
  name: "MatMul",
  infer(inputs, { transA, transB }) {
    const [x, y] = [nth(inputs, 0), nth(inputs, 1)];
    demand("MatMul", "the first operand", x, "float32");
    demand("MatMul", "the second operand", y, "float32");
    const [a, b] = [matrix(x.shape, transA), matrix(y.shape, transB)];
    if (Math.min(x.shape.length, y.shape.length) < 2 || a.columns !== b.rows) {
      throw graphError(
        "MatMul",
        `${named(x.shape, transA)} does not multiply ${named(y.shape, transB)}`,
      );
    }
    const batch = broadcastShapes("MatMul", a.batch, b.batch);
    return { dtype: "float32", shape: [...batch, a.rows, b.columns] };
  },
  grad(g, node) {
    const [a, b] = [nth(node.inputs, 0), nth(node.inputs, 1)];
    const { transA, transB } = node.attrs;
    const ga = transA
      ? matmul(b, g, { transA: transB, transB: true })
      : matmul(g, b, { transB: !transB });
    const gb = transB
      ? matmul(g, a, { transA: true, transB: transA })
      : matmul(a, g, { transA: !transA });
    return [sumTo(ga, a.shape), sumTo(gb, b.shape)];
  },
  emit(e, node, inputs) {
    const { transA, transB } = node.attrs;
    const [a, b] = [nth(inputs, 0), nth(inputs, 1)];
    if (node.inputs.every((x) => x.rank === 2)) {
      const flags = { transA: { int: Number(transA) }, transB: { int: Number(transB) } };
      return e.node("Gemm", [a, b], flags)[0];
    }
    const left = transA ? swapLast(e, a, nth(node.inputs, 0).rank) : a;
    return e.node("MatMul", [left, transB ? swapLast(e, b, nth(node.inputs, 1).rank) : b])[0];
  },
  evaluate(inputs, node) {
    const [a, b] = [nth(inputs, 0), nth(inputs, 1)];
    return product(a, b, node.shape, node.attrs);
  },
});

function swapLast(e: Emitter, x: string, rank: number): string {
  const batch = Array.from({ length: rank - 2 }, (_, i) => i);
  const perm = [...batch, rank - 1, rank - 2];
  return e.node("Transpose", [x], { perm: { ints: perm } })[0];
}

function product(
  x: NdArray,
  y: NdArray,
  shape: Shape,
  { transA, transB }: MatMulAttrs,
): Float64Array {
  const [a, b] = [matrix(x.shape, transA), matrix(y.shape, transB)];
  const batch = shape.slice(0, -2);
  const ia = broadcastIndices(a.batch, batch);
  const ib = broadcastIndices(b.batch, batch);
  const [m, k, n] = [a.rows, a.columns, b.columns];
  const left = (i: number, r: number, c: number): number =>
    x.data[(ia[i] ?? 0) * m * k + (transA ? c * m + r : r * k + c)] ?? 0;
  const right = (i: number, r: number, c: number): number =>
    y.data[(ib[i] ?? 0) * k * n + (transB ? c * k + r : r * n + c)] ?? 0;
  return new Float64Array(sizeOf(shape)).map((_, at) => {
    const [i, r, c] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
    let total = 0;
    for (let j = 0; j < k; j++) total += left(i, r, j) * right(i, j, c);
    return total;
  });
}

/**
 * Matrix product over the last two axes, either operand transposed where asked; the axes before
 * them broadcast. a [..., M, K], b [..., K, N] -> [..., M, N].
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  o: { readonly transA?: boolean; readonly transB?: boolean } = {},
): Tensor {
  const attrs = { transA: o.transA ?? false, transB: o.transB ?? false };
  if (a.rank > 2 && b.rank === 2 && !attrs.transA) {
    const rows = reshape(a, [-1, a.shape.at(-1) ?? 1]); // one large product
    const y = apply(MatMul, [rows, b], attrs);
    return reshape(y, [...a.shape.slice(0, -1), y.shape[1] ?? 1]);
  }
  return apply(MatMul, [a, b], attrs);
}
