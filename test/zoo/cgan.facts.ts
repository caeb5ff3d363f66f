import { linear, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 2, widthG: 6, unitsD: 3 },
  shapes: [
    [1, 2, 2],
    [1, 28, 28],
  ],
  parameters: {
    G: total(linear(100, 200), linear(10, 1000), linear(1200, 1200), linear(1200, 784)),
    D: total(linear(784, 240 * 5), linear(10, 50 * 5), linear(290, 240 * 4), linear(240, 1)),
  },
};
export default facts;
