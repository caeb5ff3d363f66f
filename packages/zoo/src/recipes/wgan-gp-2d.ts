import { adam, grad, mean, nn, sizeOf, sqrt, square, sum, type Layer } from "@duelo/core";
import { int, number } from "../options.ts";
import { recipe, vector } from "../recipe.ts";

// WGAN-GP for points in the plane. Compare `gan-2d`, which loses modes where this keeps them.

/** Three hidden layers of ReLU units [1]. */
const mlp = (width: number, out: number): Layer => {
  const init = nn.init.heUniform();
  const hidden = [nn.linear({ out: width, init, biasInit: nn.init.zeros }), nn.relu];
  return nn.chain(
    ...hidden,
    ...hidden,
    ...hidden,
    nn.linear({ out, init: nn.init.xavierUniform(), biasInit: nn.init.zeros }),
  );
};

export default recipe({
  name: "wgan-gp-2d",
  about: "WGAN-GP for points in the plane and other short vectors",
  paper: "arXiv:1704.00028",
  sources: ["[1] igul222/improved_wgan_training gan_toy.py", "paper: Section 4, Figure 1"],
  differences: [
    "Points come as they are; [1] divides its own sets by their standard deviation.",
    "1e-12 under the root keeps the penalty's gradient finite where D is flat; [1] has nothing.",
    "[1] can also hold G at the data plus noise, to draw D's surface; that is left out.",
  ],
  data: { x: vector() },
  options: {
    batch: int({ default: 256, min: 1, max: 65_536, about: "points in a batch", source: "[1]" }),
    zDim: int({ default: 2, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    width: int({
      default: 512,
      min: 1,
      max: 4096,
      about: "units in each hidden layer",
      source: "[1: DIM]",
    }),
    lr: number({
      default: 1e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "[1]",
    }),
    nCritic: int({
      default: 5,
      min: 1,
      max: 100,
      about: "critic updates for one of G",
      source: "[1]",
    }),
    lambda: number({
      default: 0.1,
      min: 0,
      max: 1e4,
      about: "weight of the gradient penalty",
      source: "[1]: smaller makes toys faster",
    }),
  },
  presets: {
    paper: { about: "the settings of [1]", steps: 100_000 },
    small: { about: "a minute or two on two cores", options: { width: 128 }, steps: 5000 },
  },
  nets: (c) => ({ G: mlp(c.width, sizeOf(c.shape.x)), D: mlp(c.width, 1) }),
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: 0.5, beta2: 0.9 }); // [1]
    return { G: rule, D: rule };
  },
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    eps: { kind: "uniform", shape: [c.batch, 1], low: 0, high: 1 },
  }),
  phases: (c) => [
    {
      update: ["D"],
      times: c.nCritic,
      loss({ G, D }, { x, z, eps }) {
        const fake = G(z);
        const between = fake.add(eps.mul(x.sub(fake)));
        const [g = between] = grad(D(between), [between]);
        const slope = sqrt(sum(square(g), { axes: [1] }).add(1e-12)); // [N]
        const penalty = mean(square(slope.sub(1)));
        const [real, made] = [mean(D(x)), mean(D(fake))];
        return {
          loss: made.sub(real).add(penalty.mul(c.lambda)), // (Eq. 3)
          log: {
            "D/real": real,
            "D/fake": made,
            "D/distance": real.sub(made),
            "D/penalty": penalty,
          },
        };
      },
    },
    { update: ["G"], loss: ({ G, D }, { z }) => ({ loss: mean(D(G(z))).mul(-1) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});
