import { linear, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 4, widthG: 4, unitsD: 2 },
  shapes: [[2], [2]],
  parameters: {
    G: total(linear(2, 400), 3 * linear(400, 400), linear(400, 2), norms(400, 400, 400, 400)),
    D: total(linear(2 * 2, 200 * 5), 2 * linear(200, 200 * 5), linear(200, 1)),
  },
  idle: ["G.0.bias", "G.3.bias", "G.6.bias", "G.9.bias"],
};
export default facts;
