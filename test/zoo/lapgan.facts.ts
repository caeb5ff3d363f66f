import { kernels, linear, total, type Facts } from "./facts.ts";

// With ten classes, as the authors' class-conditional scripts have them: a map of the class in both nets.
const G = (side: number): number =>
  total(linear(10, side ** 2), kernels(7, 5, 64, 64) + 2 * 64, kernels(5, 64, 3) + 3);
const D = (side: number, last: number): number =>
  total(linear(10, side ** 2), kernels(5, 4, 64, 64) + 2 * 64, linear(64 * last ** 2, 1));

const facts: Facts = {
  tiny: {
    ...{ batch: 3, zDim: 2, unitsG: 12, unitsD: 16, widthG: 4, widthD: 4 },
    ...{ rule: "adam", lr: 1e-3 },
  },
  shapes: [
    [1, 12, 12],
    [3, 32, 32],
  ],
  parameters: {
    G0: total(linear(110, 8000), linear(8000, 8000), linear(8000, 192)),
    D0: total(linear(202, 1600), linear(1600, 1600), linear(1600, 1)),
    G1: G(16),
    D1: D(16, 4),
    G2: G(32),
    D2: D(32, 12),
  },
};
export default facts;
