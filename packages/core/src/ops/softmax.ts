import { apply, axisOf, defineOp, demand, type OpDef, type Tensor } from "../ir.ts";
import { mul, sub } from "./arithmetic.ts";
import { exp } from "./elementwise.ts";
import { mapLines, nth } from "./nd.ts";
import { sum } from "./reduce.ts";

type AxisAttrs = { readonly axis: number };

function alongAxis(
  name: string,
  line: (x: Float64Array) => Float64Array,
  rule: (g: Tensor, y: Tensor, axes: { axes: number[]; keep: true }) => Tensor,
): OpDef<AxisAttrs> {
  return defineOp<AxisAttrs>({
    name,
    infer(inputs) {
      const x = nth(inputs, 0);
      demand(name, "the operand", x, "float32");
      return { dtype: x.dtype, shape: x.shape };
    },
    grad: (g, node) => [rule(g, node, { axes: [node.attrs.axis], keep: true })],
    emit: (e, { attrs }, inputs) => e.node(name, inputs, { axis: { int: attrs.axis } })[0],
    evaluate: (inputs, { attrs }) => mapLines(nth(inputs, 0), attrs.axis, line),
  });
}

function logSoftmaxOf(x: Float64Array): Float64Array {
  const top = Math.max(...x);
  const total = Math.log(x.reduce((s, v) => s + Math.exp(v - top), 0));
  return x.map((v) => v - top - total);
}

/** y = e^x / (sum of e^x) along an axis; the gradient is y (g - sum of g y). */
export const Softmax = alongAxis(
  "Softmax",
  (x) => logSoftmaxOf(x).map(Math.exp),
  (g, y, o) => mul(y, sub(g, sum(mul(g, y), o))),
);
/** y = x - log(sum of e^x) along an axis; the gradient is g - e^y (sum of g). */
export const LogSoftmax = alongAxis("LogSoftmax", logSoftmaxOf, (g, y, o) =>
  sub(g, mul(exp(y), sum(g, o))),
);

/** e^x divided by its sum along an axis. */
export const softmax = (x: Tensor, o: { readonly axis: number }): Tensor =>
  apply(Softmax, [x], { axis: axisOf("Softmax", o.axis, x.rank) });

/** The logarithm of softmax, exact where softmax is tiny. */
export const logSoftmax = (x: Tensor, o: { readonly axis: number }): Tensor =>
  apply(LogSoftmax, [x], { axis: axisOf("LogSoftmax", o.axis, x.rank) });
