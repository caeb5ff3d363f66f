import {
  adam,
  add,
  expand,
  firUp,
  grad,
  mean,
  mul,
  nn,
  oneHot,
  reshape,
  slice,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Clock,
  type Net,
  type Scope,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { adapt, augment, augmentations, strength } from "../blocks/ada.ts";
import { halfLife } from "../blocks/averages.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { minibatchStddev } from "../blocks/minibatch.ts";
import { slopeSquared } from "../blocks/penalties.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import {
  binomial,
  equalConv,
  equalDense,
  layerOf,
  lrelu,
  mapping,
  mixed,
  spread,
  styledConv,
  toRgb,
  truncated,
} from "../blocks/style.ts";
import { choice, int, number } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// StyleGAN2 and its adaptive augmentation: z becomes w, w a style for every convolution; D looks at
// augmented images only, as strongly as it begins to learn them by heart. Next: `stylegan` (what it
// came from), `r3gan` (what is left when the tricks are taken away).

const everyD = 16; // steps between two R1 penalties [1]
const everyG = 4; // steps between two path-length penalties [1]
const everyP = 4; // steps between two moves of p [1]

/** Adam of a net whose penalty runs every k steps as a phase of its own (Karras et al. 2019b, App. B). */
const lazy = (lr: number, k: number) => {
  const c = k / (k + 1);
  return adam({ lr: lr * c, beta1: 0, beta2: 0.99 ** c, eps: 1e-8 });
};

export default recipe({
  name: "stylegan2",
  about:
    "styles for every convolution, a smooth latent space, adaptive augmentation for small data",
  paper: "arXiv:1912.04958",
  sources: [
    "[1] NVlabs/stylegan2-ada-pytorch",
    "[2] arXiv:2006.06676 (ADA)",
    "paper: Section 2 to 4, Appendix B",
  ],
  differences: [
    "A style scales the input of a convolution and its demodulation the output, where [1] gives every sample a weight of its own: the same numbers, and faster on a CPU.",
    "The four graphs of a step (G, path length, D, R1) run in the order of [1], each with its own draws, so that R1 looks at other images than D's loss did and they count as seen; the average of w moves in those of G only, [1] moves it in those of D too.",
    "[1] averages G once a step; here the average also moves after a path-length update, so with those its decay is taken to the power 4/5.",
    "[1] sets NaN in gradients to 0 and clips infinities; here such a step ends the run with its last good checkpoint.",
    "[1] computes high resolutions in 16 bits and clamps activations for that; here all is float32 and nothing is clamped.",
    "p of the augmentation stays at most 1; [1] lets it run on.",
    "Images with alpha are taken too, and their alpha keeps out of the augmentation of colours; [1] augments 1 or 3 channels.",
    "Images to which no geometric augmentation happens are not resampled; in [1] they pass its filters.",
    "Sizes other than powers of two: the constant at the start has what is left after halving (96x64: 6x4).",
  ],
  data: {
    x: image({ range: [-1, 1], size: [256, 256], refuse: refusePyramid }),
    y: label({ optional: true }),
  },
  options: {
    batch: int({
      default: 32,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "[1: stylegan2]",
    }),
    zDim: int({ default: 512, min: 1, max: 4096, about: "length of z", source: "(Section 2)" }),
    wDim: int({ default: 512, min: 1, max: 4096, about: "length of w", source: "(Section 2)" }),
    mapLayers: int({
      default: 8,
      min: 1,
      max: 16,
      about: "layers from z to w",
      source: "[1: stylegan2]",
    }),
    base: int({
      default: 32_768,
      min: 4,
      max: 65_536,
      about: "channels times resolution",
      source: "[1: config F]",
    }),
    maxChannels: int({
      default: 512,
      min: 2,
      max: 1024,
      about: "channels at the most",
      source: "[1]",
    }),
    lr: number({
      default: 0.002,
      min: 0,
      max: 1,
      about: "learning rate",
      source: "[1: stylegan2]",
    }),
    gamma: number({
      default: 10,
      min: 0,
      max: 1e4,
      about: "weight of R1",
      source: "[1: stylegan2]",
    }),
    pathWeight: number({
      default: 2,
      min: 0,
      max: 1e3,
      about: "weight of the path length",
      source: "[1]",
    }),
    mixing: number({
      default: 0.9,
      min: 0,
      max: 1,
      about: "how often two w are mixed",
      source: "[1]",
    }),
    group: int({
      default: 4,
      min: 1,
      max: 4096,
      about: "samples that D compares",
      source: "[1: mbstd]",
    }),
    emaKimg: number({
      default: 10,
      min: 0,
      max: 1e5,
      about: "thousand images after which the average of G has forgotten half",
      source: "[1: stylegan2]",
    }),
    emaRamp: number({
      default: 0,
      min: 0,
      max: 1,
      about: "the same as a share of the images seen, at the most; 0: none",
      source: "[1: auto has 0.05]",
    }),
    augment: choice({
      default: "bgc",
      choices: augmentations,
      about: "augmentations: blits, geometry, colour, filters, noise, cutout",
      source: "[2: bgc]",
    }),
    adaTarget: number({
      default: 0.6,
      min: 0,
      max: 1,
      about: "how sure D may be of real images",
      source: "[1]",
    }),
    adaKimg: number({
      default: 500,
      min: 1,
      max: 1e6,
      about: "thousand images in which p can go from 0 to 1",
      source: "[1]",
    }),
  },
  presets: {
    paper: {
      about: "config F of the paper with ADA, at 256x256; 25 million images",
      steps: 781_250,
    },
    small: {
      about: "32x32 on two cores",
      size: [32, 32],
      options: {
        ...{ batch: 16, zDim: 64, wDim: 64, mapLayers: 2, base: 1024, maxChannels: 64 },
        ...{ lr: 0.0025, gamma: 0.1, emaKimg: 5, emaRamp: 0.05, adaKimg: 100 },
      },
      steps: 6000,
    },
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const { levels, base } = pyramid(c.shape.x);
    const width = (level: number): number =>
      Math.min(Math.max(Math.floor(c.base / (4 * 2 ** level)), 1), c.maxChannels);
    const each = Array.from({ length: levels + 1 }, (_, level) => level);
    const told = (y: Tensor | undefined): Tensor | undefined =>
      y && c.nClasses > 0 ? oneHot(y, { depth: c.nClasses }) : undefined;

    /**
     * z, and the class where there are classes, to w. "watch" moves the average of w; psi [N] draws w
     * towards it: 1 leaves w, 0 gives the average.
     */
    const M: Net<readonly [z: Tensor, y: Tensor, how?: "watch" | Tensor]> = (s, z, y, how) => {
      return truncated(s, mapping({ out: c.wDim, layers: c.mapLayers })(s, z, told(y)), how);
    };

    /** A w for each of L layers [N, L, wDim], or one for all [N, wDim], to an image. */
    const G: Net<readonly [w: Tensor]> = (s, w) => {
      const ws = w.rank === 2 ? spread(w, layersOf(c.shape.x)) : w;
      const n = ws.shape[0] ?? 1;
      const grid = [width(0), ...base];
      const start = s.param("const", { shape: grid, init: nn.init.normal({ std: 1 }) });
      let x = expand(reshape(start, [1, ...grid]), [n, ...grid]);
      let picture: Tensor | undefined;
      for (const level of each) {
        const block = blockOf({ out: width(level), channels, level });
        const made = s.child(`b${4 * 2 ** level}`, (b) => block(b, x, ws));
        x = made.x;
        picture = picture ? add(firUp(picture, { filter: binomial }), made.colours) : made.colours;
      }
      return picture ?? x;
    };

    /** Residual blocks that halve the size (Figure 7), then one logit. */
    const D: Net<readonly [x: Tensor, y: Tensor]> = (s, x, y) => {
      let h = s.child("fromrgb", (l) => lrelu(equalConv({ out: width(levels), kernel: 1 })(l, x)));
      for (const level of each.slice(1).toReversed()) {
        h = s.child(`b${4 * 2 ** level}`, (block) => {
          const [same, out] = [width(level), width(level - 1)];
          const skip = equalConv({ out, kernel: 1, down: true, bias: false });
          const past = block.child("skip", (l) => skip(l, h));
          const inner = block.child("conv0", (l) =>
            lrelu(equalConv({ out: same, kernel: 3 })(l, h)),
          );
          const conv1 = equalConv({ out, kernel: 3, down: true });
          return add(
            past,
            block.child("conv1", (l) => lrelu(conv1(l, inner))),
          ).mul(Math.SQRT1_2);
        });
      }
      h = minibatchStddev(h, { group: c.group });
      h = s.child("conv", (l) => lrelu(equalConv({ out: width(0), kernel: 3 })(l, h)));
      const flat = reshape(h, [h.shape[0] ?? 1, -1]);
      const f = s.child("fc", (l) => lrelu(equalDense({ out: width(0) })(l, flat)));
      const onClass = told(y);
      if (onClass === undefined) return s.child("out", (l) => equalDense({ out: 1 })(l, f));
      const v = s.child("mapping", (l) =>
        mapping({ out: c.wDim, layers: 8 })(l, undefined, onClass),
      );
      const logits = s.child("out", (l) => equalDense({ out: c.wDim })(l, f));
      return sum(mul(logits, v), { axes: [1], keep: true }).mul(1 / Math.sqrt(c.wDim));
    };
    return { M, G, D };
  },
  optimizer: (c) => ({ M: lazy(c.lr, everyG), G: lazy(c.lr, everyG), D: lazy(c.lr, everyD) }),
  ema: (c) => {
    const updates = c.pathWeight > 0 ? 1 + 1 / everyG : 1; // in a step
    const ramp = c.emaRamp > 0 ? { rampUp: c.emaRamp } : {};
    const decay = halfLife({ batch: c.batch / updates, images: c.emaKimg * 1000, ...ramp });
    return { M: decay, G: decay };
  },
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    z2: { kind: "normal", shape: [c.batch, c.zDim] },
    yFake: { kind: "label", shape: [c.batch] },
    coin: { kind: "uniform", shape: [1], low: 0, high: 1 },
    cut: { kind: "ints", shape: [1], high: layersOf(c.shape.x) - 1 },
    along: { kind: "normal", shape: [Math.max(Math.floor(c.batch / 2), 1), ...c.shape.x] },
  }),
  scalars: () => ({ turn: ({ step }: Clock) => (step % everyP === everyP - 1 ? 1 : 0) }),
  phases: (c) => {
    const adaptive = c.augment !== "none";
    const mix = { mixing: c.mixing, layers: layersOf(c.shape.x) };
    const seen = (state: Scope, x: Tensor): Tensor =>
      adaptive ? augment(state, x, { p: strength(state), kind: c.augment }) : x;
    return [
      {
        update: ["M", "G"],
        loss({ M, G, D }, { z, z2, yFake, coin, cut }, state) {
          const [first, second] = [M(z, yFake, "watch"), M(z2, yFake)];
          const ws = mixed({ first, second, coin, cut, ...mix });
          return { loss: bceReal(D(seen(state, G(ws)), yFake)) };
        },
      },
      {
        name: "path",
        update: ["M", "G"],
        times: ({ step }) => (c.pathWeight > 0 && step % everyG === 0 ? 1 : 0),
        loss({ M, G }, { z, z2, yFake, coin, cut, along }, state) {
          const half = (v: Tensor): Tensor =>
            slice(v, { axis: 0, start: 0, end: along.shape[0] ?? 1 });
          const y = half(yFake);
          const ws = mixed({
            first: M(half(z), y, "watch"),
            second: M(half(z2), y),
            coin,
            cut,
            ...mix,
          });
          const [, , h = 1, w = 1] = along.shape;
          const [slope = ws] = grad(sum(mul(G(ws), along)).mul(1 / Math.sqrt(h * w)), [ws]);
          const length = sqrt(mean(sum(square(slope), { axes: [2] }), { axes: [1] })); // [N / 2]
          const a = state.buffer("path_mean", { shape: [], init: nn.init.zeros });
          const now = add(a, sub(mean(length), a).mul(0.01)); // [1]: with its gradient
          state.setBuffer("path_mean", stopGradient(now));
          const penalty = mean(square(sub(length, now))); // (Eq. 4)
          return {
            loss: penalty.mul(c.pathWeight * everyG),
            log: { "path/length": mean(length), "path/penalty": penalty },
          };
        },
      },
      {
        update: ["D"],
        loss({ M, G, D }, { x, y, z, z2, yFake, coin, cut, turn }, state) {
          const ws = mixed({ first: M(z, yFake), second: M(z2, yFake), coin, cut, ...mix });
          const [real, fake] = [D(seen(state, x), y), D(seen(state, G(ws)), yFake)];
          const p = adaptive ? { "ada/p": strength(state) } : {};
          const { adaTarget: target, adaKimg: kimg } = c;
          if (adaptive) adapt(state, real, { target, kimg, turn, every: everyP });
          const log = { ...scores({ real, fake }), ...p };
          return { loss: add(bceReal(real), bceFake(fake)), log };
        },
      },
      {
        name: "r1",
        update: ["D"],
        times: ({ step }) => (c.gamma > 0 && step % everyD === 0 ? 1 : 0),
        loss({ D }, { x, y }, state) {
          const slopes = mean(slopeSquared((v) => D(seen(state, v), y), x));
          return { loss: slopes.mul((c.gamma / 2) * everyD), log: { "r1/slope": slopes } };
        },
      },
    ];
  },
  sample: ({ M, G }, { z, yFake }) => G(M(z, yFake)),
  takes: (c) => ({ psi: [c.batch], w: [c.batch, layersOf(c.shape.x), c.wDim] }),
  functions: () => ({
    mapping: {
      about: "w of z, drawn towards the average by psi (1: not at all, 0: the average itself)",
      call: ({ M }, { z, yFake, psi }) => M(z, yFake, psi),
    },
    synthesis: { about: "the image of a w for every layer", call: ({ G }, { w }) => G(w) },
  }),
});

/** Places where a w goes in: each block's convolutions, and the last block's colours. */
const layersOf = (shape: Shape): number => 2 * pyramid(shape).levels + 2;

/** Two convolutions (one at the lowest level) and the colours of a level. */
const blockOf =
  (o: { out: number; channels: number; level: number }) =>
  (s: Scope, x: Tensor, ws: Tensor): { x: Tensor; colours: Tensor } => {
    const { out, channels, level } = o;
    const w = (layer: number): Tensor => layerOf(ws, layer);
    const up = styledConv({ out, up: true });
    const large = level > 0 ? s.child("conv0", (l) => up(l, x, w(2 * level - 1))) : x;
    const done = s.child("conv1", (l) => styledConv({ out })(l, large, w(2 * level)));
    const colours = s.child("torgb", (l) => toRgb({ out: channels })(l, done, w(2 * level + 1)));
    return { x: done, colours };
  };
