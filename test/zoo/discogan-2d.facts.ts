import { linear, total, type Facts } from "./facts.ts";

const G = total(linear(2, 128), linear(128, 128), linear(128, 2));
const D = total(linear(2, 128), 3 * linear(128, 128), linear(128, 1));

const facts: Facts = {
  tiny: { batch: 3, width: 12 },
  shapes: [[2], [2]],
  parameters: { GAB: G, GBA: G, DA: D, DB: D },
  outputs: { "toB toB": [2], "toA toA": [2] },
};
export default facts;
