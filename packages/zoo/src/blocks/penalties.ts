import { grad, mean, sqrt, square, sum, type Tensor } from "@duelo/core";

/** ||dD/dx||^2 of each sample, summed over all axes but the first. x [N, ...], result [N]. */
export function slopeSquared(D: (x: Tensor) => Tensor, x: Tensor): Tensor {
  const [g = x] = grad(D(x), [x]);
  return sum(square(g), { axes: x.shape.map((_, i) => i).slice(1) });
}

/** Norm of D's gradient at each sample [N]; 1e-12 under the root keeps its own gradient finite. */
export const slope = (D: (x: Tensor) => Tensor, x: Tensor): Tensor =>
  sqrt(slopeSquared(D, x).add(1e-12));

/**
 * gamma / 2 E||dD/dx||^2: R1 at data, R2 at samples (Mescheder, Geiger, Nowozin 2018, Eq. 9 and 10).
 * A lazy penalty is this in a phase of its own every k steps, with gamma k.
 */
export const zeroCentred = (D: (x: Tensor) => Tensor, o: { at: Tensor; gamma: number }): Tensor =>
  mean(slopeSquared(D, o.at)).mul(o.gamma / 2);
