import { linear, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 5, zDim: 2, width: 6, blocks: 2 },
  shapes: [[2], [2]],
  parameters: {
    G: total(linear(16, 128), 3 * (linear(128, 128) + 128 * 128), linear(128, 2)),
    D: total(linear(2, 128), 3 * (linear(128, 128) + 128 * 128), linear(128, 1)),
  },
  idle: ["D.3.bias"],
};
export default facts;
