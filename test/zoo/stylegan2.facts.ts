import { kernels, linear, total, type Facts } from "./facts.ts";

const channels = [512, 512, 512, 512, 512, 256, 128]; // 4x4 to 256x256, config F
const styled = (from: number, to: number): number =>
  total(linear(512, from), kernels(3, from, to), to, 1);
const colours = (from: number): number => total(linear(512, from), kernels(1, from, 3), 3);
const pairs = channels.slice(1).map((to, i) => [channels[i] ?? 0, to] as const);

const facts: Facts = {
  tiny: {
    ...{ batch: 2, zDim: 2, wDim: 3, mapLayers: 1, base: 8, maxChannels: 2, group: 2 },
    ...{ pathWeight: 2, gamma: 10 },
  },
  shapes: [
    [3, 8, 8],
    [3, 256, 256],
  ],
  parameters: {
    M: 8 * linear(512, 512),
    G: total(
      512 * 16,
      styled(512, 512),
      colours(512),
      ...pairs.map(([from, to]) => total(styled(from, to), styled(to, to), colours(to))),
    ),
    D: total(
      kernels(1, 3, 128) + 128,
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
