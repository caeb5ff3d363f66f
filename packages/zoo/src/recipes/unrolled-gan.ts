import { adam } from "@duelo/core";
import { dcganNets } from "../blocks/dcgan-nets.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// G plays against the D that would answer it: its loss is taken after several updates of D, and its
// gradient flows back through them. See `unrolled-gan-2d` for the authors' own toy.

export default recipe({
  name: "unrolled-gan",
  about: "G looks some updates of D ahead",
  paper: "arXiv:1611.02163",
  sources: [
    "paper: Section 2.4, Eq. 7 to 11, Section 3.3",
    "[1] poolio/unrolled_gan, the mixture notebook",
    "[2] pytorch/examples dcgan/main.py (nets and rates)",
  ],
  differences: [
    "The nets and rates of `dcgan`; the paper has small nets of its own for each experiment and no code for them.",
    "G's loss is the one that does not saturate; the notebook's minimax loss gives no gradient to an image G whose D has won.",
    "D's own Adam is what is unrolled, its moments included, as in [1]. 1e-16 under its root keeps the gradient through its steps finite where D's is zero.",
    "Every unrolled step uses the same batch, as in [1].",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "ours: a step costs several of dcgan",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "[2: nz]" }),
    width: int({
      default: 32,
      min: 2,
      max: 512,
      about: "channels of G's last and D's first layer",
      source: "ours: a step costs several of dcgan",
    }),
    unrolling: int({
      default: 5,
      min: 0,
      max: 20,
      about: "updates of D that G looks ahead; 0 is the plain GAN",
      source: "(Section 3.3)",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "[2: lr]",
    }),
    beta1: number({ default: 0.5, min: 0, max: 0.9999, about: "Adam's beta1", source: "[1]" }),
  },
  presets: {
    paper: { about: "five steps ahead, as the paper's longest runs", steps: 25_000 },
    small: { about: "32x32 on two cores", options: { unrolling: 2, width: 16 }, steps: 1000 },
  },
  nets: (c) => dcganNets({ ...c, shape: c.shape.x }),
  optimizer: (c) => ({
    G: adam({ lr: c.lr, beta1: c.beta1 }),
    D: adam({ lr: c.lr, beta1: c.beta1, epsRoot: 1e-16 }),
  }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: (c) => [
    {
      update: ["D", "G"], // both at once, from the same draws [1]
      loss({ G, D }, { x, z }, _, lookAhead) {
        const lossD = () => bceReal(D(x)).add(bceFake(D(G(z))));
        return {
          loss: {
            D: lossD(), // one ordinary step (Eq. 11)
            G: lookAhead({
              net: "D",
              steps: c.unrolling,
              loss: lossD,
              after: () => bceReal(D(G(z))),
            }),
          },
          log: scores({ real: D(x), fake: D(G(z)) }),
        };
      },
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
