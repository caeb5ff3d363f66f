// Typed sketches: how systems that are not in the zoo yet fit the recipe type. They are compiled,
// not run. See recipe-type.md.
import {
  abs,
  adam,
  add,
  argmax,
  cast,
  clamp,
  flip,
  gather,
  grad,
  less,
  linearDecay,
  logSoftmax,
  mean,
  mul,
  nn,
  oneHot,
  reshape,
  sign,
  slice,
  softplus,
  sqrt,
  square,
  stack,
  stopGradient,
  sub,
  sum,
  where,
  type Clock,
  type Layer,
  type Net,
  type Scope,
  type Tensor,
} from "@duelo/core";
import { image, int, number, recipe, vector } from "@duelo/zoo";

const ours = { about: "", source: "a sketch" };
const noPresets = { paper: { about: "a sketch", steps: 1 } };
const head = { about: "a sketch", sources: [], differences: [], presets: noPresets };
const conv = (out: number): Layer => nn.conv({ out, kernel: 3, pad: 1 });

/** Unpaired streams, four nets, a pool that lives in the graph, a loss that trains two nets. */
export const cyclegan = recipe({
  ...head,
  name: "cyclegan",
  paper: "arXiv:1703.10593",
  data: {
    a: image({ range: [-1, 1], size: [256, 256], stream: "A" }),
    b: image({ range: [-1, 1], size: [256, 256], stream: "B" }),
  },
  options: { batch: int({ default: 1, min: 1, max: 64, ...ours }) },
  nets: () => ({ G: conv(3), F: conv(3), DA: conv(1), DB: conv(1) }),
  optimizer: () => {
    const rule = adam({ lr: linearDecay({ from: 2e-4, start: 0.5 }), beta1: 0.5 });
    return { G: rule, F: rule, DA: rule, DB: rule };
  },
  noise: (c) => ({
    coin: { kind: "uniform", shape: [c.batch, 1, 1, 1], low: 0, high: 1 },
    place: { kind: "ints", shape: [c.batch], high: 50 },
  }),
  phases: () => [
    {
      update: ["G", "F"],
      loss({ G, F, DA, DB }, { a, b }) {
        const [toB, toA] = [G(a), F(b)];
        const fool = mean(square(DB(toB).sub(1))).add(mean(square(DA(toA).sub(1))));
        const cycle = mean(abs(F(toB).sub(a))).add(mean(abs(G(toA).sub(b))));
        return { loss: fool.add(cycle.mul(10)) };
      },
    },
    {
      update: ["DA", "DB"],
      draw: "same",
      loss({ G, F, DA, DB }, { a, b, coin, place }, state) {
        const oldA = pooled(state, "A", F(b), coin, place);
        const oldB = pooled(state, "B", G(a), coin, place);
        return {
          loss: {
            DA: mean(square(DA(a).sub(1)))
              .add(mean(square(DA(oldA))))
              .mul(0.5),
            DB: mean(square(DB(b).sub(1)))
              .add(mean(square(DB(oldB))))
              .mul(0.5),
          },
        };
      },
    },
  ],
  sample: ({ G }, { a }) => G(a),
  functions: () => ({
    toA: { about: "an image of B as one of A", call: ({ F }, { b }) => F(b) },
  }),
});

/** With an even coin, swaps the new image for the one kept at `place`. */
function pooled(s: Scope, name: string, fresh: Tensor, coin: Tensor, place: Tensor): Tensor {
  const pool = s.buffer(`pool${name}`, {
    shape: [50, ...fresh.shape.slice(1)],
    init: nn.init.zeros,
  });
  const swap = less(coin, 0.5);
  const at = reshape(oneHot(place, { depth: 50 }), [50, 1, 1, 1]); // batch of one
  const kept = pool.mul(sub(1, at)).add(stopGradient(fresh).mul(at));
  s.setBuffer(`pool${name}`, where(swap, kept, pool));
  return where(swap, gather(pool, place, { axis: 0 }), stopGradient(fresh));
}

/** Lazy phases, a running mean of path lengths, and ADA's controller as state of the graph. */
export const stylegan2Ada = recipe({
  ...head,
  name: "stylegan2-ada",
  paper: "arXiv:2006.06676",
  data: { x: image({ range: [-1, 1], size: [64, 64] }) },
  options: {
    batch: int({ default: 32, min: 4, max: 256, ...ours }),
    gamma: number({ default: 10, min: 0, max: 1e3, ...ours }),
  },
  nets: () => {
    const mapping: Layer = nn.chain(nn.linear({ out: 512 }), nn.leakyRelu({ slope: 0.2 }));
    const G: Net<readonly [w: Tensor, noise: Tensor], Tensor> = (s, w, noise) =>
      nn
        .chain(nn.reshape([512, 1, 1]), nn.convTranspose({ out: 3, kernel: 64 }))(s, w)
        .add(noise);
    return { M: mapping, G, D: nn.chain(nn.flatten, nn.linear({ out: 1 })) };
  },
  optimizer: () => {
    const lazy = 16 / 17;
    const rule = adam({ lr: 2e-3, beta1: 0, beta2: 0.99 });
    return { M: rule, G: rule, D: adam({ lr: 2e-3 * lazy, beta1: 0, beta2: 0.99 ** lazy }) };
  },
  ema: () => ({ M: 0.999, G: ({ nImages }) => 0.5 ** (32 / Math.min(10_000, 0.05 * nImages + 1)) }),
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, 512] },
    pixels: { kind: "normal", shape: [c.batch, 1, 64, 64] },
    u: { kind: "uniform", shape: [c.batch, 1, 1, 1], low: 0, high: 1 },
  }),
  phases: (c) => [
    {
      update: ["M", "G"],
      loss: ({ M, G, D }, { z, pixels, u }, state) => ({
        loss: mean(softplus(D(augmented(state, G(M(z), pixels), u)).mul(-1))),
      }),
    },
    {
      update: ["M", "G"],
      times: ({ step }) => (step % 4 === 0 ? 1 : 0),
      loss({ M, G }, { z, pixels }, state) {
        const w = M(z);
        const y = pixels.mul(1 / 64);
        const [g = w] = grad(sum(G(w, pixels).mul(y)), [w]);
        const length = sqrt(sum(square(g), { axes: [1] }));
        const a = state.buffer("pathMean", { shape: [], init: nn.init.zeros });
        const moved = a.add(mean(length).sub(a).mul(0.01));
        state.setBuffer("pathMean", stopGradient(moved));
        return { loss: mean(square(length.sub(moved))).mul(2 * 4) };
      },
    },
    {
      update: ["D"],
      loss({ M, G, D }, { x, z, pixels, u }, state) {
        const real = D(augmented(state, x, u));
        const fake = D(augmented(state, G(M(z), pixels), u));
        const p = state.buffer("p", { shape: [], init: nn.init.zeros });
        const over = sign(mean(sign(stopGradient(real))).sub(0.6));
        state.setBuffer("p", clamp(p.add(over.mul((c.batch * 4) / 500_000)), { min: 0, max: 1 }));
        return {
          loss: mean(softplus(real.mul(-1))).add(mean(softplus(fake))),
          log: { "ada/p": p },
        };
      },
    },
    {
      update: ["D"],
      times: ({ step }) => (step % 16 === 0 ? 1 : 0),
      loss({ D }, { x, u }, state) {
        const [g = x] = grad(D(augmented(state, x, u)), [x]);
        return { loss: sum(square(g)).mul((c.gamma * 16) / 2 / c.batch) };
      },
    },
  ],
  sample: ({ M, G }, { z, pixels }) => G(M(z), pixels),
  takes: (c) => ({ w: [c.batch, 512] }),
  functions: () => ({
    mapping: { about: "w of z", call: ({ M }, { z }) => M(z) },
    synthesis: { about: "the image of w", call: ({ G }, { w, pixels }) => G(w, pixels) },
  }),
});

/** Mirrors an image with probability p: the smallest of ADA's transforms. */
function augmented(s: Scope, x: Tensor, u: Tensor): Tensor {
  const p = s.buffer("p", { shape: [], init: nn.init.zeros });
  return where(less(u, p.mul(0.5)), flip(x, 3), x);
}

/** Stages: the same nets at growing `level`, each new level faded in by a scheduled number. */
export const progressive = recipe({
  ...head,
  name: "progressive",
  paper: "arXiv:1710.10196",
  data: { x: image({ range: [-1, 1], size: [32, 32] }) },
  options: {
    batch: int({ default: 16, min: 1, max: 512, ...ours }),
    level: int({ default: 3, min: 0, max: 8, ...ours }),
  },
  stages: () =>
    [0, 1, 2, 3].map((level) => ({
      name: `${4 * 2 ** level}x${4 * 2 ** level}`,
      untilImages: (level + 1) * 1_200_000,
      options: { level },
      resetSlots: true,
    })),
  scalars: (c) => ({
    fade: ({ nImages }: Clock) => Math.min((nImages - c.level * 1_200_000) / 600_000, 1),
  }),
  nets: (c) => ({
    G: nn.chain(
      nn.linear({ out: 3 * 16 * 4 ** c.level }),
      nn.reshape([3, 4 * 2 ** c.level, 4 * 2 ** c.level]),
    ),
    D: nn.chain(nn.flatten, nn.linear({ out: 1 })),
  }),
  optimizer: () => ({
    G: adam({ lr: 1e-3, beta1: 0, beta2: 0.99 }),
    D: adam({ lr: 1e-3, beta1: 0, beta2: 0.99 }),
  }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 512] } }),
  phases: () => [
    {
      update: ["D"],
      loss: ({ G, D }, { z, fade }) => ({ loss: mean(D(G(z).mul(fade))) }),
    },
    { update: ["G"], draw: "same", loss: ({ G, D }, { z }) => ({ loss: mean(D(G(z))).mul(-1) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});

/** Pre-training by phases that stop, sampling inside the graph, D's score as a reward. */
export const seqgan = recipe({
  ...head,
  name: "seqgan",
  paper: "arXiv:1609.05473",
  data: { x: vector() },
  options: { batch: int({ default: 64, min: 1, max: 512, ...ours }) },
  nets: () => {
    /** The next token's log-probabilities from the one before. */
    const G: Net<readonly [token: Tensor], Tensor> = (s, token) =>
      logSoftmax(nn.linear({ out: 50 })(s, nn.embedding({ count: 50, out: 32 })(s, token)), {
        axis: -1,
      });
    return { G, D: nn.linear({ out: 1 }) };
  },
  optimizer: () => ({ G: adam({ lr: 1e-2, clipNorm: 5 }), D: adam({ lr: 1e-4 }) }),
  noise: (c) => ({ gumbel: { kind: "uniform", shape: [20, c.batch, 50], low: 1e-20, high: 1 } }),
  phases: (c) => [
    {
      update: ["G"],
      times: ({ step }) => (step < 10_000 ? 1 : 0),
      loss: ({ G }, { x }) => ({
        loss: mean(
          G(cast(reshape(slice(x, { axis: 1, start: 0, end: 1 }), [c.batch]), "int32")),
        ).mul(-1),
      }),
    },
    {
      update: ["G"],
      times: ({ step }) => (step < 10_000 ? 0 : 1),
      loss({ G, D }, { gumbel }) {
        let token = argmax(reshape(slice(gumbel, { axis: 0, start: 0, end: 1 }), [c.batch, 50]), 1);
        const [tokens, chosen]: [Tensor[], Tensor[]] = [[], []];
        for (let t = 0; t < 20; t++) {
          const logp = G(token);
          const u = reshape(slice(gumbel, { axis: 0, start: t, end: t + 1 }), [c.batch, 50]);
          token = argmax(add(stopGradient(logp), u.log().mul(-1).log().mul(-1)), 1);
          chosen.push(sum(mul(logp, oneHot(token, { depth: 50 })), { axes: [1] }));
          tokens.push(cast(token, "float32"));
        }
        const reward = stopGradient(D(stack(tokens, 1)).sigmoid()); // [N, 1]
        return { loss: sum(mul(stack(chosen, 1), reward)).mul(-1) };
      },
    },
  ],
  sample: ({ G }, { gumbel }) =>
    G(argmax(reshape(slice(gumbel, { axis: 0, start: 0, end: 1 }), [-1, 50]), 1)),
});

/** A table: encoded columns are one vector; which of them belong together comes with the data. */
export const table = recipe({
  ...head,
  name: "table",
  paper: "arXiv:1907.00503",
  data: { x: vector() },
  options: {
    batch: int({ default: 500, min: 10, max: 5000, ...ours }),
    pac: int({ default: 10, min: 1, max: 20, ...ours }),
  },
  nets: (c) => ({
    G: nn.chain(
      nn.linear({ out: 256 }),
      nn.batchNorm(),
      nn.relu,
      nn.linear({ out: c.shape.x[0] ?? 1 }),
    ),
    D: nn.chain(nn.reshape([c.shape.x[0] ?? 1]), nn.linear({ out: 1 })),
  }),
  optimizer: () => ({
    G: adam({ lr: 2e-4, beta1: 0.5, beta2: 0.9 }),
    D: adam({ lr: 2e-4, beta1: 0.5, beta2: 0.9 }),
  }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 128] } }),
  phases: (c) => [
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const packs = (t: Tensor): Tensor => reshape(t, [c.batch / c.pac, -1]);
        return { loss: mean(D(packs(G(z)))).sub(mean(D(packs(x)))) };
      },
    },
    { update: ["G"], loss: ({ G, D }, { z }) => ({ loss: mean(D(G(z))).mul(-1) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});

/** A clip: one more axis. Frames of a record are [C, T, H, W] and the convolutions are 3-D. */
export const clip = recipe({
  ...head,
  name: "clip",
  paper: "arXiv:1511.05440",
  data: { x: image({ range: [-1, 1], size: [64, 64] }) },
  options: { batch: int({ default: 8, min: 1, max: 64, ...ours }) },
  nets: () => ({
    G: nn.chain(
      nn.conv({ out: 16, kernel: [1, 3, 3] }),
      nn.relu,
      nn.conv({ out: 3, kernel: [3, 1, 1] }),
    ),
    D: nn.chain(nn.conv({ out: 8, kernel: 3, stride: 2 }), nn.flatten, nn.linear({ out: 1 })),
  }),
  optimizer: () => ({ G: adam({ lr: 2e-4 }), D: adam({ lr: 2e-4 }) }),
  noise: () => ({}),
  phases: () => [
    { update: ["G"], loss: ({ G, D }, { x }) => ({ loss: mean(softplus(D(G(x)).mul(-1))) }) },
    {
      update: ["D"],
      draw: "same",
      loss: ({ G, D }, { x }) => ({
        loss: mean(softplus(D(x).mul(-1))).add(mean(softplus(D(G(x))))),
      }),
    },
  ],
  sample: ({ G }, { x }) => G(x),
});
