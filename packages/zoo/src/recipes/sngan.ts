import { adam, linearDecay, mean, nn } from "@duelo/core";
import { hinge, scores } from "../blocks/losses.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { snLinear, snResnetFeatures, snResnetG } from "../blocks/sn-resnet.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// Every weight of D is divided by its largest singular value, so that D cannot grow steep: as calm as
// a gradient penalty, without second derivatives. Next: `sngan-projection` (labels).

export default recipe({
  name: "sngan",
  about: "spectral norm in D, hinge loss, residual nets",
  paper: "arXiv:1802.05957",
  sources: [
    "paper: Algorithm 1, Eq. 16 and 17, Table 4, Section 4",
    "[1] pfnet-research/sngan_projection",
  ],
  differences: [
    "Sizes other than 32x32: the number of blocks follows the image, and D halves it to 8x8 or less (32x32 is as in Table 4).",
    "D's power iteration moves in D's phase alone; in [1] a pass for G moves it too.",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 2048,
      about: "images in a batch of D; G makes twice as many",
      source: "[1]",
    }),
    zDim: int({ default: 128, min: 1, max: 4096, about: "length of z", source: "(Table 4)" }),
    widthG: int({
      default: 256,
      min: 2,
      max: 1024,
      about: "channels of G's blocks",
      source: "(Table 4)",
    }),
    widthD: int({
      default: 128,
      min: 2,
      max: 1024,
      about: "channels of D's blocks",
      source: "(Table 4)",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets, falling to 0 over the run",
      source: "(Section 4)",
    }),
    nCritic: int({
      default: 5,
      min: 1,
      max: 100,
      about: "updates of D for one of G",
      source: "(Section 4)",
    }),
  },
  presets: {
    paper: { about: "the published settings for CIFAR-10", steps: 50_000 },
    small: { about: "32x32 on two cores", options: { widthG: 32, widthD: 32 }, steps: 2000 },
  },
  nets: (c) => ({
    G: snResnetG({ shape: c.shape.x, width: c.widthG, norm: () => nn.batchNorm({ eps: 2e-5 }) }),
    D: nn.named({
      features: snResnetFeatures({ shape: c.shape.x, width: c.widthD }),
      score: snLinear,
    }),
  }),
  optimizer: (c) => {
    const rule = adam({ lr: linearDecay({ from: c.lr }), beta1: 0, beta2: 0.9 }); // [1]
    return { G: rule, D: rule };
  },
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    zG: { kind: "normal", shape: [2 * c.batch, c.zDim] }, // [1]
  }),
  phases: (c) => [
    { update: ["G"], loss: ({ G, D }, { zG }) => ({ loss: mean(D(G(zG))).mul(-1) }) }, // (Eq. 17)
    {
      update: ["D"],
      times: c.nCritic,
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))];
        return { loss: hinge({ real, fake }), log: scores({ real, fake }) }; // (Eq. 16)
      },
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
