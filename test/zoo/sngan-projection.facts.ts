import { kernels, linear, total, type Facts } from "./facts.ts";

/** Kernels and biases. */
const conv = (k: number, from: number, to: number): number => kernels(k, from, to) + to;

const facts: Facts = {
  tiny: { batch: 3, zDim: 3, widthG: 2, widthD: 2 },
  shapes: [
    [1, 12, 12],
    [3, 32, 32],
  ],
  parameters: {
    G: total(
      linear(128, 4 * 4 * 256),
      3 * (2 * conv(3, 256, 256) + conv(1, 256, 256) + 2 * 2 * 10 * 256),
      2 * 10 * 256,
      conv(3, 256, 3),
    ),
    D: total(
      conv(3, 3, 128) + conv(3, 128, 128) + conv(1, 3, 128),
      2 * conv(3, 128, 128) + conv(1, 128, 128),
      4 * conv(3, 128, 128),
      linear(128, 1),
      10 * 128, // the classes
    ),
  },
  // A norm takes every bias of G's blocks away, those of the shortcuts too.
  idle: ["body.3.bias", "body.6.bias", "shortcut.1.bias"].flatMap((b) => [`G.2.${b}`, `G.3.${b}`]),
};
export default facts;
