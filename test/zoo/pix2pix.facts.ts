import { kernels, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 2, widthG: 2, widthD: 2, patch: "16" },
  shapes: [
    [1, 8, 8],
    [3, 256, 256],
  ],
  parameters: {
    // Printed by [2]: 54.414 and 2.769 million.
    G: total(
      kernels(4, 3, 64, 128, 256, 512, 512, 512, 512, 512),
      norms(128, 256, 512, 512, 512, 512),
      kernels(4, 512, 512),
      3 * kernels(4, 1024, 512),
      kernels(4, 1024, 256),
      kernels(4, 512, 128),
      kernels(4, 256, 64),
      kernels(4, 128, 3) + 3,
      norms(512, 512, 512, 512, 256, 128, 64),
    ),
    D: total(kernels(4, 6, 64, 128, 256, 512, 1), 64 + 1, norms(128, 256, 512)),
  },
  outputs: { "toB toB": [1, 8, 8] },
};
export default facts;
