import {
  adam,
  linearDecay,
  mul,
  type Bound,
  type Clock,
  type Layer,
  type Net,
  type Tensor,
} from "@duelo/core";
import { halfLife } from "../blocks/averages.ts";
import { dcganNets } from "../blocks/dcgan-nets.ts";
import { diffAugment, policies } from "../blocks/diff-augment.ts";
import { minibatchDiscrimination } from "../blocks/discrimination.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { minibatchStddev } from "../blocks/minibatch.ts";
import { zeroCentred } from "../blocks/penalties.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { choice, flag, int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// The nets of DCGAN with what was found over the years to make training steady, each by itself: the
// place to try what a remedy does. All are off, or as in DCGAN, unless asked for.

type Noisy = Net<readonly [x: Tensor, sigma: Tensor], Tensor>;

export default recipe({
  name: "steady-gan",
  about: "DCGAN with remedies to choose from: penalties, augmentation, averages, noise",
  paper: "arXiv:1511.06434",
  sources: [
    "[1] arXiv:1801.04406 (R1), arXiv:1912.04958 (lazy, average)",
    "[2] arXiv:2006.10738 (DiffAugment)",
    "[3] arXiv:1606.03498 (minibatch discrimination, one-sided labels)",
    "[4] arXiv:1710.10196 (minibatch standard deviation)",
    "[5] arXiv:1706.08500 (two learning rates)",
    "[6] arXiv:1701.04862 (instance noise)",
    "[7] pytorch/examples dcgan/main.py (nets)",
  ],
  differences: [
    "No paper has all of these together; each follows its own.",
    "Minibatch discrimination has no weight norm, as in the paper; the authors' code has.",
    "D has no batch norm when R1 is on: the penalty is a sample's own, and a norm would tie samples together.",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "[7]: halved",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "[7]" }),
    width: int({
      default: 32,
      min: 2,
      max: 512,
      about: "channels of G's last and D's first layer",
      source: "[7]: halved",
    }),
    lrG: number({ default: 2e-4, min: 0, max: 1, about: "learning rate of G", source: "[7]" }),
    lrD: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of D; above lrG for two time scales",
      source: "[7], [5]",
    }),
    beta1: number({ default: 0.5, min: 0, max: 0.9999, about: "Adam's beta1", source: "[7]" }),
    r1: number({
      default: 0,
      min: 0,
      max: 1e4,
      about: "gamma of R1; 0 is none, 10 is usual",
      source: "[1]",
    }),
    r1Every: int({
      default: 16,
      min: 1,
      max: 1000,
      about: "steps between two R1 penalties; 1 puts it into every step",
      source: "[1]: StyleGAN2",
    }),
    augment: choice({
      default: "none",
      choices: policies,
      about: "DiffAugment in front of D",
      source: "[2]",
    }),
    stddev: flag({
      default: false,
      about: "minibatch standard deviation in D, groups of 4",
      source: "[4]",
    }),
    discrimination: int({
      default: 0,
      min: 0,
      max: 1000,
      about: "kernels of minibatch discrimination in D, of 5 numbers each; [3] has 100",
      source: "[3]",
    }),
    realLabel: number({
      default: 1,
      min: 0.5,
      max: 1,
      about: "D's target for data; .9 smooths labels on one side",
      source: "[3]",
    }),
    instanceNoise: number({
      default: 0,
      min: 0,
      max: 10,
      about: "deviation of noise on all that D sees, falling to 0 over the run",
      source: "[6]",
    }),
    emaImages: number({
      default: 0,
      min: 0,
      max: 1e9,
      about: "images in which G's averaged weights forget half, after a ramp; 0 is no average",
      source: "[1]: StyleGAN2",
    }),
  },
  presets: {
    small: {
      about: "32x32 in minutes on two cores, with R1, an average and DiffAugment",
      options: { r1: 1, emaImages: 10_000, augment: "color+translation" },
      steps: 3000,
    },
    plain: { about: "no remedy: DCGAN at half the width", steps: 3000 },
  },
  nets: (c) => {
    const discrimination = minibatchDiscrimination({ kernels: c.discrimination, dims: 5 });
    const features: Layer = (s, x) => {
      const close = c.discrimination === 0 ? x : s.child("close", (l) => discrimination(l, x));
      return c.stddev ? minibatchStddev(close, { group: 4 }) : close;
    };
    const { G, D } = dcganNets({
      ...c,
      shape: c.shape.x,
      before: diffAugment({ policy: c.augment }),
      ...(c.discrimination > 0 || c.stddev ? { features } : {}),
      normD: c.r1 === 0,
    });
    const noisy: Noisy = (s, x, sigma) => {
      if (c.instanceNoise === 0) return D(s, x);
      const noise = s.noise({ kind: "normal", shape: x.shape });
      return D(s, x.add(mul(noise, sigma)));
    };
    return { G, D: noisy };
  },
  optimizer: (c) => ({
    G: adam({ lr: c.lrG, beta1: c.beta1, beta2: 0.999 }),
    D: adam({ lr: c.lrD, beta1: c.beta1, beta2: 0.999 }),
  }),
  ema: (c) => ({
    G:
      c.emaImages === 0
        ? undefined
        : halfLife({ batch: c.batch, images: c.emaImages, rampUp: 0.05 }),
  }),
  scalars: (c) => ({ sigma: linearDecay({ from: c.instanceNoise }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: (c) => [
    {
      update: ["D"],
      loss({ G, D }, { x, z, sigma }) {
        const [real, fake] = [D(x, sigma), D(G(z), sigma)];
        const duel = bceReal(real, { target: c.realLabel }).add(bceFake(fake));
        const full = c.r1 > 0 && c.r1Every === 1;
        const r1 = zeroCentred((at) => D(at, sigma), { at: x, gamma: c.r1 });
        return { loss: full ? duel.add(r1) : duel, log: scores({ real, fake }) };
      },
    },
    {
      update: ["G"],
      draw: "same",
      loss: ({ G, D }, { z, sigma }) => ({ loss: bceReal(D(G(z), sigma)) }),
    },
    ...(c.r1 > 0 && c.r1Every > 1
      ? [
          {
            update: ["D" as const],
            times: ({ step }: Clock) => (step % c.r1Every === 0 ? 1 : 0),
            loss: ({ D }: { D: Bound<Noisy> }, { x, sigma }: { x: Tensor; sigma: Tensor }) => ({
              loss: zeroCentred((at) => D(at, sigma), { at: x, gamma: c.r1 * c.r1Every }),
            }),
          },
        ]
      : []),
  ],
  sample: ({ G }, { z }) => G(z),
});
