import {
  adam,
  firDown,
  firUp,
  mul,
  nn,
  reshape,
  stopGradient,
  type Clock,
  type Layer,
} from "@duelo/core";
import { halfLife } from "../blocks/averages.ts";
import { diffAugment, policies } from "../blocks/diff-augment.ts";
import { pairing, scores } from "../blocks/losses.ts";
import { zeroCentred } from "../blocks/penalties.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import { choice, int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// A loss that converges (a relativistic D kept flat at data and at samples) makes the tricks of fifteen
// years superfluous: what is left are plain residual nets. Compare `dcgan`, `wgan-gp`.

const gain = Math.sqrt(2 / (1 + 0.2 ** 2)); // of LeakyReLU 0.2
const filter = [1, 3, 3, 1]; // [1]: [1, 2, 1] * [1, 1]
const plain = (out: number): Layer =>
  nn.conv({ out, kernel: 1, bias: false, init: nn.init.heNormal({ gain: 1 }) });

/** y = x + conv1(act(conv3(act(conv1 x)))), twice as wide inside, conv3 in groups, the last at zero. */
function block(o: { width: number; groupWidth: number; nBlocks: number }): Layer {
  const inner = 2 * o.width;
  const init = nn.init.heNormal({ gain: gain * o.nBlocks ** (-1 / 4) }); // -1 / (2m - 2), m = 3 [1]
  const biased: Layer = nn.compose(
    (s, x) =>
      x.add(reshape(s.param("bias", { shape: [inner], init: nn.init.zeros }), [inner, 1, 1])),
    nn.leakyRelu({ slope: 0.2 }),
  );
  const groups = Math.max(Math.floor(inner / o.groupWidth), 1);
  return nn.residual({
    body: nn.chain(
      nn.conv({ out: inner, kernel: 1, bias: false, init }),
      biased,
      nn.conv({ out: inner, kernel: 3, pad: 1, groups, bias: false, init }),
      biased,
      nn.conv({ out: o.width, kernel: 1, bias: false, init: nn.init.zeros }),
    ),
  });
}

/** `from` to `to` along half a cosine over the first `images` images, then constant [1]. */
const easing =
  (o: { from: number; to: number; images: number }) =>
  ({ nImages }: Clock): number =>
    o.to + ((o.from - o.to) * (1 + Math.cos(Math.PI * Math.min(nImages / o.images, 1)))) / 2;

export default recipe({
  name: "r3gan",
  about: "a relativistic D that is kept flat at data and samples, residual nets without norms",
  paper: "arXiv:2501.05441",
  sources: [
    "[1] brownvc/R3GAN (Trainer.py, Networks.py, train.py: the CIFAR-10 settings)",
    "paper: Section 2, Section 3, Eq. 2",
  ],
  differences: [
    "All levels have one width; [1] halves it above 32x32. Sizes follow the image.",
    "Adam's beta2 is .99, where the schedule of [1] ends; [1] begins at .9.",
    "Nothing is augmented unless `augment` says so, and then by DiffAugment; [1] has ADA's pipe with a probability that rises to .55.",
    "No classes: [1] has a conditional form too.",
    "float32 throughout; [1] has bfloat16 at high resolutions.",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse: refusePyramid }) },
  options: {
    batch: int({ default: 512, min: 1, max: 8192, about: "images in a batch", source: "[1]" }),
    zDim: int({ default: 64, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    width: int({
      default: 768,
      min: 2,
      max: 4096,
      about: "channels of every level",
      source: "[1]",
    }),
    groupWidth: int({
      default: 16,
      min: 1,
      max: 4096,
      about: "channels in a group of a block's 3x3 kernels",
      source: "[1]: 2 * 768 / 96",
    }),
    nBlocks: int({
      default: 2,
      min: 1,
      max: 16,
      about: "residual blocks of each level",
      source: "[1]",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets at the start; it falls to a fourth",
      source: "[1]",
    }),
    gamma: number({
      default: 0.05,
      min: 0,
      max: 1e4,
      about: "weight of R1 and R2 at the start; it falls to a tenth",
      source: "[1]",
    }),
    decayImages: number({
      default: 2e7,
      min: 1,
      max: 1e12,
      about: "images after which rate, gamma and average are at their last values",
      source: "[1]",
    }),
    emaImages: number({
      default: 5e6,
      min: 0,
      max: 1e12,
      about: "images in which G's averaged weights forget half, at the end",
      source: "[1]",
    }),
    augment: choice({
      default: "none",
      choices: policies,
      about: "DiffAugment in front of D, for small data sets",
      source: "ours: see differences",
    }),
  },
  presets: {
    paper: { about: "the published settings for CIFAR-10", steps: 390_000 },
    small: {
      about: "32x32 on two cores",
      options: { batch: 64, width: 64, nBlocks: 1, decayImages: 2e5, emaImages: 1e4 },
      steps: 3000,
    },
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const { levels, base } = pyramid(c.shape.x);
    const one = block({ ...c, nBlocks: c.nBlocks * (levels + 1) });
    const blocks = Array.from({ length: c.nBlocks }, () => one);
    const each = <T>(items: T[]): T[] => Array.from({ length: levels }, () => items).flat();
    /** A learned map, scaled a channel by an affine image of z. */
    const basis: Layer = (s, z) => {
      const shape = [c.width, ...base];
      const scale = s.child("linear", (l) =>
        nn.linear({ out: c.width, bias: false, init: nn.init.heNormal({ gain: 1 }) })(l, z),
      );
      const map = s.param("basis", { shape, init: nn.init.normal({ std: 1 }) });
      return mul(reshape(scale, [-1, c.width, 1, 1]), map); // [N, width, 4, 4]
    };
    const G = nn.chain(
      basis,
      ...blocks,
      ...each<Layer>([(_, x) => firUp(x, { filter }), ...blocks]),
      plain(channels), // no tanh
    );
    const D = nn.chain(
      plain(c.width),
      ...each<Layer>([...blocks, (_, x) => firDown(x, { filter })]),
      ...blocks,
      nn.conv({
        out: c.width,
        kernel: base,
        groups: c.width,
        bias: false,
        init: nn.init.heNormal({ gain: 1 }),
      }),
      nn.flatten,
      nn.linear({ out: 1, bias: false, init: nn.init.heNormal({ gain: 1 }) }),
    );
    return { G, D: nn.named({ augment: diffAugment({ policy: c.augment }), main: D }) };
  },
  optimizer: (c) => {
    const lr = easing({ from: c.lr, to: c.lr / 4, images: c.decayImages });
    const rule = adam({ lr, beta1: 0, beta2: 0.99 });
    return { G: rule, D: rule };
  },
  ema: (c) => ({
    G: halfLife({
      batch: c.batch,
      images: easing({ from: 0, to: c.emaImages, images: c.decayImages }),
    }),
  }),
  scalars: (c) => ({
    gamma: easing({ from: c.gamma, to: c.gamma / 10, images: c.decayImages }),
  }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: () => [
    {
      update: ["D"],
      loss({ G, D }, { x, z, gamma }) {
        const made = stopGradient(G(z));
        const [real, fake] = [D(x), D(made)];
        const r1 = zeroCentred(D, { at: x, gamma: 1 });
        const r2 = zeroCentred(D, { at: made, gamma: 1 });
        return {
          loss: pairing({ better: real, worse: fake }).add(r1.add(r2).mul(gamma)), // every step [1]
          log: { ...scores({ real, fake }), "D/R1": r1, "D/R2": r2 },
        };
      },
    },
    {
      update: ["G"],
      loss: ({ G, D }, { x, z }) => ({ loss: pairing({ better: D(G(z)), worse: D(x) }) }),
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
