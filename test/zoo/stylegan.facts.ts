import { kernels, linear, total, type Facts } from "./facts.ts";

const channels = [512, 512, 512, 512, 256, 128, 64, 32, 16]; // 4x4 to 1024x1024
const pairs = channels.slice(1).map((to, i) => [channels[i] ?? 0, to] as const);
/** Noise, bias and style of a layer. */
const epilogue = (c: number): number => total(c, c, linear(512, 2 * c));
const sum = (each: (c: number) => number): number => total(...channels.map(each));

const facts: Facts = {
  tiny: {
    ...{ batch: 2, zDim: 2, wDim: 3, mapLayers: 1, base: 16, maxChannels: 3, group: 2 },
    ...{ gamma: 10, lr: 1e-4 }, // low: Adam's first step gives the sign of a gradient, also of rounding
  },
  equalised: { M: 1, G: 1, D: 1, "M.fc": 100 },
  shapes: [
    [3, 8, 8],
    [3, 1024, 1024],
  ],
  outputs: { "mapping mapping": [3], "synthesis synthesis": [3, 8, 8] },
  // Without classes. The colours of 4x4 are in the authors' networks, and their training from 8x8 on never
  // uses them: growing from 4x4 does.
  full: { nClasses: 0, options: { start: 4 } },
  // M and G together: the 26,219,627 of the authors' log. D: its 23,087,249.
  parameters: {
    M: 8 * linear(512, 512),
    G: total(
      512 * 16,
      sum((c) => 2 * epilogue(c)),
      kernels(3, 512, 512),
      ...pairs.map(([from, to]) => kernels(3, from, to, to)),
      sum((c) => linear(c, 3)),
    ),
    D: total(
      sum((c) => linear(3, c)),
      ...pairs.map(([to, from]) => total(kernels(3, from, from, to), from, to)),
      kernels(3, 513, 512) + 512,
      linear(512 * 16, 512),
      linear(512, 1),
    ),
  },
};
export default facts;
