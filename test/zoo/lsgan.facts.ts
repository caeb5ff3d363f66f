import type { Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 3, width: 2 },
  shapes: [
    [1, 12, 12],
    [3, 64, 64],
  ],
  parameters: { G: 3_576_704, D: 2_765_568 }, // as dcgan's
};
export default facts;
