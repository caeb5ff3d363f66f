import { adam, nn, sizeOf, type Layer } from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { int, number } from "../options.ts";
import { recipe, vector } from "../recipe.ts";

// The GAN of 2014 for points instead of images: small enough to watch, and the usual place to see
// modes being lost. Next: `wgan-gp-2d`.

/** Two hidden layers of tanh units [1]. */
const mlp = (width: number, out: number): Layer =>
  nn.chain(
    nn.linear({ out: width, init: nn.init.orthogonal({ gain: 1.4 }), biasInit: nn.init.zeros }),
    nn.tanh,
    nn.linear({ out: width, init: nn.init.orthogonal({ gain: 1.4 }), biasInit: nn.init.zeros }),
    nn.tanh,
    nn.linear({ out, init: nn.init.orthogonal({ gain: 1.4 }), biasInit: nn.init.zeros }),
  );

export default recipe({
  name: "gan-2d",
  about: "the first GAN for points in the plane and other short vectors",
  paper: "arXiv:1406.2661",
  sources: ["[1] poolio/unrolled_gan, the mixture notebook (nets and rates)", "paper: Algorithm 1"],
  differences: [
    "No unrolling, and the loss for G that does not saturate (Section 3): the plain game with the nets and rates of [1].",
    "[1] draws its ring with the first and the last mean in the same place; our `ring8` has eight.",
    "D and G take turns on one batch; [1] builds both updates from one forward pass.",
  ],
  data: { x: vector() },
  options: {
    batch: int({ default: 512, min: 1, max: 65_536, about: "points in a batch", source: "[1]" }),
    zDim: int({ default: 256, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    width: int({
      default: 128,
      min: 1,
      max: 4096,
      about: "units in each hidden layer",
      source: "[1]",
    }),
    lrG: number({ default: 1e-3, min: 0, max: 1, about: "learning rate of G", source: "[1]" }),
    lrD: number({ default: 1e-4, min: 0, max: 1, about: "learning rate of D", source: "[1]" }),
    beta1: number({ default: 0.5, min: 0, max: 0.9999, about: "Adam's beta1", source: "[1]" }),
  },
  presets: {
    paper: { about: "the settings of [1]", steps: 25_000 },
    small: { about: "seconds on two cores", steps: 5000 },
  },
  nets: (c) => ({ G: mlp(c.width, sizeOf(c.shape.x)), D: mlp(c.width, 1) }),
  optimizer: (c) => ({
    G: adam({ lr: c.lrG, beta1: c.beta1 }),
    D: adam({ lr: c.lrD, beta1: c.beta1 }),
  }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: () => [
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))];
        return { loss: bceReal(real).add(bceFake(fake)), log: scores({ real, fake }) };
      },
    },
    { update: ["G"], draw: "same", loss: ({ G, D }, { z }) => ({ loss: bceReal(D(G(z))) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});
