import { adam, mean, nn, sizeOf, square, type Layer, type Tensor } from "@duelo/core";
import { bceFake, bceReal } from "../blocks/losses.ts";
import { choice, int, number } from "../options.ts";
import { recipe, vector } from "../recipe.ts";

// The toy of the DiscoGAN paper: points of one mixture become points of another, and without both ways
// home several modes end up in one. Next: `discogan`, for images.

/** So many affine maps with ReLU between them. */
const mlp = (depth: number, width: number, out: number): Layer => {
  const hidden = [nn.linear({ out: width }), nn.relu];
  return nn.chain(...Array.from({ length: depth - 1 }, () => hidden).flat(), nn.linear({ out }));
};

export default recipe({
  name: "discogan-2d",
  about: "the toy of the DiscoGAN paper: modes of one mixture find modes of another",
  paper: "arXiv:1703.05192",
  sources: ["paper: Section 3, Figures 2 and 4, Eq. 3 to 10"],
  differences: [
    "The paper has ReLU after G's last affine map too, which reaches no negative numbers; here the last one is plain.",
    "The paper says neither width, batch nor where the modes are: 128 units, 256 points, and a small ring of five Gaussians and a large one of ten, so that at first all of A goes to nearly one point, as in its Figure 4.",
    "D moves first and the generators answer on the same batch; the paper does not say.",
  ],
  data: { a: vector({ stream: "A" }), b: vector({ stream: "B" }) },
  options: {
    batch: int({
      default: 256,
      min: 1,
      max: 65_536,
      about: "points of each domain",
      source: "ours: the paper does not say",
    }),
    width: int({
      default: 128,
      min: 1,
      max: 4096,
      about: "units in each hidden layer",
      source: "ours: the paper does not say",
    }),
    ways: choice({
      default: "both",
      choices: ["both", "home", "one"],
      about:
        "both: DiscoGAN; home: A to B and back to A (Figure 2b); one: A to B alone (Figure 2a)",
      source: "(Figure 2)",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of all nets",
      source: "(Section 4)",
    }),
  },
  presets: {
    paper: { about: "as long as in Figure 4", steps: 50_000 },
    small: { about: "half a minute on two cores", options: { width: 64 }, steps: 10_000 },
  },
  nets: (c) => {
    const G = (out: number): Layer => mlp(3, c.width, out);
    const D = mlp(5, c.width, 1);
    return { GAB: G(sizeOf(c.shape.b)), GBA: G(sizeOf(c.shape.a)), DA: D, DB: D };
  },
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: 0.5 }); // (Section 4)
    return { GAB: rule, GBA: rule, DA: rule, DB: rule };
  },
  noise: () => ({}),
  phases: (c) => [
    {
      update: c.ways === "both" ? ["DA", "DB"] : ["DB"],
      loss({ GAB, GBA, DA, DB }, { a, b }) {
        const DBs = judge(DB, b, GAB(a)); // (Eq. 6)
        return { loss: c.ways === "both" ? { DB: DBs, DA: judge(DA, a, GBA(b)) } : { DB: DBs } };
      },
    },
    {
      update: c.ways === "one" ? ["GAB"] : ["GAB", "GBA"],
      draw: "same",
      loss({ GAB, GBA, DA, DB }, { a, b }) {
        const toB = GAB(a);
        const fool = bceReal(DB(toB)); // (Eq. 5)
        if (c.ways === "one") return { loss: fool };
        const home = distance(GBA(toB), a); // (Eq. 4)
        const log = { "G/home": home };
        if (c.ways === "home") return { loss: fool.add(home), log };
        const toA = GBA(b);
        const other = bceReal(DA(toA)).add(distance(GAB(toA), b));
        return { loss: fool.add(home).add(other), log }; // (Eq. 8)
      },
    },
  ],
  sample: ({ GAB }, { a }) => GAB(a),
  functions: (c) => ({
    toB: { about: "a point of A as one of B", call: ({ GAB }, { a }) => GAB(a) },
    ...(c.ways === "one"
      ? {}
      : { toA: { about: "a point of B as one of A", call: ({ GBA }, { b }) => GBA(b) } }),
  }),
});

const judge = (D: (x: Tensor) => Tensor, real: Tensor, made: Tensor): Tensor =>
  bceReal(D(real)).add(bceFake(D(made)));
const distance = (x: Tensor, y: Tensor): Tensor => mean(square(x.sub(y)));
