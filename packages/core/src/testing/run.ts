import { interpret } from "../interpret.ts";
import { input } from "../ops/leaf.ts";
import type { DType, NdArray, Shape, Tensor } from "../ir.ts";

/** A value with its type, for tests. */
export interface Given {
  readonly shape: Shape;
  readonly data: ArrayLike<number>;
  readonly dtype?: DType;
}

/** The float64 value of a function at the given arrays. */
export function valueOf(f: (...xs: Tensor[]) => Tensor, ...given: readonly Given[]): NdArray {
  const inputs = given.map((g, i) => input(`x${i}`, g));
  const feeds = Object.fromEntries(given.map((g, i) => [`x${i}`, g.data]));
  const { y } = interpret({ inputs, outputs: { y: f(...inputs) } }, feeds);
  if (y === undefined) throw new TypeError("no result");
  return y;
}
