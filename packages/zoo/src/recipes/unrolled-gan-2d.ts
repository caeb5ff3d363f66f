import { adam, nn, sizeOf, type Layer } from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { int, number } from "../options.ts";
import { recipe, vector } from "../recipe.ts";

// G plays against the D that would answer it: G's loss is taken after several updates of D, and its
// gradient flows back through them. Compare `gan-2d`: the same nets without that.

/** Two hidden layers of tanh units [1]. */
const mlp = (width: number, out: number): Layer => {
  const o = { init: nn.init.orthogonal({ gain: 1.4 }), biasInit: nn.init.zeros }; // [1]
  const hidden = [nn.linear({ out: width, ...o }), nn.tanh];
  return nn.chain(...hidden, ...hidden, nn.linear({ out, ...o }));
};

export default recipe({
  name: "unrolled-gan-2d",
  about: "G looks some updates of D ahead; for points in the plane",
  paper: "arXiv:1611.02163",
  sources: ["[1] poolio/unrolled_gan, the mixture notebook", "paper: Section 2.4, Eq. 7 to 11"],
  differences: [
    "[1] draws its ring with the first and the last mean in the same place; our `ring8` has eight.",
    "Adam's eps is scaled as in Adam's Algorithm 1; [1] has the form in which it is not. 1e-16 under Adam's root keeps the gradient through its steps finite where D's is zero.",
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
    unrolling: int({
      default: 5,
      min: 0,
      max: 20,
      about: "updates of D that G looks ahead; 0 is the plain GAN",
      source: "[1]",
    }),
    lrG: number({ default: 1e-3, min: 0, max: 1, about: "learning rate of G", source: "[1]" }),
    lrD: number({ default: 1e-4, min: 0, max: 1, about: "learning rate of D", source: "[1]" }),
    beta1: number({ default: 0.5, min: 0, max: 0.9999, about: "Adam's beta1", source: "[1]" }),
  },
  presets: {
    paper: { about: "the settings of [1]", steps: 25_000 },
    small: { about: "a few minutes on two cores", steps: 3000 },
  },
  nets: (c) => ({ G: mlp(c.width, sizeOf(c.shape.x)), D: mlp(c.width, 1) }),
  optimizer: (c) => ({
    G: adam({ lr: c.lrG, beta1: c.beta1 }),
    D: adam({ lr: c.lrD, beta1: c.beta1, epsRoot: 1e-16 }),
  }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: (c) => [
    {
      update: ["D", "G"], // both at once, from the same draws [1]
      loss({ G, D }, { x, z }, _, lookAhead) {
        const lossD = () => bceReal(D(x)).add(bceFake(D(G(z)))); // on the same batch at every step [1]
        return {
          loss: {
            D: lossD(),
            G: lookAhead({
              net: "D",
              steps: c.unrolling,
              loss: lossD,
              after: () => lossD().mul(-1), // G plays the minimax game (Eq. 9) [1]
            }),
          },
          log: scores({ real: D(x), fake: D(G(z)) }),
        };
      },
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
