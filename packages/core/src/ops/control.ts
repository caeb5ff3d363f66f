import { apply, defineOp, type Tensor } from "../ir.ts";
import { add, sub } from "./arithmetic.ts";
import { nth } from "./nd.ts";

/** y = x, and no gradient flows back. Leaves nothing in the ONNX graph. */
export const StopGradient = defineOp({
  name: "StopGradient",
  infer: (inputs) => ({ dtype: nth(inputs, 0).dtype, shape: nth(inputs, 0).shape }),
  grad: "none",
  emit: (_e, _node, inputs) => nth(inputs, 0),
  evaluate: (inputs) => nth(inputs, 0).data,
});

/** x as a constant of differentiation. */
export const stopGradient = (x: Tensor): Tensor => apply(StopGradient, [x], {});

/** The value of `hard` with the gradient of `soft`; both of one shape. */
export const straightThrough = (hard: Tensor, soft: Tensor): Tensor =>
  add(stopGradient(hard), sub(soft, stopGradient(soft)));
