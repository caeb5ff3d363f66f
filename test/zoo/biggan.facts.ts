import { kernels, linear, norms, total, type Facts } from "./facts.ts";

const conv = (k: number, from: number, to: number): number => kernels(k, from, to) + to;
const ch = 96;
const condition = 128 + 20;
const attention = (c: number): number =>
  kernels(1, c, c / 8) * 2 + kernels(1, c, c / 2) + kernels(1, c / 2, c) + 1;
const grow = (from: number, to: number): number =>
  total(2 * condition * (from + to), conv(3, from, to), conv(3, to, to), conv(1, from, to));
const shrink = (from: number, to: number): number =>
  total(conv(3, from, to), conv(3, to, to), conv(1, from, to));
const pairs = (channels: readonly number[]): (readonly [number, number])[] =>
  channels.slice(1).map((to, i) => [(channels[i] ?? 0) * ch, to * ch] as const);

// 70,433,988 and 87,982,370 weights, as [1] prints for the classes of ImageNet.
const nClasses = 1000;

const facts: Facts = {
  tiny: {
    ...{ batch: 3, zDim: 6, embedding: 2, width: 1, attention: 8, nCritic: 1 },
    ...{ ortho: 0.1, ema: 0.5, emaStart: 0 },
  },
  shapes: [
    [1, 16, 16],
    [3, 128, 128],
  ],
  full: { nClasses },
  parameters: {
    G: total(
      nClasses * 128,
      linear(20, 16 * ch * 16),
      ...pairs([16, 16, 8, 4, 2, 1]).map(([from, to]) => grow(from, to)),
      attention(2 * ch),
      norms(ch) + conv(3, ch, 3),
    ),
    D: total(
      shrink(3, ch),
      ...pairs([1, 2, 4, 8, 16]).map(([from, to]) => shrink(from, to)),
      2 * conv(3, 16 * ch, 16 * ch),
      attention(ch),
      linear(16 * ch, 1),
      nClasses * 16 * ch,
    ),
  },
  // Norms take these away.
  idle: ["block0.conv1", "block1.conv1", "block1.conv2", "block1.shortcut"].map(
    (layer) => `G.${layer}.bias`,
  ),
};
export default facts;
