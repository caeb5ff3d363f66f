import { kernels, linear, norms, total, type Facts } from "./facts.ts";

const conv = (k: number, from: number, to: number): number => kernels(k, from, to) + to;
const ch = 128;
const condition = 128 + 128;
const attention = (c: number): number =>
  kernels(1, c, c / 8) * 2 + kernels(1, c, c / 2) + kernels(1, c / 2, c) + 1;
const narrow = (from: number, inner: number, to: number): number =>
  total(conv(1, from, inner), 2 * conv(3, inner, inner), conv(1, inner, to));
const grow = (from: number, to: number): number =>
  total(2 * condition * (from + (3 * from) / 4), narrow(from, from / 4, to));
const shrink = (from: number, to: number): number =>
  total(narrow(from, to / 4, to), to > from ? conv(1, from, to - from) : 0);
const pairs = (channels: readonly number[]): (readonly [number, number])[] =>
  channels.slice(1).map((to, i) => [(channels[i] ?? 0) * ch, to * ch] as const);

// 50,388,609 and 34,590,210 weights for the classes of ImageNet: the paper's 50.4 and 34.6 million.
const nClasses = 1000;

const facts: Facts = {
  tiny: {
    ...{ batch: 3, zDim: 2, embedding: 2, width: 2, attention: 8, nCritic: 1 },
    ...{ ortho: 0.1, ema: 0.5, emaStart: 0 },
  },
  shapes: [
    [1, 8, 8],
    [3, 128, 128],
  ],
  full: { nClasses },
  parameters: {
    G: total(
      nClasses * 128,
      linear(condition, 16 * ch * 16),
      ...pairs([16, 16, 8, 4, 2, 1]).map(([from, to]) => grow(from, from) + grow(from, to)),
      attention(2 * ch),
      norms(ch) + conv(3, ch, ch),
    ),
    D: total(
      conv(3, 3, ch),
      ...pairs([1, 2, 4, 8, 16, 16]).map(([from, to]) => shrink(from, to) + shrink(to, to)),
      attention(2 * ch),
      linear(16 * ch, 1),
      nClasses * 16 * ch,
    ),
  },
  // Norms take these away.
  idle: ["a", "b"].flatMap((half) => [1, 2, 3].map((j) => `G.block0${half}.conv${j}.bias`)),
};
export default facts;
