import { kernels, linear, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, width: 2, dropout: 0 },
  shapes: [
    [1, 8, 8],
    [1, 28, 28],
  ],
  parameters: {
    C: total(kernels(3, 1, 24, 48, 48, 96, 96), norms(24, 48, 48, 96, 96), linear(96, 10)),
  },
  outputs: {
    "features features": [8],
    "features logits": [3],
    "features stage0": [2, 8, 8],
    "features stage1": [4, 8, 8],
    "features stage2": [8, 8, 8],
    "logits logits": [3],
  },
};
export default facts;
