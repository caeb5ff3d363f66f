import { adam, mean, square } from "@duelo/core";
import { dcganNets } from "../blocks/dcgan-nets.ts";
import { scores } from "../blocks/losses.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// Least squares in place of cross entropy: samples that D already takes for real, but that lie far
// from its boundary, still pull G. Next: `wgan`.

export default recipe({
  name: "lsgan",
  about: "least squares in place of cross entropy",
  paper: "arXiv:1611.04076",
  sources: [
    "paper: Eq. 2, Eq. 9, Section 3.3, Section 4.1",
    "[1] pytorch/examples dcgan/main.py (nets)",
  ],
  differences: [
    "The nets of `dcgan`; the paper's G for 112x112 scenes has two more convolutions a level.",
    "z has 100 numbers as in DCGAN; the paper's 1024 belong to its larger G.",
  ],
  data: { x: image({ range: [-1, 1], size: [64, 64], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "(Section 4.1)",
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
      default: 1e-3,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "(Section 4.1): scenes",
    }),
    beta1: number({
      default: 0.5,
      min: 0,
      max: 0.9999,
      about: "Adam's beta1",
      source: "(Section 4.1)",
    }),
  },
  presets: {
    paper: { about: "the published rates at 64x64; the number of steps is ours", steps: 25_000 },
    small: {
      about: "32x32 in minutes on two cores",
      size: [32, 32],
      options: { width: 32, lr: 2e-4 },
      steps: 3000,
    },
  },
  nets: (c) => dcganNets({ ...c, shape: c.shape.x }),
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: c.beta1, beta2: 0.999 });
    return { G: rule, D: rule };
  },
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: () => [
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))];
        const loss = mean(square(real.sub(1))).add(mean(square(fake))); // (Eq. 9), a = 0, b = 1
        return {
          loss: loss.mul(0.5),
          log: scores({ real: real.sub(0.5), fake: fake.sub(0.5) }), // 1/2 lies between a and b
        };
      },
    },
    {
      update: ["G"],
      draw: "same",
      loss: ({ G, D }, { z }) => ({ loss: mean(square(D(G(z)).sub(1))).mul(0.5) }), // c = 1
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
