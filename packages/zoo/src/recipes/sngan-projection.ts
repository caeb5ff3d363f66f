import { adam, linearDecay, mean, mul, nn, sum, type Net, type Tensor } from "@duelo/core";
import { hinge, scores } from "../blocks/losses.ts";
import { refusePyramid } from "../blocks/pyramid.ts";
import { snEmbedding, snLinear, snResnetFeatures, snResnetG } from "../blocks/sn-resnet.ts";
import { int, number } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// `sngan` that knows classes: D adds the product of its features and a vector of the class, and G's
// batch norms take their gains and shifts from the class.

type Conditional = Net<readonly [x: Tensor, y: Tensor], Tensor>;

export default recipe({
  name: "sngan-projection",
  about: "SNGAN with classes: projection in D, conditional batch norm in G",
  paper: "arXiv:1802.05637",
  sources: ["paper: Eq. 3, Eq. 4, Section 4, Appendix A", "[1] pfnet-research/sngan_projection"],
  differences: [
    "Sizes other than 32x32: the number of blocks follows the image, and D halves it to 8x8 or less (32x32 is as in [1]).",
    "D's power iteration moves in D's phase alone; in [1] a pass for G moves it too.",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse: refusePyramid }), y: label() },
  options: {
    batch: int({
      default: 64,
      min: 2,
      max: 2048,
      about: "images in a batch of D; G makes twice as many",
      source: "[1]",
    }),
    zDim: int({ default: 128, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    widthG: int({
      default: 256,
      min: 2,
      max: 1024,
      about: "channels of G's blocks",
      source: "[1]",
    }),
    widthD: int({
      default: 128,
      min: 2,
      max: 1024,
      about: "channels of D's blocks",
      source: "[1]",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets, falling to 0 over the run",
      source: "[1]",
    }),
    nCritic: int({
      default: 5,
      min: 1,
      max: 100,
      about: "updates of D for one of G",
      source: "[1]",
    }),
  },
  presets: {
    paper: { about: "the published settings for CIFAR-10", steps: 50_000 },
    small: { about: "32x32 on two cores", options: { widthG: 32, widthD: 32 }, steps: 2000 },
  },
  nets: (c) => {
    const G: Conditional = (s, z, y) => {
      const byClass = (out: number) =>
        nn.embedding({ count: c.nClasses, out, init: nn.init.zeros }); // gain 1 + 0, shift 0 [1]
      const norm = nn.conditionalBatchNorm({ gain: byClass, bias: byClass, eps: 2e-5 });
      const told = {
        shape: c.shape.x,
        width: c.widthG,
        norm: () => (l: typeof s, x: Tensor) => norm(l, x, y),
      };
      return snResnetG(told)(s, z);
    };
    const features = snResnetFeatures({ shape: c.shape.x, width: c.widthD });
    const classOf = snEmbedding({ count: c.nClasses, out: c.widthD });
    const D: Conditional = (s, x, y) => {
      const phi = s.child("features", (l) => features(l, x)); // [N, widthD]
      const psi = s.child("score", (l) => snLinear(l, phi)); // [N, 1]
      const e = s.child("class", (l) => classOf(y)(l, phi)); // [N, widthD]
      return psi.add(sum(mul(e, phi), { axes: [1], keep: true })); // (Eq. 3)
    };
    return { G, D };
  },
  optimizer: (c) => {
    const rule = adam({ lr: linearDecay({ from: c.lr }), beta1: 0, beta2: 0.9 }); // [1]
    return { G: rule, D: rule };
  },
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    yFake: { kind: "label", shape: [c.batch] },
    zG: { kind: "normal", shape: [2 * c.batch, c.zDim] }, // [1]
    yG: { kind: "label", shape: [2 * c.batch] },
  }),
  phases: (c) => [
    {
      update: ["G"],
      loss: ({ G, D }, { zG, yG }) => ({ loss: mean(D(G(zG, yG), yG)).mul(-1) }),
    },
    {
      update: ["D"],
      times: c.nCritic,
      loss({ G, D }, { x, y, z, yFake }) {
        const [real, fake] = [D(x, y), D(G(z, yFake), yFake)];
        return { loss: hinge({ real, fake }), log: scores({ real, fake }) };
      },
    },
  ],
  sample: ({ G }, { z, yFake }) => G(z, yFake),
});
