import type { Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 4, zDim: 3, width: 2 },
  shapes: [
    [1, 12, 12],
    [3, 64, 64],
  ],
  // dcgan's, and a second image in D's first kernels
  parameters: { G: 3_576_704, D: 2_765_568 + 64 * 3 * 4 * 4 },
};
export default facts;
