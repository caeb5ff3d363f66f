import { kernels, total, type Facts } from "./facts.ts";

// Printed by [2]: 11.378 and 2.765 million.
const G = total(
  kernels(7, 3, 64) + 64,
  kernels(3, 64, 128, 256) + 128 + 256,
  9 * 2 * (kernels(3, 256, 256) + 256),
  kernels(3, 256, 128, 64) + 128 + 64,
  kernels(7, 64, 3) + 3,
);
const D = total(kernels(4, 3, 64, 128, 256, 512, 1), 64 + 128 + 256 + 512 + 1);

const facts: Facts = {
  tiny: { batch: 1, widthG: 2, widthD: 2, blocks: 1, patch: "16", pool: 2 },
  shapes: [
    [1, 8, 8],
    [3, 256, 256],
  ],
  parameters: { G, F: G, DA: D, DB: D },
  outputs: { "toB toB": [1, 8, 8], "toA toA": [1, 8, 8] },
  idle: ["G", "F"]
    .flatMap((net) =>
      ["1", "4", "7", "10.body.1", "10.body.5", "11", "14"].map((n) => `${net}.${n}.bias`),
    )
    .concat("DA.2.bias", "DB.2.bias"),
};
export default facts;
