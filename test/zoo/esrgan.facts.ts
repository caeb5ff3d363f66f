import { emojiClassifier, kernels, linear, norms, total, type Facts } from "./facts.ts";

const conv = (from: number, to: number): number => kernels(3, from, to) + to;
const dense = conv(64, 32) + conv(96, 32) + conv(128, 32) + conv(160, 32) + conv(192, 64);

// The 16,697,987 and 14,499,401 weights of [1].
const facts: Facts = {
  tiny: {
    ...{ batch: 2, widthG: 2, growth: 1, blocks: 1, widthD: 1, features: "none", pretrain: 0.5 },
    ...{ pixels: 1, adversarial: 0.5 },
  },
  shapes: [
    [1, 16, 16],
    [3, 128, 128],
  ],
  parameters: {
    G: total(conv(3, 64), 23 * 3 * dense, 4 * conv(64, 64), conv(64, 3)),
    D: total(
      conv(3, 64),
      kernels(3, 64, 128) + kernels(3, 128, 256) + kernels(3, 256, 512) + kernels(3, 512, 512),
      kernels(4, 64, 64) + kernels(4, 128, 128) + kernels(4, 256, 256) + 2 * kernels(4, 512, 512),
      norms(64, 128, 128, 256, 256, 512, 512, 512, 512),
      linear(512 * 4 * 4, 100),
      linear(100, 1),
    ),
    F: emojiClassifier,
  },
  outputs: { "upscale upscale": [1, 16, 16] },
  // Only differences of D's scores count, so a unit on one side of its kink for all images moves nothing.
  idle: ["D.12.bias", "D.14.bias"],
};
export default facts;
