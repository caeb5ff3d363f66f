import { kernels, norms, total, type Facts } from "./facts.ts";

const G = total(
  kernels(4, 3, 64, 128, 256, 512),
  norms(128, 256, 512),
  kernels(4, 512, 256, 128, 64, 3),
  norms(256, 128, 64),
);
const D = total(kernels(4, 3, 64, 128, 256, 512, 1), norms(128, 256, 512));

const facts: Facts = {
  tiny: { batch: 2, width: 1 },
  shapes: [
    [1, 32, 32],
    [3, 64, 64],
  ],
  parameters: { GAB: G, GBA: G, DA: D, DB: D },
  outputs: { "toB toB": [1, 32, 32], "toA toA": [1, 32, 32] },
};
export default facts;
