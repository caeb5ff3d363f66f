import {
  adam,
  concat,
  exponentialDecay,
  momentum,
  nn,
  oneHot,
  sizeOf,
  type Net,
  type Tensor,
} from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { choice, int, number } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// The conditional GAN: G and D are both told the class. Next: `dcgan` (convolutions).

type Conditional = Net<readonly [x: Tensor, y: Tensor], Tensor>;
const uniform = (half: number) => nn.init.uniform({ low: -half, high: half });
const biasInit = nn.init.zeros;
/** z of mean 0 and variance 1. */
const centred = (z: Tensor): Tensor => z.sub(0.5).mul(Math.sqrt(12));

export default recipe({
  name: "cgan",
  about: "the conditional GAN: multilayer perceptrons that are told the class",
  paper: "arXiv:1411.1784",
  sources: [
    "paper: Section 4.1",
    "[1] goodfeli/adversarial mnist.yaml (what the paper leaves out)",
  ],
  differences: [
    "The paper gives no initial weights: those of [1] are used. Preset small begins with weights by how much each unit reads (init=he; z is then brought to mean 0 and variance 1), learns by Adam and drops less of D.",
    "The paper gives no dropout places: D's are those of [1] (inputs kept 0.8, hidden 0.5); G's hidden layer keeps 0.5.",
    "The paper ends at momentum 0.7 and does not say when: it is there after 250 passes of 50,000 images, as in [1].",
    "D moves first and G answers on the same batch and noise; the paper does not say, and [1] moves both at once.",
  ],
  data: { x: image({ range: [0, 1], size: [28, 28] }), y: label() },
  options: {
    batch: int({
      default: 100,
      min: 1,
      max: 4096,
      about: "images in a batch",
      source: "(Section 4.1)",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "(Section 4.1)" }),
    widthG: int({
      default: 1200,
      min: 2,
      max: 16384,
      about: "units in G's joint layer",
      source: "(Section 4.1)",
    }),
    unitsD: int({
      default: 240,
      min: 2,
      max: 4096,
      about: "maxout units of D, for the picture and in its joint layer",
      source: "(Section 4.1)",
    }),
    init: choice({
      default: "small",
      choices: ["small", "he"],
      about:
        "initial weights: small ones, or by how much each unit reads, so that one class among zeros is heard",
      source: "[1] small; he is ours: labels are heard from the first step",
    }),
    rule: choice({
      default: "momentum",
      choices: ["momentum", "adam"],
      about: "how both nets learn: gradient descent with momentum, or Adam with beta1 0.5",
      source: "(Section 4.1) momentum; adam is ours: far fewer steps",
    }),
    lr: number({
      default: 0.1,
      min: 0,
      max: 10,
      about: "learning rate of both nets at the start",
      source: "(Section 4.1)",
    }),
    dropoutG: number({
      default: 0.5,
      min: 0,
      max: 0.95,
      about: "dropout in G",
      source: "(Section 4.1)",
    }),
    dropoutD: number({
      default: 0.5,
      min: 0,
      max: 0.95,
      about: "dropout of D's hidden layers; its inputs drop two fifths as much",
      source: "[1]: 0.5 and 0.2",
    }),
    emaDecay: number({
      default: 0,
      min: 0,
      max: 0.99999,
      about: "decay of G's averaged weights",
      source: "ours: steadier samples after short runs",
    }),
  },
  presets: {
    paper: { about: "the published MNIST settings", steps: 125_000 },
    small: {
      about: "28x28 in minutes on two cores",
      options: {
        widthG: 512,
        unitsD: 120,
        init: "he",
        rule: "adam",
        lr: 2e-4,
        dropoutG: 0,
        dropoutD: 0.2,
        emaDecay: 0.995,
      },
      steps: 10_000,
    },
  },
  nets: (c) => {
    const spread = (half: number) => (c.init === "he" ? nn.init.heUniform() : uniform(half));
    const dense = (out: number, half: number) => nn.linear({ out, init: spread(half), biasInit });
    const maxout = (out: number, pieces: number) =>
      nn.maxout({ out, pieces, init: spread(0.005), biasInit });
    const G: Conditional = (s, z, y) => {
      const ofZ = nn.chain(dense(200, 0.05), nn.relu);
      const fromZ = s.child("z", (c1) => ofZ(c1, c.init === "he" ? centred(z) : z)); // [N, 200]
      const fromY = s.child("y", (c1) => nn.chain(dense(1000, 0.05), nn.relu)(c1, y)); // [N, 1000]
      const joint = nn.chain(
        dense(c.widthG, 0.05),
        nn.relu,
        nn.dropout({ p: c.dropoutG }),
        dense(sizeOf(c.shape.x), 0.05),
        nn.sigmoid,
        nn.reshape(c.shape.x),
      );
      return s.child("joint", (c1) => joint(c1, concat([fromZ, fromY], 1)));
    };
    const D: Conditional = (s, x, y) => {
      const ofX = nn.chain(nn.flatten, nn.dropout({ p: 0.4 * c.dropoutD }), maxout(c.unitsD, 5));
      const fromX = s.child("x", (c1) => ofX(c1, x)); // [N, unitsD]
      const fromY = s.child("y", (c1) => maxout(50, 5)(c1, y)); // [N, 50]
      const joint = nn.chain(
        nn.dropout({ p: c.dropoutD }),
        maxout(c.unitsD, 4),
        nn.dropout({ p: c.dropoutD }),
        dense(1, 0.005),
      );
      return s.child("joint", (c1) => joint(c1, concat([fromX, fromY], 1)));
    };
    const told =
      (net: Conditional): Conditional =>
      (s, x, y) =>
        net(s, x, oneHot(y, { depth: c.nClasses }));
    return { G: told(G), D: told(D) };
  },
  optimizer: (c) => {
    const published = momentum({
      lr: exponentialDecay({ from: c.lr, factor: 1 / 1.00004, floor: 1e-6 }), // (Section 4.1)
      momentum: ({ nImages }) => 0.5 + 0.2 * Math.min(Math.floor(nImages / 50_000) / 249, 1), // [1]
    });
    const rule = c.rule === "adam" ? adam({ lr: c.lr, beta1: 0.5 }) : published;
    return { G: rule, D: rule };
  },
  ema: (c) => ({ G: c.emaDecay === 0 ? undefined : c.emaDecay }),
  noise: (c) => ({
    z: { kind: "uniform", shape: [c.batch, c.zDim], low: 0, high: 1 }, // (Section 4.1)
    yFake: { kind: "label", shape: [c.batch] }, // by the data's own frequencies, not the batch's labels
  }),
  phases: () => [
    {
      update: ["D"],
      loss({ G, D }, { x, y, z, yFake }) {
        const [real, fake] = [D(x, y), D(G(z, yFake), yFake)];
        return { loss: bceReal(real).add(bceFake(fake)).mul(0.5), log: scores({ real, fake }) };
      },
    },
    {
      update: ["G"],
      draw: "same",
      loss: ({ G, D }, { z, yFake }) => ({ loss: bceReal(D(G(z, yFake), yFake)) }),
    },
  ],
  sample: ({ G }, { z, yFake }) => G(z, yFake),
});
