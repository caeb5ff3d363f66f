import { clipWeights, mean, rmsprop, type Clock } from "@duelo/core";
import { dcganNets } from "../blocks/dcgan-nets.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// The first Wasserstein GAN: D (a critic) gives scores, and its weights are clipped to keep it from
// growing steep. Next: `wgan-gp`, by authors who show what clipping costs.

export default recipe({
  name: "wgan",
  about: "a critic whose weights are clipped",
  paper: "arXiv:1701.07875",
  sources: ["paper: Algorithm 1, Section 4", "[1] martinarjovsky/WassersteinGAN main.py"],
  differences: [
    "Weights are clipped after each update (Algorithm 1); [1] clips before it, so its G sees a critic that is one update outside the bound.",
    "Every weight of D is clipped, gains of batch norm too, as in [1].",
    "warmUp (on, as in [1]): 100 critic updates in each of the first 25 steps, and in every 500th; Algorithm 1 has nCritic always.",
  ],
  data: { x: image({ range: [-1, 1], size: [64, 64], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "(Algorithm 1)",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "[1: nz]" }),
    width: int({
      default: 64,
      min: 2,
      max: 512,
      about: "channels of G's last and D's first layer",
      source: "[1: ngf, ndf]",
    }),
    lr: number({
      default: 5e-5,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "(Algorithm 1)",
    }),
    clip: number({
      default: 0.01,
      min: 1e-6,
      max: 10,
      about: "bound of the critic's weights",
      source: "(Algorithm 1)",
    }),
    nCritic: int({
      default: 5,
      min: 1,
      max: 100,
      about: "critic updates for one of G",
      source: "(Algorithm 1)",
    }),
    warmUp: int({
      default: 25,
      min: 0,
      max: 100_000,
      about: "first steps with 100 critic updates each",
      source: "[1]",
    }),
  },
  presets: {
    paper: { about: "the published settings at 64x64; the number of steps is ours", steps: 25_000 },
    small: {
      about: "32x32 on two cores",
      size: [32, 32],
      options: { width: 32, warmUp: 5 },
      steps: 3000,
    },
  },
  nets: (c) => dcganNets({ ...c, shape: c.shape.x }),
  optimizer: (c) => {
    const rule = rmsprop({ lr: c.lr, alpha: 0.99 }); // [1]: PyTorch's
    return { G: rule, D: clipWeights({ rule, bound: c.clip }) };
  },
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: (c) => [
    {
      update: ["D"],
      times: ({ step }: Clock) =>
        c.warmUp > 0 && (step < c.warmUp || step % 500 === 0) ? 100 : c.nCritic, // [1]
      loss({ G, D }, { x, z }) {
        const [real, fake] = [mean(D(x)), mean(D(G(z)))];
        return {
          loss: fake.sub(real), // (Algorithm 1, lines 5 and 6)
          log: { "D/real": real, "D/fake": fake, "D/distance": real.sub(fake) },
        };
      },
    },
    { update: ["G"], loss: ({ G, D }, { z }) => ({ loss: mean(D(G(z))).mul(-1) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});
