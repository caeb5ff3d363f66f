import { kernels, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 3, width: 2 },
  shapes: [
    [1, 12, 12],
    [3, 64, 64],
  ],
  parameters: {
    G: total(100 * 16_384, kernels(5, 1024, 512, 256, 128, 3), norms(16_384, 512, 256, 128)),
    D: total(kernels(5, 3, 128, 256, 512, 1024), norms(256, 512, 1024), 16_384),
  },
};
export default facts;
