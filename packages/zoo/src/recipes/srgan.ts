import {
  adam,
  mean,
  nn,
  pixelShuffle,
  square,
  type Clock,
  type Layer,
  type Tensor,
} from "@duelo/core";
import { featureNames, featureNet } from "../blocks/features.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { lowResolution, lowShape, refuseSides } from "../blocks/low-resolution.ts";
import { choice, int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// SRGAN: an image at four times its size. SRResNet learns it from squared differences first; then a
// discriminator of images and the features of a classifier teach it detail. Next: `esrgan`.

const halvings = 4; // of D

export default recipe({
  name: "srgan",
  about: "four times the size: SRResNet, then a discriminator and a classifier's features",
  paper: "arXiv:1609.04802",
  sources: ["paper: Figure 4, Sections 2 and 3.2, Eq. 3 to 6", "no code of the authors is public"],
  differences: [
    "Features of a small classifier that comes with Duelo in place of VGG19's layer 5.4; features=none is the paper's SRGAN-MSE.",
    "Their weight is the paper's, made for VGG19; 0.033, which brings ours to the scale of the pixels, was no nearer to the truth.",
    "The preset `small` compares pixels too: that classifier's features alone hold neither colours nor places.",
    "Images are made small by the bicubic filter alone; the paper blurs them before.",
    "One optimiser's state goes on from pre-training to the adversarial part.",
    "Convolutions before a norm have no bias, which the norm would take away.",
    "D answers for images of any sides that 16 divides; the paper's are 96x96.",
  ],
  data: {
    x: image({
      range: [-1, 1],
      size: [96, 96],
      flip: true,
      refuse: (shape) => refuseSides(shape, halvings),
    }), // (Section 3.2)
  },
  options: {
    batch: int({
      default: 16,
      min: 2,
      max: 1024,
      about: "images in a batch",
      source: "(Section 3.2)",
    }),
    widthG: int({ default: 64, min: 1, max: 512, about: "channels of G", source: "(Figure 4)" }),
    widthD: int({
      default: 64,
      min: 1,
      max: 512,
      about: "channels of D's first layer",
      source: "(Figure 4)",
    }),
    blocks: int({
      default: 16,
      min: 0,
      max: 64,
      about: "residual blocks of G",
      source: "(Section 3.2)",
    }),
    features: choice({
      default: "emoji-classifier",
      choices: featureNames,
      about: "whose features are compared; none for pixels",
      source: "ours: the classifier of coloured pictures that comes with Duelo",
    }),
    content: number({
      default: 0.006,
      min: 0,
      max: 1e3,
      about: "weight of the difference of features",
      source: "(Section 3.2): 1 / 12.75^2",
    }),
    pixels: number({
      default: 0,
      min: 0,
      max: 1e3,
      about: "weight of the squared difference of pixels beside features",
      source: "ours: see differences",
    }),
    adversarial: number({
      default: 1e-3,
      min: 0,
      max: 1e3,
      about: "weight of the adversarial loss",
      source: "(Eq. 3)",
    }),
    pretrain: number({
      default: 0.833,
      min: 0,
      max: 1,
      about: "share of the run in which G learns from squared differences alone",
      source: "(Section 3.2): 1,000,000 of 1,200,000 updates",
    }),
    lr: number({
      default: 1e-4,
      min: 0,
      max: 1,
      about: "learning rate; a tenth in the second half of the adversarial part",
      source: "(Section 3.2)",
    }),
  },
  presets: {
    paper: { about: "96x96 from 24x24", steps: 1_200_000 },
    small: {
      about: "64x64 from 16x16 on two cores",
      size: [64, 64],
      options: { batch: 4, widthG: 24, widthD: 16, blocks: 4, pretrain: 0.6, lr: 5e-4, pixels: 1 },
      steps: 10_000,
    },
  },
  nets: (c) => {
    const channels = c.shape.x[0] ?? 3;
    const conv = (out: number): Layer => nn.conv({ out, kernel: 3, pad: 1, bias: false });
    const block = nn.residual({
      body: nn.chain(conv(c.widthG), nn.batchNorm(), nn.prelu(), conv(c.widthG), nn.batchNorm()),
    });
    const deep = new Array<Layer>(c.blocks).fill(block);
    const shuffle: Layer = (_, x) => pixelShuffle(x, { factor: 2 });
    const up = (): Layer[] => [
      nn.conv({ out: 4 * c.widthG, kernel: 3, pad: 1 }),
      shuffle,
      nn.prelu(),
    ];
    const G = nn.named({
      first: nn.chain(nn.conv({ out: c.widthG, kernel: 9, pad: 4 }), nn.prelu()),
      deep: nn.residual({ body: nn.chain(...deep, conv(c.widthG), nn.batchNorm()) }),
      up: nn.chain(...up(), ...up()),
      last: nn.conv({ out: channels, kernel: 9, pad: 4 }),
    });
    const slope = nn.leakyRelu({ slope: 0.2 });
    const layer = (out: number, stride: number): Layer[] => [
      nn.conv({ out, kernel: 3, stride, pad: 1, bias: false }),
      nn.batchNorm(),
      slope,
    ];
    const rest = [2, 4, 8].flatMap((k) => [...layer(k * c.widthD, 1), ...layer(k * c.widthD, 2)]);
    const D = nn.chain(
      nn.conv({ out: c.widthD, kernel: 3, pad: 1 }),
      slope,
      ...layer(c.widthD, 2),
      ...rest,
      nn.flatten,
      nn.linear({ out: 16 * c.widthD }), // 1024
      slope,
      nn.linear({ out: 1 }),
    );
    return { G, D, F: featureNet(c.features) };
  },
  frozen: (c) => ({ F: c.features === "none" ? undefined : c.features }),
  optimizer: (c) => {
    const lr = ({ progress }: Clock): number =>
      progress < (1 + c.pretrain) / 2 ? c.lr : c.lr / 10; // (Section 3.2)
    return { G: adam({ lr }), D: adam({ lr }) };
  },
  noise: () => ({}),
  phases: (c) => [
    {
      name: "pretrain",
      update: ["G"],
      times: ({ progress }) => (progress < c.pretrain ? 1 : 0),
      loss: ({ G }, { x }) => ({ loss: mse(G(low(x)), x) }), // (Eq. 4)
    },
    {
      update: ["D"],
      times: ({ progress }) => (progress < c.pretrain ? 0 : 1),
      loss({ G, D }, { x }) {
        const [real, fake] = [D(x), D(G(low(x)))];
        return { loss: bceReal(real).add(bceFake(fake)), log: scores({ real, fake }) }; // (Eq. 2)
      },
    },
    {
      update: ["G"],
      draw: "same",
      loss({ G, D, F }, { x }) {
        const made = G(low(x));
        const fool = bceReal(D(made)); // (Eq. 6)
        const pixels = mse(made, x);
        const content = c.features === "none" ? pixels : mse(F(made).map, F(x).map).mul(c.content); // (Eq. 5)
        const held =
          c.features === "none" || c.pixels === 0 ? content : content.add(pixels.mul(c.pixels));
        return {
          loss: held.add(fool.mul(c.adversarial)), // (Eq. 3)
          log: { "G/content": content, "G/fool": fool, "G/mse": pixels },
        };
      },
    },
  ],
  sample: ({ G }, { x }) => G(low(x)),
  takes: (c) => ({ low: [c.batch, ...lowShape(c.shape.x)] }),
  functions: () => ({
    upscale: {
      about: "an image in 0 to 1 at four times its size",
      call: ({ G }, { low: given }) => G(given),
    },
  }),
});

const mse = (a: Tensor, b: Tensor): Tensor => mean(square(a.sub(b)));
/** An image in -1 to 1 at a quarter of its size, in 0 to 1. */
const low = (x: Tensor): Tensor => lowResolution(x.add(1).mul(0.5));
