import { apply, defineOp, demand, graphError, type OpDef, type Tensor } from "../ir.ts";
import { add, div, mul, neg, sub } from "./arithmetic.ts";
import { nth } from "./nd.ts";

type UnaryRule = (g: Tensor, x: Tensor, y: Tensor) => Tensor;

/** y = f(x), element by element, under ONNX's name. "none": the derivative is 0 wherever there is one. */
function unary(name: string, f: (x: number) => number, rule: "none" | UnaryRule): OpDef {
  return defineOp({
    name,
    infer(inputs) {
      const x = nth(inputs, 0);
      demand(name, "the operand", x, "float32");
      return { dtype: x.dtype, shape: x.shape };
    },
    grad: rule === "none" ? "none" : (g, y) => [rule(g, nth(y.inputs, 0), y)],
    emit: (e, _, inputs) => e.node(name, inputs)[0],
    evaluate: (inputs) => nth(inputs, 0).data.map(f),
  });
}

/** y = e^x. */
export const Exp = unary("Exp", Math.exp, (g, _, y) => mul(g, y));
/** y = ln x. */
export const Log = unary("Log", Math.log, (g, x) => div(g, x));
/** y = sqrt(x); dy/dx = 1 / (2y), infinite at 0. */
export const Sqrt = unary("Sqrt", Math.sqrt, (g, _, y) => div(mul(g, 0.5), y));
/** y = |x|; the gradient is 0 at 0. */
export const Abs = unary("Abs", Math.abs, (g, x) => mul(g, sign(x)));
/** y = -1, 0 or 1, as the sign of x. */
export const Sign = unary("Sign", Math.sign, "none");
/** y = 1 / x; dy/dx = -y^2. */
export const Reciprocal = unary(
  "Reciprocal",
  (x) => 1 / x,
  (g, _, y) => neg(mul(g, square(y))),
);
/** y = sin x. */
export const Sin = unary("Sin", Math.sin, (g, x) => mul(g, cos(x)));
/** y = cos x. */
export const Cos = unary("Cos", Math.cos, (g, x) => neg(mul(g, sin(x))));
/** y = tan x; dy/dx = 1 + y^2. */
export const Tan = unary("Tan", Math.tan, (g, _, y) => mul(g, add(square(y), 1)));
/** y = arctan x; dy/dx = 1 / (1 + x^2). */
export const Atan = unary("Atan", Math.atan, (g, x) => div(g, add(square(x), 1)));
/** y = tanh x; dy/dx = 1 - y^2. */
export const Tanh = unary("Tanh", Math.tanh, (g, _, y) => mul(g, sub(1, square(y))));
/** y = 1 / (1 + e^-x); dy/dx = y (1 - y). */
export const Sigmoid = unary(
  "Sigmoid",
  (x) => 1 / (1 + Math.exp(-x)),
  (g, _, y) => mul(g, mul(y, sub(1, y))),
);
/** y = 2/sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export const Erf = unary("Erf", erfOf, (g, x) =>
  mul(g, mul(exp(neg(square(x))), 2 / Math.sqrt(Math.PI))),
);
/** y = ln(1 + e^x), as max(x, 0) + log1p(e^-|x|); dy/dx = sigmoid(x). */
export const Softplus = unary(
  "Softplus",
  (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  (g, x) => mul(g, sigmoid(x)),
);
/** y = the largest whole number <= x. */
export const Floor = unary("Floor", Math.floor, "none");
/** y = the smallest whole number >= x. */
export const Ceil = unary("Ceil", Math.ceil, "none");
/** y = the nearest whole number; the even one of two. */
export const Round = unary("Round", roundOf, "none");
/** y = max(x, 0); the gradient is 0 at 0. */
export const Relu = unary(
  "Relu",
  (x) => Math.max(x, 0),
  (g, _, y) => mul(g, step(y, { low: 0 })),
);

/** y = x where x > 0, slope x elsewhere; the gradient at 0 is slope. */
export const LeakyRelu = defineOp<{ readonly slope: number }>({
  name: "LeakyRelu",
  infer(inputs, { slope }) {
    const x = nth(inputs, 0);
    demand("LeakyRelu", "the operand", x, "float32");
    if (!(slope >= 0 && slope <= 1))
      throw graphError("LeakyRelu", `slope ${slope} is not in 0 to 1`);
    return { dtype: x.dtype, shape: x.shape };
  },
  grad: (g, node) => [mul(g, step(nth(node.inputs, 0), { low: node.attrs.slope }))],
  emit: (e, node, inputs) => e.node("LeakyRelu", inputs, { alpha: { float: node.attrs.slope } })[0],
  evaluate: (inputs, { attrs }) => nth(inputs, 0).data.map((v) => (v > 0 ? v : attrs.slope * v)),
});

/** y = 1 where x > 0, low elsewhere; the derivative is 0 wherever there is one. */
export const Step = defineOp<{ readonly low: number }>({
  name: "Step",
  infer(inputs, { low }) {
    const x = nth(inputs, 0);
    demand("Step", "the operand", x, "float32");
    if (!(low >= 0 && low <= 1)) throw graphError("Step", `low ${low} is not in 0 to 1`);
    return { dtype: x.dtype, shape: x.shape };
  },
  grad: "none",
  // x times a huge number, held within low and 1: right for all but 0 < x < 1e-30, and on ONNX
  // Runtime's CPU about half the cost of a comparison and Where.
  emit(e, { attrs }, inputs) {
    if (attrs.low === 0)
      return e.node("HardSigmoid", inputs, { alpha: { float: 1e30 }, beta: { float: 0 } })[0];
    const number = (v: number): string => e.constant({ dtype: "float32", shape: [] }, [v]);
    const [huge] = e.node("Mul", [nth(inputs, 0), number(1e30)]);
    return e.node("Clip", [huge, number(attrs.low), number(1)])[0];
  },
  evaluate: (inputs, { attrs }) => nth(inputs, 0).data.map((v) => (v > 0 ? 1 : attrs.low)),
});

/** erf by the series 2/sqrt(pi) e^(-x^2) (x + 2x^3/3 + 4x^5/15 + ...), whose terms have one sign. */
function erfOf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = 0;
  for (let n = 1; Math.abs(term) > Math.abs(total) * 1e-17; n++) {
    total += term;
    term *= (2 * x * x) / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

function roundOf(x: number): number {
  const below = Math.floor(x);
  const fraction = x - below;
  const up = fraction === 0.5 ? below % 2 !== 0 : fraction > 0.5;
  return up ? below + 1 : below;
}

type Unary = (x: Tensor) => Tensor;
const call =
  (op: OpDef): Unary =>
  (x) =>
    apply(op, [x], {});
export const exp: Unary = call(Exp);
export const log: Unary = call(Log);
export const sqrt: Unary = call(Sqrt);
export const abs: Unary = call(Abs);
export const sign: Unary = call(Sign);
export const reciprocal: Unary = call(Reciprocal);
export const sin: Unary = call(Sin);
export const cos: Unary = call(Cos);
export const tan: Unary = call(Tan);
export const atan: Unary = call(Atan);
export const tanh: Unary = call(Tanh);
export const sigmoid: Unary = call(Sigmoid);
export const erf: Unary = call(Erf);
export const softplus: Unary = call(Softplus);
export const floor: Unary = call(Floor);
export const ceil: Unary = call(Ceil);
export const round: Unary = call(Round);
export const relu: Unary = call(Relu);

/** x where x > 0, slope x elsewhere; slope from 0 to 1. */
export function leakyRelu(x: Tensor, o: { readonly slope: number }): Tensor {
  return apply(LeakyRelu, [x], o);
}

/** 1 where x > 0, low (from 0 to 1) elsewhere. */
export function step(x: Tensor, o: { readonly low: number }): Tensor {
  return apply(Step, [x], o);
}

// Composed of the above.

/** x^2. */
export const square: Unary = (x) => mul(x, x);

/** x where x > 0, alpha (e^x - 1) elsewhere; alpha is 1 unless said otherwise. */
export const elu = (x: Tensor, o: { readonly alpha?: number } = {}): Tensor =>
  add(relu(x), mul(sub(exp(neg(relu(neg(x)))), 1), o.alpha ?? 1));

/** The self-normalising elu (Klambauer et al. 2017, Eq. 2). */
export const selu: Unary = (x) => mul(elu(x, { alpha: 1.6732632423543772 }), 1.0507009873554805);

/** x times the normal distribution function at x (Hendrycks, Gimpel 2016). */
export const gelu: Unary = (x) => mul(mul(x, 0.5), add(erf(mul(x, Math.SQRT1_2)), 1));

/** x sigmoid(x). */
export const silu: Unary = (x) => mul(x, sigmoid(x));
