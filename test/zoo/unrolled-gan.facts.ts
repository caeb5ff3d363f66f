import { kernels, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 3, width: 2, unrolling: 2 },
  shapes: [
    [1, 12, 12],
    [3, 32, 32],
  ],
  parameters: {
    G: total(kernels(4, 100, 128, 64, 32, 3), norms(128, 64, 32)),
    D: total(kernels(4, 3, 32, 64, 128, 1), norms(64, 128)),
  },
};
export default facts;
