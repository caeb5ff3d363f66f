import {
  abs,
  adam,
  concat,
  mean,
  nn,
  type Layer,
  type Net,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { labToRgb, rgbToLab } from "../blocks/lab.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { patchD, refusePatch } from "../blocks/patch.ts";
import { choice, int, number, type OptionValue } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// pix2pix: a U-Net makes the other image of a pair; a discriminator of patches, which sees both, and
// the distance to the true one teach it. Next: `cyclegan` (no pairs).

/** Halvings from the image to one row or column of pixels: log2 of the smaller side. */
const levelsOf = ([, height = 1, width = 1]: Shape): number => Math.log2(Math.min(height, width));

function refuse(shape: Shape, options: Readonly<Record<string, OptionValue>>): string | undefined {
  const [, height = 1, width = 1] = shape;
  const least = Math.min(height, width);
  if (least >= 8 && Number.isInteger(Math.log2(least)) && Math.max(height, width) % least === 0)
    return refusePatch(shape, options["patch"]);
  return `${height}x${width} cannot be halved down to one pixel; choose sides such as 32, 64, 128 or 256, for example --size 64`;
}

export default recipe({
  name: "pix2pix",
  about: "one image of a pair from the other: a U-Net, a discriminator of patches, and L1",
  paper: "arXiv:1611.07004",
  sources: [
    "[1] phillipi/pix2pix models.lua, train.lua",
    "[2] junyanz/pytorch-CycleGAN-and-pix2pix",
    "paper: Sections 3 and 6, Eq. 4",
  ],
  differences: [
    "D's loss is halved, as in the paper and [2]; [1] halves only what it prints.",
    "G answers the D that has just moved, as in [2]; in [1] it uses D's outputs from before.",
    "Convolutions before a norm have no bias, as in [2]; [1] has them and sets them to zero.",
    "With a batch above one, a norm takes each image's own statistics at test, as a test batch of one does in [1].",
    "Images of other sizes have as many levels as their smaller side can be halved; dropout stays in the first three of the decoder.",
    "G ends where it ends: no learning rate decay, as in [1]; [2] lets it fall over the second half.",
  ],
  data: {
    a: image({ range: [-1, 1], size: [256, 256], jitter: 30 / 256, flip: true, refuse }), // (Section 6.2)
    b: image({ range: [-1, 1], size: [256, 256], jitter: 30 / 256, flip: true, refuse }),
  },
  options: {
    batch: int({
      default: 1,
      min: 1,
      max: 256,
      about: "pairs in a batch",
      source: "(Section 6.2)",
    }),
    widthG: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of G's first layer",
      source: "[1: ngf]",
    }),
    widthD: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of D's first layer",
      source: "[1: ndf]",
    }),
    patch: choice({
      default: "70",
      choices: ["1", "16", "70", "286"],
      about: "pixels that one logit of D sees",
      source: "(Section 6.1.2)",
    }),
    colour: choice({
      default: "rgb",
      choices: ["rgb", "lab"],
      about: "lab: G gives a* and b* to the lightness of a, and b is in colour",
      source: "[1: data]",
    }),
    lambda: number({
      default: 100,
      min: 0,
      max: 1e6,
      about: "weight of L1",
      source: "(Section 3.3)",
    }),
    gan: number({
      default: 1,
      min: 0,
      max: 1e3,
      about: "weight of the adversarial loss; 0 leaves L1 alone",
      source: "[1: use_GAN]",
    }),
    dropout: number({
      default: 0.5,
      min: 0,
      max: 0.95,
      about: "dropout, kept at test: all the noise there is",
      source: "(Section 3.2.1)",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "(Section 3.3)",
    }),
  },
  presets: {
    paper: { about: "256x256, batch 1, as for facades (400 pairs, 200 times)", steps: 80_000 },
    small: {
      about: "64x64 on two cores",
      size: [64, 64],
      options: { widthG: 24, widthD: 24, batch: 4 },
      steps: 5000,
    },
  },
  nets: (c) => {
    const levels = levelsOf(c.shape.a);
    const init = nn.init.normal({ std: 0.02 }); // [1]
    const norm = (): Layer =>
      nn.batchNorm({ atTest: "own", gainInit: nn.init.normal({ mean: 1, std: 0.02 }) });
    const half = { kernel: 4, stride: 2, pad: 1, init, bias: false };
    const wide = (level: number): number => c.widthG * Math.min(2 ** level, 8);
    const out = c.colour === "lab" ? 2 : (c.shape.b[0] ?? 3);
    /** Halves, goes on inside, doubles; gives what came in beside what it made. */
    const unet =
      (level: number): Layer =>
      (s, x) => {
        const outermost = level === 0;
        const innermost = level === levels - 1;
        const down = s.child("down", (c1) => {
          const y = nn.conv({ out: wide(level), ...half })(
            c1,
            outermost ? x : nn.leakyRelu({ slope: 0.2 })(c1, x),
          );
          return outermost || innermost ? y : c1.child("norm", (c2) => norm()(c2, y));
        });
        const inner = innermost ? down : s.child("in", (c1) => unet(level + 1)(c1, down));
        const up = s.child("up", (c1) => {
          const to = outermost ? out : wide(level - 1);
          const last = { bias: outermost, biasInit: nn.init.zeros };
          const y = nn.convTranspose({ out: to, ...half, ...last })(c1, inner.relu());
          if (outermost) return y.tanh();
          const normed = c1.child("norm", (c2) => norm()(c2, y));
          const noisy = levels - 1 - level < 3; // the decoder's first three layers
          return noisy ? nn.dropout({ p: c.dropout, atTest: true })(c1, normed) : normed;
        });
        return outermost ? up : concat([x, up], 1);
      };
    const D: Net<readonly [a: Tensor, b: Tensor], Tensor> = (s, a, b) =>
      patchD({ width: c.widthD, patch: c.patch, norm, bias: false })(s, concat([a, b], 1));
    return { G: unet(0), D };
  },
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: 0.5 }); // (Section 3.3)
    return { G: rule, D: rule };
  },
  noise: () => ({}),
  phases: (c) => {
    const pairs = new WeakMap<Tensor, readonly [Tensor, Tensor]>();
    /** What the nets see: the same tensors in both phases, so that G makes one picture for both. */
    const pair = (a: Tensor, b: Tensor): readonly [Tensor, Tensor] => {
      if (c.colour === "rgb") return [a, b];
      const seen = pairs.get(a) ?? [lightness(a), colours(b)];
      pairs.set(a, seen);
      return seen;
    };
    if (c.gan === 0)
      return [
        {
          update: ["G"],
          loss({ G }, inputs) {
            const [a, b] = pair(inputs.a, inputs.b);
            const l1 = mean(abs(b.sub(G(a))));
            return { loss: l1.mul(c.lambda), log: { "G/l1": l1 } };
          },
        },
      ];
    return [
      {
        update: ["D"],
        loss({ G, D }, inputs) {
          const [a, b] = pair(inputs.a, inputs.b);
          const [real, fake] = [D(a, b), D(a, G(a))];
          const loss = bceReal(real).add(bceFake(fake)).mul(0.5);
          return { loss, log: scores({ real, fake }) };
        },
      },
      {
        update: ["G"],
        draw: "same",
        loss({ G, D }, inputs) {
          const [a, b] = pair(inputs.a, inputs.b);
          const made = G(a);
          const l1 = mean(abs(b.sub(made))); // (Eq. 3)
          const fool = bceReal(D(a, made));
          return {
            loss: fool.mul(c.gan).add(l1.mul(c.lambda)),
            log: { "G/l1": l1, "G/fool": fool },
          }; // (Eq. 4)
        },
      },
    ];
  },
  functions: (c) => {
    const toB = {
      about: "an image of A as one of B",
      call: ({ G }: { G: (a: Tensor) => Tensor }, { a }: { a: Tensor }) =>
        c.colour === "lab" ? painted(lightness(a), G(lightness(a))) : G(a),
    };
    if (c.colour === "rgb") return { sample: toB, toB };
    const colours = {
      about: "a* and b* of the colours of an image",
      call: ({ G }: { G: (a: Tensor) => Tensor }, { a }: { a: Tensor }) => G(lightness(a)).mul(110),
    };
    return { sample: toB, toB, colours };
  },
});

const unit = (x: Tensor): Tensor => x.add(1).mul(0.5);
/** L of an image in -1 to 1, itself in -1 to 1. [N, 1, H, W] */
const lightness = (x: Tensor): Tensor =>
  rgbToLab(unit(x))
    .L.mul(1 / 50)
    .sub(1); // [1]
/** The image of these, in -1 to 1. */
const painted = (L: Tensor, ab: Tensor): Tensor =>
  labToRgb({ L: L.add(1).mul(50), ab: ab.mul(110) })
    .mul(2)
    .sub(1);
/** a* and b* of an image in -1 to 1, by 110. [N, 2, H, W] */
const colours = (x: Tensor): Tensor => rgbToLab(unit(x)).ab.mul(1 / 110); // [1]
