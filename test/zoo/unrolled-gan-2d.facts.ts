import { linear, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 2, width: 4, unrolling: 2 },
  shapes: [[2], [2]],
  parameters: {
    G: total(linear(256, 128), linear(128, 128), linear(128, 2)),
    D: total(linear(2, 128), linear(128, 128), linear(128, 1)),
  },
};
export default facts;
