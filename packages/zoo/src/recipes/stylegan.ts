import {
  adam,
  add,
  concat,
  conv,
  convTranspose,
  downsample,
  expand,
  flip,
  leakyRelu,
  matmul,
  mean,
  mul,
  nn,
  oneHot,
  reshape,
  slice,
  sub,
  sum,
  transpose,
  upfirdn2d,
  upsampleNearest,
  zeroPad,
  type Clock,
  type Layer,
  type Net,
  type Scope,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { halfLife } from "../blocks/averages.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { minibatchStddev } from "../blocks/minibatch.ts";
import { slopeSquared } from "../blocks/penalties.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import {
  equalConv,
  equalDense,
  equalKernel,
  layerOf,
  mixed,
  pixelNorm,
  spread,
  truncated,
} from "../blocks/style.ts";
import { flag, int, number } from "../options.ts";
import { image, label, recipe, type Stage } from "../recipe.ts";

// StyleGAN: z becomes w, and w says at every layer of G how large each channel is and where it lies.
// G and D begin with small images and grow, a new size being faded in. Next: `stylegan2`.

const he = Math.SQRT2; // gain of a weight before leaky ReLU [1]
const act = (x: Tensor): Tensor => leakyRelu(x, { slope: 0.2 });

export default recipe({
  name: "stylegan",
  about: "a style at every layer by adaptive instance norm, noise, nets that grow",
  paper: "arXiv:1812.04948",
  sources: [
    "[1] NVlabs/stylegan (TensorFlow)",
    "[2] arXiv:1710.10196 (progressive growing), tkarras/progressive_growing_of_gans",
    "paper: Sections 2 and 3, Appendix B and C",
  ],
  differences: [
    "A convolution after an enlargement, or before a mean of four pixels, is one transposed or strided convolution with a kernel of 4 at every size: the same numbers; [1] does so from 128x128 on.",
    "G makes images of the size that it has grown to and D takes those; functions enlarge them without smoothing. In [1] nets see images enlarged to the full size, so the slope of D that R1 punishes is smaller by 4 for every halving; the same factor stands here.",
    "Growing is looked at before every step; [1] looks after every four batches. A size whose colours are no longer used loses them; in [1] they stay in the file.",
    "The average of w moves in G's updates only; in [1] in D's too.",
    "psi of the function `mapping` acts on all layers; [1] leaves those after the eighth alone unless told otherwise.",
    "Small sizes are means of four pixels as in [1], without its rounding to 8 bits.",
    "Sizes other than powers of two: the constant at the start has what is left after halving (96x64: 6x4).",
  ],
  data: {
    x: image({ range: [-1, 1], size: [1024, 1024], refuse: refusePyramid }),
    y: label({ optional: true }),
  },
  options: {
    batch: int({
      default: 32,
      min: 2,
      max: 4096,
      about: "images in a batch, at the least",
      source: "[1: train.py, 8 GPUs]",
    }),
    batchSides: int({
      default: 2048,
      min: 0,
      max: 1_000_000,
      about: "images in a batch times a side, at the least: small images come in larger batches",
      source: "[1]: 256 of 8x8 to 32 of 64x64",
    }),
    zDim: int({ default: 512, min: 1, max: 4096, about: "length of z", source: "(Section 2)" }),
    wDim: int({ default: 512, min: 1, max: 4096, about: "length of w", source: "(Section 2)" }),
    mapLayers: int({
      default: 8,
      min: 1,
      max: 16,
      about: "layers from z to w",
      source: "(Section 2)",
    }),
    base: int({
      default: 16_384,
      min: 4,
      max: 65_536,
      about: "channels times resolution",
      source: "[1: fmap_base]",
    }),
    maxChannels: int({
      default: 512,
      min: 2,
      max: 1024,
      about: "channels at the most",
      source: "[1: fmap_max]",
    }),
    lr: number({
      default: 0.001,
      min: 0,
      max: 1,
      about: "learning rate below 128x128; 1.5 times there, 2 times at 256, 3 times above",
      source: "[1]",
    }),
    gamma: number({ default: 10, min: 0, max: 1e4, about: "weight of R1", source: "[1]" }),
    mixing: number({
      default: 0.9,
      min: 0,
      max: 1,
      about: "how often two w are mixed",
      source: "(Appendix C)",
    }),
    group: int({
      default: 4,
      min: 1,
      max: 4096,
      about: "samples that D compares",
      source: "[1: mbstd_group_size]",
    }),
    emaKimg: number({
      default: 10,
      min: 0,
      max: 1e5,
      about: "thousand images after which the average of G has forgotten half",
      source: "[1: G_smoothing_kimg]",
    }),
    progressive: flag({
      default: true,
      about: "grow from small images; else the whole nets from the start",
      source: "(Section 2)",
    }),
    start: int({
      default: 8,
      min: 4,
      max: 1024,
      about: "side of the smallest images trained on",
      source: "(Appendix C)",
    }),
    fadeKimg: number({
      default: 600,
      min: 0,
      max: 1e5,
      about: "thousand images over which a size is faded in",
      source: "[1: lod_transition_kimg]",
    }),
    stableKimg: number({
      default: 600,
      min: 0.001,
      max: 1e5,
      about: "thousand images between two fadings",
      source: "[1: lod_training_kimg]",
    }),
    level: int({
      default: 16,
      min: 0,
      max: 16,
      about: "doublings that the nets have grown by; set by the stages of growing",
      source: "[1: lod]",
    }),
    fading: flag({
      default: false,
      about: "whether the last of them is being faded in; set by the stages of growing",
      source: "[1: lod]",
    }),
  },
  presets: {
    paper: {
      about: "1024x1024 of the paper, on batches of 8 GPUs; 25 million images",
      steps: 717_969,
    },
    small: {
      about: "32x32 on two cores",
      size: [32, 32],
      options: {
        ...{ batch: 16, batchSides: 256, zDim: 64, wDim: 64, mapLayers: 4, base: 1024 },
        ...{ maxChannels: 64, lr: 0.002, gamma: 1, emaKimg: 5, fadeKimg: 10, stableKimg: 10 },
      },
      steps: 6000,
    },
  },
  stages: (c) => {
    if (!c.progressive) return [];
    const { levels } = pyramid(c.shape.x);
    const stages: Stage<typeof c>[] = [];
    for (let level = firstLevel(c); level <= levels; level++) {
      const { height, width } = sizeAt(c.shape.x, level);
      const most = Math.floor(c.batchSides / Math.min(height, width));
      const batch = Math.max(c.batch, most - (most % c.group));
      const [name, begins] = [`${height}x${width}`, fadesFrom(c, level)];
      const ends = begins + 1000 * c.fadeKimg;
      const options = { level, batch };
      // Adam begins anew before and after a fading [1: reset_opt_for_new_lod].
      if (level > firstLevel(c) && c.fadeKimg > 0)
        stages.push({
          ...{ name: `${name} fading in`, untilImages: ends, resetSlots: true },
          options: { ...options, fading: true },
        });
      stages.push({
        ...{ name, untilImages: level === levels ? Infinity : fadesFrom(c, level + 1) },
        ...{ options: { ...options, fading: false }, resetSlots: true },
      });
    }
    return stages;
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const { base } = pyramid(c.shape.x);
    const level = levelOf(c);
    const width = (k: number): number =>
      Math.min(Math.max(Math.floor(c.base / (4 * 2 ** k)), 1), c.maxChannels);
    const levels = Array.from({ length: level + 1 }, (_, k) => k);
    const block = (k: number): string => `b${4 * 2 ** k}`;

    /** z, and the class where there are classes, to w; see `truncated`. */
    const M: Net<readonly [z: Tensor, y: Tensor, how?: "watch" | Tensor]> = (s, z, y, how) => {
      const told = (): Tensor => {
        const rows = { shape: [c.nClasses, c.zDim], init: nn.init.normal({ std: 1 }) };
        return matmul(oneHot(y, { depth: c.nClasses }), s.param("label", rows));
      };
      const first = pixelNorm(c.nClasses > 0 ? concat([z, told()], 1) : z);
      const dense = equalDense({ out: c.wDim, lrMul: 0.01, gain: he });
      const w = Array.from({ length: c.mapLayers }, (_, i) => `fc${i}`).reduce(
        (x, name) => s.child(name, (l) => act(dense(l, x))),
        first,
      );
      return truncated(s, w, how);
    };

    /**
     * A w for each of L layers [N, L, wDim], or one for all [N, wDim], to an image. A new size is seen as
     * much as `fade`, 0 to 1, which training gives and G remembers.
     */
    const G: Net<readonly [w: Tensor, fade?: Tensor]> = (s, w, fade) => {
      const ws = w.rank === 2 ? spread(w, layersOf(level)) : w;
      const n = ws.shape[0] ?? 1;
      const grid = [width(0), ...base];
      const start = s.param("const", { shape: grid, init: nn.init.ones });
      const colours = (x: Tensor, k: number): Tensor =>
        s.child(block(k), (b) =>
          b.child("torgb", (l) => equalConv({ out: channels, kernel: 1 })(l, x)),
        );
      let x = expand(reshape(start, [1, ...grid]), [n, ...grid]);
      let smaller = x;
      for (const k of levels) {
        smaller = x;
        x = s.child(block(k), (b) => {
          const w0 = layerOf(ws, 2 * k);
          const first = b.child("conv0", (l) =>
            styled(l, k === 0 ? x : blur(doubled(l, x, width(k))), w0),
          );
          return b.child("conv1", (l) => {
            const kernel = equalKernel(l, {
              out: width(k),
              channels: width(k),
              kernel: 3,
              gain: he,
            });
            return styled(l, conv(first, kernel, { pads: [1, 1, 1, 1] }), layerOf(ws, 2 * k + 1));
          });
        });
      }
      const made = colours(x, level);
      if (!c.fading) return made;
      const kept = s.buffer("fade", { shape: [], init: nn.init.zeros });
      if (fade !== undefined) s.setBuffer("fade", fade);
      return between(enlarged(colours(smaller, level - 1), 1), made, fade ?? kept);
    };

    /** Halves the image down to the smallest map, and gives one logit. */
    const D: Net<readonly [x: Tensor, y: Tensor, fade: Tensor]> = (s, x, y, fade) => {
      const conv3 = (out: number): Layer => equalConv({ out, kernel: 3, gain: he });
      const fromColours = (image: Tensor, k: number): Tensor => {
        const layer = equalConv({ out: width(k), kernel: 1, gain: he });
        return s.child(block(k), (b) => act(b.child("fromrgb", (l) => layer(l, image))));
      };
      let h = fromColours(x, level);
      for (const k of levels.slice(1).toReversed()) {
        h = s.child(block(k), (b) => {
          const same = b.child("conv0", (l) => act(conv3(width(k))(l, h)));
          return b.child("conv1", (l) => act(halved(l, blur(same), width(k - 1))));
        });
        if (c.fading && k === level) h = between(fromColours(smallerBy(x, 1), k - 1), h, fade);
      }
      h = minibatchStddev(h, { group: c.group });
      h = s.child("conv", (l) => act(conv3(width(0))(l, h)));
      const flat = reshape(h, [h.shape[0] ?? 1, -1]);
      const f = s.child("fc", (l) => act(equalDense({ out: width(0), gain: he })(l, flat)));
      const logits = s.child("out", (l) => equalDense({ out: Math.max(c.nClasses, 1) })(l, f));
      if (c.nClasses === 0) return logits;
      return sum(mul(logits, oneHot(y, { depth: c.nClasses })), { axes: [1], keep: true }); // [1]
    };
    return { M, G, D };
  },
  optimizer: (c) => {
    const { height, width } = sizeAt(c.shape.x, levelOf(c));
    const side = Math.min(height, width);
    const factor = [512, 256, 128].findIndex((least) => side >= least);
    const lr = c.lr * ([3, 2, 1.5][factor] ?? 1); // [1]
    const rule = adam({ lr, beta1: 0, beta2: 0.99, eps: 1e-8 });
    return { M: rule, G: rule, D: rule };
  },
  ema: (c) => {
    const decay = halfLife({ batch: c.batch, images: c.emaKimg * 1000 });
    return { M: decay, G: decay };
  },
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    z2: { kind: "normal", shape: [c.batch, c.zDim] },
    yFake: { kind: "label", shape: [c.batch] },
    coin: { kind: "uniform", shape: [1], low: 0, high: 1 },
    cut: { kind: "ints", shape: [1], high: layersOf(levelOf(c)) - 1 },
  }),
  scalars: (c) => ({
    fade: ({ nImages }: Clock) =>
      c.fading
        ? Math.min((nImages - fadesFrom(c, levelOf(c))) / Math.max(1000 * c.fadeKimg, 1), 1)
        : 1,
  }),
  phases: (c) => {
    const level = levelOf(c);
    const lod = pyramid(c.shape.x).levels - level;
    const mix = { mixing: c.mixing, layers: layersOf(level) };
    /** Data at the size that the nets have; while a size is faded in, data fades with it. */
    const seen = (x: Tensor, fade: Tensor): Tensor => {
      const real = smallerBy(x, lod);
      return c.fading ? between(enlarged(smallerBy(real, 1), 1), real, fade) : real;
    };
    return [
      {
        update: ["D"],
        loss({ M, G, D }, { x, y, z, z2, yFake, coin, cut, fade }) {
          const ws = mixed({ first: M(z, yFake), second: M(z2, yFake), coin, cut, ...mix });
          const at = seen(x, fade);
          const [real, fake] = [D(at, y, fade), D(G(ws, fade), yFake, fade)];
          const slopes = mean(slopeSquared((v) => D(v, y, fade), at)).mul(4 ** -lod);
          return {
            loss: bceReal(real)
              .add(bceFake(fake))
              .add(slopes.mul(c.gamma / 2)),
            log: { ...scores({ real, fake }), "r1/slope": slopes },
          };
        },
      },
      {
        update: ["M", "G"],
        loss({ M, G, D }, { z, z2, yFake, coin, cut, fade }) {
          const [first, second] = [M(z, yFake, "watch"), M(z2, yFake)];
          const ws = mixed({ first, second, coin, cut, ...mix });
          return { loss: bceReal(D(G(ws, fade), yFake, fade)) };
        },
      },
    ];
  },
  takes: (c) => ({
    psi: [c.batch],
    w: [c.batch, layersOf(pyramid(c.shape.x).levels), c.wDim],
  }),
  functions: (c) => {
    const whole = (x: Tensor): Tensor => enlarged(x, pyramid(c.shape.x).levels - levelOf(c));
    return {
      sample: {
        about: "what the trained system makes",
        call: ({ M, G }, { z, yFake }) => whole(G(M(z, yFake))),
      },
      mapping: {
        about: "w of z, drawn towards the average by psi (1: not at all, 0: the average itself)",
        call: ({ M }, { z, yFake, psi }) => M(z, yFake, psi),
      },
      synthesis: {
        about: "the image of a w for every layer",
        call: ({ G }, { w }) => whole(G(w)),
      },
    };
  },
});

/** Where the nets stand in growing. */
interface Growth {
  readonly shape: { readonly x: Shape };
  readonly level: number;
  readonly start: number;
  readonly fadeKimg: number;
  readonly stableKimg: number;
}

/** Doublings from the constant to the images that the nets have grown to. */
const levelOf = (c: Growth): number => Math.min(c.level, pyramid(c.shape.x).levels);
/** Places where a w goes in: two a level. */
const layersOf = (level: number): number => 2 * level + 2;

function sizeAt(shape: Shape, level: number): { height: number; width: number } {
  const [height, width] = pyramid(shape).base;
  return { height: height * 2 ** level, width: width * 2 ** level };
}

/** The first level with images of `start` pixels; the last one where none has. */
function firstLevel({ shape, start }: Growth): number {
  const { levels, base } = pyramid(shape.x);
  return Math.min(Math.max(Math.ceil(Math.log2(start / Math.min(...base))), 0), levels);
}

/** Images seen when a level begins to be faded in; 0 for the first. */
function fadesFrom(c: Growth, level: number): number {
  const before = level - firstLevel(c);
  return before <= 0 ? 0 : 1000 * (before * c.stableKimg + (before - 1) * c.fadeKimg);
}

/** a where t is 0, b where it is 1. */
const between = (a: Tensor, b: Tensor, t: Tensor): Tensor => add(a, mul(sub(b, a), t));
const enlarged = (x: Tensor, doublings: number): Tensor =>
  doublings === 0 ? x : upsampleNearest(x, { scale: 2 ** doublings });
const smallerBy = (x: Tensor, halvings: number): Tensor =>
  halvings === 0 ? x : downsample(x, { scale: 2 ** halvings });
/** [1, 2, 1] along both axes, with sum 1. */
const blur = (x: Tensor): Tensor =>
  upfirdn2d(x, { filter: [1 / 4, 1 / 2, 1 / 4], pads: [1, 1, 1, 1] });

/**
 * A kernel of 3 spread over blocks of 2x2 pixels: v[t] = w[t] + w[t - 1] along both axes.
 * [out, in, 3, 3] to [out, in, 4, 4].
 */
function overBlocks(w: Tensor): Tensor {
  const padded = zeroPad(w, { before: [0, 0, 1, 1], after: [0, 0, 1, 1] });
  const along = (x: Tensor, axis: number): Tensor =>
    add(slice(x, { axis, start: 0, end: 4 }), slice(x, { axis, start: 1, end: 5 }));
  return along(along(padded, 2), 3);
}

/** A convolution of the image enlarged by repeating its pixels. */
function doubled(s: Scope, x: Tensor, out: number): Tensor {
  const w = equalKernel(s, { out, channels: x.shape[1] ?? 1, kernel: 3, gain: he });
  const spreadOut = flip(flip(overBlocks(w), 2), 3);
  return convTranspose(x, transpose(spreadOut, [1, 0, 2, 3]), {
    strides: [2, 2],
    pads: [1, 1, 1, 1],
  });
}

/** The mean of 2x2 pixels of a convolution, with a bias. */
function halved(s: Scope, x: Tensor, out: number): Tensor {
  const w = equalKernel(s, { out, channels: x.shape[1] ?? 1, kernel: 3, gain: he });
  const y = conv(x, mul(overBlocks(w), 1 / 4), { strides: [2, 2], pads: [1, 1, 1, 1] });
  const bias = s.param("bias", { shape: [out], init: nn.init.zeros });
  return add(y, reshape(bias, [out, 1, 1]));
}

/**
 * What follows every convolution of G: noise with a strength a channel, bias, activation, instance norm,
 * and the style, an affine map of w to the size (less 1) and the place of each channel. x [N, C, H, W].
 */
function styled(s: Scope, x: Tensor, w: Tensor): Tensor {
  const [n = 1, channels = 1, height = 1, width = 1] = x.shape;
  const perChannel = (name: string): Tensor =>
    reshape(s.param(name, { shape: [channels], init: nn.init.zeros }), [channels, 1, 1]);
  const noise = s.noise({ kind: "normal", shape: [n, 1, height, width] });
  const y = act(add(add(x, mul(noise, perChannel("noise_strength"))), perChannel("bias")));
  const normed = nn.instanceNorm({ affine: false, eps: 1e-8 })(s, y);
  const style = s.child("affine", (l) => equalDense({ out: 2 * channels })(l, w));
  const part = (k: number): Tensor => {
    const half = slice(style, { axis: 1, start: k * channels, end: (k + 1) * channels });
    return reshape(half, [n, channels, 1, 1]);
  };
  return add(mul(normed, add(part(0), 1)), part(1)); // (Eq. 1)
}
