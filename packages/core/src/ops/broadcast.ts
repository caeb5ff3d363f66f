import { sameShape, sizeOf, stridesOf, type Shape, type Tensor } from "../ir.ts";
import { sum } from "./reduce.ts";
import { reshape } from "./shape.ts";

/** For every element of `to`, the index of the element of `from` that stands there. */
export function broadcastIndices(from: Shape, to: Shape): Int32Array {
  const offset = to.length - from.length;
  const fromStrides = stridesOf(from);
  const strides = to.map((_, i) => (from[i - offset] === 1 ? 0 : (fromStrides[i - offset] ?? 0)));
  const indices = new Int32Array(sizeOf(to));
  const counter = to.map(() => 0);
  let position = 0;
  for (let k = 0; k < indices.length; k++) {
    indices[k] = position;
    for (let axis = to.length - 1; axis >= 0; axis--) {
      position += strides[axis] ?? 0;
      counter[axis] = (counter[axis] ?? 0) + 1;
      if (counter[axis] !== to[axis]) break;
      position -= (strides[axis] ?? 0) * (to[axis] ?? 0);
      counter[axis] = 0;
    }
  }
  return indices;
}

/** The adjoint of broadcasting: sums `x` down to `shape`. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const offset = x.rank - shape.length;
  const axes = x.shape.flatMap((d, i) =>
    i < offset || (shape[i - offset] === 1 && d !== 1) ? [i] : [],
  );
  return reshape(sum(x, { axes, keep: offset === 0 }), shape);
}
