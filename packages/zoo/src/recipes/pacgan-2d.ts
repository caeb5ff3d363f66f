import { adam, nn, sizeOf, type Layer } from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { packs } from "../blocks/packs.ts";
import { int, number } from "../options.ts";
import { recipe, vector } from "../recipe.ts";

// D judges several samples at once, so a G that makes the same thing over and over is found out.
// With pack 1 it is the plain GAN that the paper compares with. Next: `pacgan` (images).

const init = { init: nn.init.normal({ std: 0.02 }), biasInit: nn.init.zeros }; // [1]

export default recipe({
  name: "pacgan-2d",
  about: "D judges packs of samples; for points in the plane",
  paper: "arXiv:1712.04086",
  sources: [
    "[1] fjxmlzn/PacGAN synthetic_data_experiments",
    "paper: Section 3, Section 4.1",
    "VEEGAN's protocol (arXiv:1705.07761)",
  ],
  differences: [
    "batch counts samples: D sees batch / pack packs. [1] counts packs: its 100 packs of 2 are --set batch=200.",
    "D moves first and G answers on the same noise.",
  ],
  data: { x: vector() },
  options: {
    pack: int({
      default: 2,
      min: 1,
      max: 16,
      about: "samples that D judges at once",
      source: "(Section 4.1)",
    }),
    batch: int({
      default: 200,
      min: 2,
      max: 65_536,
      about: "points in a batch, a multiple of pack",
      source: "[1]: 100 packs",
    }),
    zDim: int({ default: 2, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    widthG: int({
      default: 400,
      min: 2,
      max: 4096,
      about: "units in each of G's four hidden layers",
      source: "[1]",
    }),
    unitsD: int({
      default: 200,
      min: 1,
      max: 4096,
      about: "maxout units in each of D's three hidden layers",
      source: "[1]",
    }),
    lr: number({
      default: 1e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "[1]",
    }),
    beta1: number({ default: 0.8, min: 0, max: 0.9999, about: "Adam's beta1", source: "[1]" }),
  },
  presets: {
    paper: { about: "the published settings: 400 passes of 100,000 points", steps: 400_000 },
    small: { about: "a few minutes on two cores", steps: 5000 },
  },
  nets: (c) => {
    const hidden: Layer[] = [nn.linear({ out: c.widthG, ...init }), nn.batchNorm(), nn.relu];
    const maxout = nn.maxout({ out: c.unitsD, pieces: 5, ...init });
    return {
      G: nn.chain(
        ...hidden,
        ...hidden,
        ...hidden,
        ...hidden,
        nn.linear({ out: sizeOf(c.shape.x), ...init }),
      ),
      D: nn.chain(
        (_, x) => packs(x, c), // [N / pack, pack * 2]
        maxout,
        maxout,
        maxout,
        nn.linear({ out: 1, ...init }),
      ),
    };
  },
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: c.beta1, beta2: 0.999 }); // [1]
    return { G: rule, D: rule };
  },
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
