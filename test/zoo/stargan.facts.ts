import { kernels, norms, total, type Facts } from "./facts.ts";

// 8,430,528 and 44,762,048 weights, as [1] prints for five attributes of CelebA.
const nClasses = 5;

const facts: Facts = {
  tiny: { batch: 2, widthG: 2, widthD: 2, blocks: 1, levels: 2, nCritic: 1 },
  shapes: [
    [1, 8, 8],
    [3, 128, 128],
  ],
  full: { nClasses },
  parameters: {
    G: total(
      kernels(7, 3 + nClasses, 64),
      kernels(4, 64, 128, 256),
      6 * kernels(3, 256, 256, 256),
      kernels(4, 256, 128, 64),
      kernels(7, 64, 3),
      norms(64, 128, 256, ...new Array<number>(12).fill(256), 128, 64),
    ),
    D: total(
      kernels(4, 3, 64, 128, 256, 512, 1024, 2048),
      64 + 128 + 256 + 512 + 1024 + 2048,
      kernels(3, 2048, 1),
      kernels(2, 2048, nClasses),
    ),
  },
  // The middle of its kernel over a domain's map adds the same everywhere, which the norm takes away.
  idle: ["G.0.weight"],
};
export default facts;
