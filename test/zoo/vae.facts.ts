import { linear, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 2, width: 4 },
  shapes: [
    [1, 2, 2],
    [1, 28, 28],
  ],
  parameters: {
    E: total(linear(784, 400), linear(400, 20), linear(400, 20)),
    G: total(linear(20, 400), linear(400, 784)),
  },
  outputs: { "encode mu": [2], "encode logVar": [2], "reconstruct reconstruct": [1, 2, 2] },
};
export default facts;
