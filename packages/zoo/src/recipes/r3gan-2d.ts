import { adam, nn, sizeOf, stopGradient, type Layer } from "@duelo/core";
import { pairing, scores } from "../blocks/losses.ts";
import { zeroCentred } from "../blocks/penalties.ts";
import { int, number } from "../options.ts";
import { recipe, vector } from "../recipe.ts";

// The loss of R3GAN for points: D says which of two samples is more real, and is kept flat at data and
// at samples. Next: `r3gan` (images).

/** An affine map into `width`, residual blocks without any norm, an affine map out. */
const residual = (o: { width: number; out: number; blocks: number }): Layer => {
  const init = nn.init.heNormal({ gain: Math.SQRT2 * o.blocks ** -0.5 });
  const body = nn.chain(
    nn.linear({ out: o.width, init, biasInit: nn.init.zeros }),
    nn.leakyRelu({ slope: 0.2 }),
    nn.linear({ out: o.width, init: nn.init.zeros, bias: false }), // the last begins at zero [1]
  );
  const block = nn.residual({ body });
  const ends = { init: nn.init.heNormal({ gain: 1 }), biasInit: nn.init.zeros };
  return nn.chain(
    nn.linear({ out: o.width, ...ends }),
    ...Array.from({ length: o.blocks }, () => block),
    nn.linear({ out: o.out, ...ends }),
  );
};

export default recipe({
  name: "r3gan-2d",
  about: "a relativistic D that is kept flat at data and samples; for points in the plane",
  paper: "arXiv:2501.05441",
  sources: ["[1] brownvc/R3GAN", "paper: Section 2, Eq. 2, Eq. 4 to 6"],
  differences: [
    "The paper has no net for points: ours are residual, without norms, as its nets for images are.",
    "gamma, rates and their schedules: constant and ours; [1] lets them fall along a cosine.",
  ],
  data: { x: vector() },
  options: {
    batch: int({
      default: 256,
      min: 1,
      max: 65_536,
      about: "points in a batch",
      source: "ours: as wgan-gp-2d",
    }),
    zDim: int({
      default: 16,
      min: 1,
      max: 4096,
      about: "length of z",
      source: "ours: more than the plane has",
    }),
    width: int({
      default: 128,
      min: 1,
      max: 4096,
      about: "units in each layer",
      source: "ours: as gan-2d",
    }),
    blocks: int({
      default: 3,
      min: 1,
      max: 32,
      about: "residual blocks of a net",
      source: "ours: as deep as wgan-gp-2d",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "[1]: its first value",
    }),
    gamma: number({
      default: 0.05,
      min: 0,
      max: 1e4,
      about: "weight of R1 and R2",
      source: "[1]: CIFAR-10, first value",
    }),
  },
  presets: { small: { about: "a few minutes on two cores", steps: 5000 } },
  nets: (c) => ({
    G: residual({ ...c, out: sizeOf(c.shape.x) }),
    D: residual({ ...c, out: 1 }),
  }),
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: 0, beta2: 0.99 }); // [1]
    return { G: rule, D: rule };
  },
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }),
  phases: (c) => [
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const made = stopGradient(G(z));
        const [real, fake] = [D(x), D(made)];
        const r1 = zeroCentred(D, { at: x, gamma: c.gamma });
        const r2 = zeroCentred(D, { at: made, gamma: c.gamma });
        return {
          loss: pairing({ better: real, worse: fake }).add(r1).add(r2), // (Eq. 2) at every step
          log: { ...scores({ real, fake }), "D/R1": r1, "D/R2": r2 },
        };
      },
    },
    {
      update: ["G"],
      loss: ({ G, D }, { x, z }) => ({ loss: pairing({ better: D(G(z)), worse: D(x) }) }),
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
