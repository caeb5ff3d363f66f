import { kernels, linear, norms, total, type Facts } from "./facts.ts";

const facts: Facts = {
  tiny: { batch: 3, zDim: 3, width: 2 },
  shapes: [
    [1, 12, 12],
    [3, 32, 32],
  ],
  parameters: {
    G: total(linear(128, 8192), kernels(5, 512, 256, 128, 3), 256 + 128 + 3, norms(8192, 256, 128)),
    D: total(kernels(5, 3, 128, 256, 512), 128 + 256 + 512, linear(8192, 1)),
  },
  idle: ["G.main.0.bias", "G.main.4.bias", "D.main.5.bias"],
};
export default facts;
