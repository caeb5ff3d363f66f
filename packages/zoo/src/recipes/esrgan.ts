import {
  abs,
  adam,
  concat,
  mean,
  nn,
  upsampleNearest,
  type Clock,
  type Initializer,
  type Layer,
  type Tensor,
} from "@duelo/core";
import { featureNames, featureNet } from "../blocks/features.ts";
import { relativisticAverage, scores } from "../blocks/losses.ts";
import { lowResolution, lowShape } from "../blocks/low-resolution.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import { choice, int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// ESRGAN: SRGAN with dense residual blocks and no norms in G, a discriminator that asks which of two
// images is more real, and features compared before their rectifier.

export default recipe({
  name: "esrgan",
  about: "four times the size: dense residual blocks and a relativistic discriminator",
  paper: "arXiv:1809.00219",
  sources: [
    "[1] xinntao/BasicSR: RRDBNet, VGGStyleDiscriminator128, ESRGANModel",
    "paper: Section 3",
  ],
  differences: [
    "Features of a small classifier that comes with Duelo in place of VGG19's layer 5.4; features=none leaves them out.",
    "D moves first, and G answers the D that has moved, from the same forward pass; in [1] G moves first.",
    "D's gradient passes through the means of both sides, as the paper's loss has it; [1] holds the other side's mean fixed.",
    "G itself is what upscales; [1] averages its weights (0.999).",
    "One optimiser's state goes on from pre-training to the adversarial part.",
    "The pre-training's rate is halved each fifth of it (paper); [1] has a cosine with restarts.",
    "D halves images until a side is 4 (128x128 five times, as in [1]).",
    "Mirror images only; [1] turns images by 90 degrees as well.",
  ],
  data: {
    x: image({ range: [0, 1], size: [128, 128], flip: true, refuse: refusePyramid }), // [1]
  },
  options: {
    batch: int({ default: 16, min: 2, max: 1024, about: "images in a batch", source: "[1]" }),
    widthG: int({ default: 64, min: 1, max: 512, about: "channels of G", source: "[1]" }),
    growth: int({
      default: 32,
      min: 1,
      max: 256,
      about: "channels that each dense layer adds",
      source: "[1]",
    }),
    blocks: int({
      default: 23,
      min: 0,
      max: 64,
      about: "residual-in-residual dense blocks of G",
      source: "(Section 4.1)",
    }),
    widthD: int({
      default: 64,
      min: 1,
      max: 512,
      about: "channels of D's first layer",
      source: "[1]",
    }),
    features: choice({
      default: "emoji-classifier",
      choices: featureNames,
      about: "whose features are compared; none for none",
      source: "ours: the classifier of coloured pictures that comes with Duelo",
    }),
    pixels: number({
      default: 0.01,
      min: 0,
      max: 1e3,
      about: "weight of the L1 distance of pixels",
      source: "(Eq. 3)",
    }),
    content: number({
      default: 1,
      min: 0,
      max: 1e3,
      about: "weight of the L1 distance of features",
      source: "(Eq. 3)",
    }),
    adversarial: number({
      default: 5e-3,
      min: 0,
      max: 1e3,
      about: "weight of the adversarial loss",
      source: "(Eq. 3)",
    }),
    pretrain: number({
      default: 0.714,
      min: 0,
      max: 1,
      about: "share of the run in which G learns from L1 alone",
      source: "[1]: 1,000,000 of 1,400,000 updates",
    }),
    lrPretrain: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of the pre-training, halved each fifth of it",
      source: "(Section 4.1)",
    }),
    lr: number({
      default: 1e-4,
      min: 0,
      max: 1,
      about: "learning rate after it, halved at 1/8, 1/4, 1/2 and 3/4",
      source: "(Section 4.1)",
    }),
  },
  presets: {
    paper: { about: "128x128 from 32x32", steps: 1_400_000 },
    small: {
      about: "64x64 from 16x16 on two cores",
      size: [64, 64],
      options: {
        ...{ batch: 4, widthG: 24, growth: 12, blocks: 2, widthD: 16 },
        ...{ pretrain: 0.6, lrPretrain: 1e-3 },
      },
      steps: 10_000,
    },
  },
  nets: (c) => {
    const channels = c.shape.x[0] ?? 3;
    const slope = nn.leakyRelu({ slope: 0.2 });
    const same = { kernel: 3, pad: 1 };
    const soft = { ...same, init: small, biasInit: nn.init.zeros };
    const dense: Layer = (s, x) => {
      const maps = [x];
      for (const name of ["conv1", "conv2", "conv3", "conv4"]) {
        const layer = nn.compose(nn.conv({ out: c.growth, ...soft }), slope);
        maps.push(s.child(name, (l) => layer(l, concat(maps, 1))));
      }
      const last = s.child("conv5", (l) => nn.conv({ out: c.widthG, ...soft })(l, concat(maps, 1)));
      return x.add(last.mul(scaling));
    };
    const block: Layer = (s, x) =>
      x.add(nn.named({ rdb1: dense, rdb2: dense, rdb3: dense })(s, x).mul(scaling)); // (Figure 4)
    const deep = nn.chain(...new Array<Layer>(c.blocks).fill(block));
    const double: Layer = (_, x) => upsampleNearest(x, { scale: 2 });
    const conv = (out: number): Layer => nn.conv({ out, ...same });
    const up = nn.named({
      conv_up1: nn.compose(double, conv(c.widthG), slope),
      conv_up2: nn.compose(double, conv(c.widthG), slope),
      conv_hr: nn.compose(conv(c.widthG), slope),
      conv_last: conv(channels),
    });
    const G: Layer = (s, low) => {
      const first = s.child("conv_first", (l) => conv(c.widthG)(l, low));
      return up(s, first.add(nn.named({ body: deep, conv_body: conv(c.widthG) })(s, first)));
    };
    const { levels } = pyramid(c.shape.x);
    const halving = (level: number): Layer[] => {
      const out = c.widthD * Math.min(2 ** level, 8);
      const normed = { out, bias: false };
      const first =
        level === 0
          ? [nn.conv({ out, ...same })]
          : [nn.conv({ ...normed, ...same }), nn.batchNorm()];
      const second = nn.conv({ ...normed, kernel: 4, stride: 2, pad: 1 });
      return [...first, slope, second, nn.batchNorm(), slope];
    };
    const D = nn.chain(
      ...Array.from({ length: levels }, (_, level) => level).flatMap(halving),
      nn.flatten,
      nn.linear({ out: 100 }),
      slope,
      nn.linear({ out: 1 }),
    );
    return { G, D, F: featureNet(c.features) };
  },
  frozen: (c) => ({ F: c.features === "none" ? undefined : c.features }),
  optimizer: (c) => {
    const betas = { beta1: 0.9, beta2: 0.99 }; // [1]
    const late = ({ progress }: Clock): number => (progress - c.pretrain) / (1 - c.pretrain);
    const halved = (at: number): number =>
      c.lr * 0.5 ** [1 / 8, 1 / 4, 1 / 2, 3 / 4].filter((t) => at >= t).length;
    const lrG = (clock: Clock): number =>
      clock.progress < c.pretrain
        ? c.lrPretrain * 0.5 ** Math.floor((5 * clock.progress) / c.pretrain)
        : halved(late(clock));
    return {
      G: adam({ lr: lrG, ...betas }),
      D: adam({ lr: (clock) => halved(late(clock)), ...betas }),
    };
  },
  noise: () => ({}),
  phases: (c) => [
    {
      name: "pretrain",
      update: ["G"],
      times: ({ progress }) => (progress < c.pretrain ? 1 : 0),
      loss: ({ G }, { x }) => ({ loss: l1(G(lowResolution(x)), x) }),
    },
    {
      update: ["D"],
      times: ({ progress }) => (progress < c.pretrain ? 0 : 1),
      loss({ G, D }, { x }) {
        const [real, fake] = [D(x), D(G(lowResolution(x)))];
        const loss = relativisticAverage({ better: real, worse: fake }); // (Eq. 1)
        return { loss, log: scores({ real, fake }) };
      },
    },
    {
      update: ["G"],
      draw: "same",
      loss({ G, D, F }, { x }) {
        const made = G(lowResolution(x));
        const fool = relativisticAverage({ better: D(made), worse: D(x) }); // (Eq. 2)
        const pixels = l1(made, x);
        const rest = pixels.mul(c.pixels).add(fool.mul(c.adversarial));
        const log = { "G/pixels": pixels, "G/fool": fool };
        if (c.features === "none") return { loss: rest, log };
        const content = l1(F(signed(made)).raw, F(signed(x)).raw); // (Section 3.3)
        return { loss: rest.add(content.mul(c.content)), log: { ...log, "G/content": content } }; // (Eq. 3)
      },
    },
  ],
  sample: ({ G }, { x }) => G(lowResolution(x)),
  takes: (c) => ({ low: [c.batch, ...lowShape(c.shape.x)] }),
  functions: () => ({
    upscale: {
      about: "an image in 0 to 1 at four times its size",
      call: ({ G }, { low }) => G(low),
    },
  }),
});

/** Of residuals (Section 3.1). */
const scaling = 0.2;
/** Kaiming's normal weights, a tenth as large [1]. */
const small: Initializer = nn.init.heNormal({ gain: 0.1 * Math.SQRT2 });
const l1 = (a: Tensor, b: Tensor): Tensor => mean(abs(a.sub(b)));
const signed = (x: Tensor): Tensor => x.mul(2).sub(1);
