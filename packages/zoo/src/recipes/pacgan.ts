import { adam } from "@duelo/core";
import { dcganNets } from "../blocks/dcgan-nets.ts";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { packs } from "../blocks/packs.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// D judges several images at once, laid on one another as channels: a G that makes few different
// images is found out. Only D's first layer grows. Compare `dcgan`.

export default recipe({
  name: "pacgan",
  about: "DCGAN whose D judges packs of images",
  paper: "arXiv:1712.04086",
  sources: [
    "paper: Section 3, Section 4.2",
    "[1] fjxmlzn/PacGAN stacked_MNIST_experiments",
    "[2] pytorch/examples dcgan/main.py (nets)",
  ],
  differences: [
    "The nets of `dcgan`; those of [1] have other widths.",
    "batch counts images: D sees batch / pack packs. The paper counts packs: its 64 packs of 2 are --set batch=128.",
  ],
  data: { x: image({ range: [-1, 1], size: [64, 64], refuse: refusePyramid }) },
  options: {
    pack: int({
      default: 2,
      min: 1,
      max: 16,
      about: "images that D judges at once",
      source: "(Section 4)",
    }),
    batch: int({
      default: 128,
      min: 2,
      max: 4096,
      about: "images in a batch, a multiple of pack",
      source: "(Section 4.2): 64 packs",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "(Section 4.2)" }),
    width: int({
      default: 64,
      min: 2,
      max: 512,
      about: "channels of G's last and D's first layer",
      source: "[2: ngf, ndf]",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "(Section 4.2)",
    }),
    beta1: number({
      default: 0.5,
      min: 0,
      max: 0.9999,
      about: "Adam's beta1",
      source: "(Section 4.2)",
    }),
  },
  presets: {
    paper: { about: "the published rates at 64x64; the number of steps is ours", steps: 25_000 },
    small: {
      about: "32x32 in minutes on two cores",
      size: [32, 32],
      options: { batch: 64, width: 32 },
      steps: 3000,
    },
  },
  nets: (c) => dcganNets({ ...c, shape: c.shape.x, before: (_, x) => packs(x, c) }),
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: c.beta1, beta2: 0.999 });
    return { G: rule, D: rule };
  },
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: () => [
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))]; // a pack is all real or all made (Section 3)
        return { loss: bceReal(real).add(bceFake(fake)), log: scores({ real, fake }) };
      },
    },
    { update: ["G"], draw: "same", loss: ({ G, D }, { z }) => ({ loss: bceReal(D(G(z))) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});
