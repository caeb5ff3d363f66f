import { kernels, linear, total, type Facts } from "./facts.ts";

// 30,370,060 (M and G) and 29,012,513 weights, as the authors' log has for faces at 1024x1024.
const channels = [512, 512, 512, 512, 512, 256, 128, 64, 32]; // 4x4 to 1024x1024, config F
const styled = (from: number, to: number): number =>
  total(linear(512, from), kernels(3, from, to), to, 1);
const colours = (from: number): number => total(linear(512, from), kernels(1, from, 3), 3);
const pairs = channels.slice(1).map((to, i) => [channels[i] ?? 0, to] as const);

const facts: Facts = {
  tiny: {
    ...{ batch: 2, zDim: 2, wDim: 3, mapLayers: 1, base: 16, maxChannels: 3, group: 2 },
    ...{ gamma: 10, lr: 1e-4 }, // low: Adam's first step gives the sign of a gradient, also of rounding
  },
  equalised: { M: 1, G: 1, D: 1, "M.fc": 100, "D.mapping.fc": 100 },
  shapes: [
    [3, 8, 8],
    [3, 1024, 1024],
  ],
  outputs: { "mapping mapping": [3], "synthesis synthesis": [3, 8, 8] },
  full: { nClasses: 0, options: { augment: "none" } },
  parameters: {
    M: 8 * linear(512, 512),
    G: total(
      512 * 16,
      styled(512, 512),
      colours(512),
      ...pairs.map(([from, to]) => total(styled(from, to), styled(to, to), colours(to))),
    ),
    D: total(
      kernels(1, 3, 32) + 32,
      ...pairs.map(([to, from]) =>
        total(kernels(1, from, to), kernels(3, from, from, to), from + to),
      ),
      kernels(3, 513, 512) + 512,
      linear(512 * 16, 512),
      linear(512, 1),
    ),
  },
};
export default facts;
