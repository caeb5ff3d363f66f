import { exponentialDecay, momentum, nn, sizeOf, type Layer } from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// The first GAN: two multilayer perceptrons, maxout and dropout in D.
// Next: `gan-2d` (the same game for points in the plane, easy to watch), `dcgan` (convolutions).

/** Dropout whose input is kept with probability `keep`. */
const kept = (keep: number): Layer => nn.dropout({ p: 1 - keep });
const spread = (half: number) => nn.init.uniform({ low: -half, high: half });

export default recipe({
  name: "gan",
  about: "the first GAN: multilayer perceptrons, maxout and dropout in D",
  paper: "arXiv:1406.2661",
  sources: ["[1] goodfeli/adversarial mnist.yaml", "paper: Section 3, Algorithm 1"],
  differences: [
    "G's output bias begins at zero; [1] begins it at the logit of the mean pixel.",
    "Momentum rises from pass to pass of 50,000 images as in [1], whatever the size of the data set.",
  ],
  data: { x: image({ range: [0, 1], size: [28, 28] }) },
  options: {
    batch: int({ default: 100, min: 1, max: 4096, about: "images in a batch", source: "[1]" }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    widthG: int({
      default: 1200,
      min: 2,
      max: 16384,
      about: "units in each of G's two layers",
      source: "[1]",
    }),
    unitsD: int({
      default: 240,
      min: 2,
      max: 4096,
      about: "maxout units in each of D's two layers",
      source: "[1]",
    }),
    lr: number({
      default: 0.1,
      min: 0,
      max: 10,
      about: "learning rate of both nets at the start",
      source: "[1]",
    }),
  },
  presets: {
    paper: { about: "the published MNIST settings", steps: 125_000 },
    small: { about: "28x28 in minutes on two cores", steps: 6000 },
  },
  nets: (c) => {
    const shape = c.shape.x;
    return {
      G: nn.chain(
        nn.linear({ out: c.widthG, init: spread(0.05), biasInit: nn.init.zeros }),
        nn.relu,
        nn.linear({ out: c.widthG, init: spread(0.05), biasInit: nn.init.zeros }),
        nn.relu,
        nn.linear({ out: sizeOf(shape), init: spread(0.05), biasInit: nn.init.zeros }),
        nn.sigmoid,
        nn.reshape(shape),
      ),
      D: nn.chain(
        nn.flatten,
        kept(0.8),
        nn.maxout({ out: c.unitsD, pieces: 5, init: spread(0.005), biasInit: nn.init.zeros }),
        kept(0.5),
        nn.maxout({ out: c.unitsD, pieces: 5, init: spread(0.005), biasInit: nn.init.zeros }),
        kept(0.5),
        nn.linear({ out: 1, init: spread(0.005), biasInit: nn.init.zeros }),
      ),
    };
  },
  optimizer: (c) => {
    const rule = momentum({
      lr: exponentialDecay({ from: c.lr, factor: 1 / 1.000004, floor: 1e-6 }), // [1]
      momentum: ({ nImages }) => 0.5 + 0.2 * Math.min(Math.floor(nImages / 50_000) / 249, 1), // [1]
    });
    return { G: rule, D: rule };
  },
  // Unit variance: U(-sqrt 3, sqrt 3) [1]
  noise: (c) => ({
    z: { kind: "uniform", shape: [c.batch, c.zDim], low: -Math.sqrt(3), high: Math.sqrt(3) },
  }),
  phases: () => [
    {
      update: ["D", "G"], // both at once, from one forward pass [1]
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))];
        return {
          loss: {
            D: bceReal(real).add(bceFake(fake)).mul(0.5), // [1] halves it
            G: bceReal(fake), // non-saturating (Section 3)
          },
          log: scores({ real, fake }),
        };
      },
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
