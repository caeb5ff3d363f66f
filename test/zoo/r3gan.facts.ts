import { kernels, total, type Facts } from "./facts.ts";

/** Kernels without biases, two biases; conv3 in 96 groups. */
const block = 2 * kernels(1, 768, 1536) + kernels(3, 1536, 1536) / 96 + 2 * 1536;

const facts: Facts = {
  tiny: { batch: 3, zDim: 2, width: 2, groupWidth: 2, nBlocks: 1 },
  shapes: [
    [1, 12, 12],
    [3, 32, 32],
  ],
  parameters: {
    G: total(768 * 4 * 4, 64 * 768, 8 * block, kernels(1, 768, 3)),
    D: total(kernels(1, 3, 768), 8 * block, 768 * 4 * 4, 768),
  },
};
export default facts;
