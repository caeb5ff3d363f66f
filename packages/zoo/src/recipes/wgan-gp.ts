import { adam, mean, nn, sizeOf, square, type Initializer, type Layer } from "@duelo/core";
import { slope } from "../blocks/penalties.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// Wasserstein GAN with gradient penalty: D (a critic) estimates a distance and is kept close to
// 1-Lipschitz by a penalty on its gradient. Next: `wgan-gp-2d` (the same for points).

/** Uniform of variance 4 / (fanIn + fanOut); of one side, a stride of 2 uses a fourth [1: he_init]. */
const spread: Initializer = (shape, random) => {
  const { fanIn, fanOut } = nn.init.fans(shape);
  const high = Math.sqrt((3 * 4) / (fanIn + fanOut / 4));
  return nn.init.uniform({ low: -high, high })(shape, random);
};

export default recipe({
  name: "wgan-gp",
  about: "a critic in place of a classifier, with a penalty on its gradient",
  paper: "arXiv:1704.00028",
  sources: ["[1] igul222/improved_wgan_training gan_cifar.py", "paper: Algorithm 1, Eq. 3"],
  differences: [
    "The convolutional nets of [1], whose sizes follow the image (32x32 is as in [1]); the ResNets of the paper's Table 3 are another recipe's matter.",
    "Adam's beta1 is the paper's 0 (Algorithm 1); [1] has 0.5.",
    "Zeros around a convolution: two before and one after; [1] has one before and two after, its mirror image.",
    "1e-12 under the root keeps the penalty's gradient finite where D is flat; [1] has nothing.",
    "G's batch norm keeps running statistics for samples made one at a time; [1] normalises by the batch at all times.",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "(Algorithm 1)",
    }),
    zDim: int({ default: 128, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    width: int({
      default: 128,
      min: 2,
      max: 512,
      about: "channels of G's last and D's first layer",
      source: "[1: DIM]",
    }),
    lr: number({
      default: 1e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "(Algorithm 1)",
    }),
    nCritic: int({
      default: 5,
      min: 1,
      max: 100,
      about: "critic updates for one of G",
      source: "(Algorithm 1)",
    }),
    lambda: number({
      default: 10,
      min: 0,
      max: 1e4,
      about: "weight of the gradient penalty",
      source: "(Algorithm 1)",
    }),
  },
  presets: {
    paper: { about: "the settings of [1] at 32x32", steps: 200_000 },
    small: { about: "32x32 on two cores", options: { width: 32 }, steps: 2000 },
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const { levels, base } = pyramid(c.shape.x);
    const wide = (level: number): number => c.width * 2 ** level;
    const half = {
      kernel: 5,
      stride: 2,
      pad: 2,
      init: spread,
      biasInit: nn.init.zeros,
    };
    const up = (level: number): Layer[] => [
      nn.convTranspose({ out: wide(level), ...half, outputPad: 1 }),
      nn.batchNorm(),
      nn.relu,
    ];
    const down = (level: number): Layer[] => [
      nn.conv({ out: wide(level), ...half }),
      nn.leakyRelu({ slope: 0.2 }), // no batch norm in the critic (Section 4)
    ];
    const inner = Array.from({ length: levels - 1 }, (_, i) => levels - 2 - i);
    const first = [wide(levels - 1), ...base];
    const ends = { init: nn.init.xavierUniform(), biasInit: nn.init.zeros };
    const G = nn.chain(
      nn.linear({ out: sizeOf(first), ...ends }),
      nn.batchNorm(), // every feature by itself [1]
      nn.relu,
      nn.reshape(first),
      ...inner.flatMap(up),
      nn.convTranspose({ out: channels, ...half, outputPad: 1 }),
      nn.tanh,
    );
    const D = nn.chain(
      ...Array.from({ length: levels }, (_, level) => level).flatMap(down),
      nn.flatten,
      nn.linear({ out: 1, ...ends }),
    );
    return { G: nn.scoped("main", G), D: nn.scoped("main", D) };
  },
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: 0, beta2: 0.9 }); // (Algorithm 1)
    return { G: rule, D: rule };
  },
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    eps: { kind: "uniform", shape: [c.batch, 1, 1, 1], low: 0, high: 1 }, // one a sample
  }),
  phases: (c) => [
    {
      update: ["D"],
      times: c.nCritic,
      loss({ G, D }, { x, z, eps }) {
        const fake = G(z);
        const between = fake.add(eps.mul(x.sub(fake))); // eps x + (1 - eps) G(z)
        const penalty = mean(square(slope(D, between).sub(1)));
        const [real, made] = [mean(D(x)), mean(D(fake))];
        return {
          loss: made.sub(real).add(penalty.mul(c.lambda)), // (Eq. 3)
          log: {
            "D/real": real,
            "D/fake": made,
            "D/distance": real.sub(made),
            "D/penalty": penalty,
          },
        };
      },
    },
    { update: ["G"], loss: ({ G, D }, { z }) => ({ loss: mean(D(G(z))).mul(-1) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});
