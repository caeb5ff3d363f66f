import { kernels, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  // Every remedy at once.
  tiny: {
    batch: 4,
    zDim: 3,
    width: 2,
    r1: 10,
    r1Every: 2,
    augment: "color+translation+cutout",
    stddev: true,
    discrimination: 2,
    realLabel: 0.9,
    instanceNoise: 0.1,
    emaImages: 100,
  },
  shapes: [
    [1, 12, 12],
    [3, 32, 32],
  ],
  parameters: {
    G: total(kernels(4, 100, 128, 64, 32, 3), norms(128, 64, 32)),
    D: total(kernels(4, 3, 32, 64, 128, 1), norms(64, 128)),
  },
};
export default facts;
