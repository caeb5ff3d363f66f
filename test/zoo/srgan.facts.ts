import { emojiClassifier, kernels, linear, norms, total, type Facts } from "./facts.ts";

// Worked out from Figure 4: the paper prints no number.
const pair = kernels(3, 64, 64, 64) + norms(64, 64) + 1; // with a slope

const facts: Facts = {
  tiny: {
    ...{ batch: 3, widthG: 2, widthD: 1, blocks: 1, features: "none", pretrain: 0.5 },
    ...{ adversarial: 0.5, lr: 1e-5 },
  },
  shapes: [
    [1, 16, 16],
    [3, 96, 96],
  ],
  parameters: {
    G: total(
      kernels(9, 3, 64) + 64 + 1,
      16 * pair,
      kernels(3, 64, 64) + norms(64),
      2 * (kernels(3, 64, 256) + 256 + 1),
      kernels(9, 64, 3) + 3,
    ),
    D: total(
      kernels(3, 3, 64) + 64,
      kernels(3, 64, 64, 128, 128, 256, 256, 512, 512),
      norms(64, 128, 128, 256, 256, 512, 512),
      linear(512 * 6 * 6, 1024),
      linear(1024, 1),
    ),
    F: emojiClassifier,
  },
  outputs: { "upscale upscale": [1, 16, 16] },
};
export default facts;
