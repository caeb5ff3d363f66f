import {
  abs,
  adam,
  linearDecay,
  mean,
  nn,
  pad,
  scalar,
  square,
  type Layer,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { patchD, refusePatch } from "../blocks/patch.ts";
import { pooled } from "../blocks/pool.ts";
import { choice, int, number, type OptionValue } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// CycleGAN: two generators, one each way, taught without pairs, because going there and back must
// lead home. Next: `discogan` (the same idea), `stargan` (many domains).

function refuse(shape: Shape, options: Readonly<Record<string, OptionValue>>): string | undefined {
  const [, height = 1, width = 1] = shape;
  if (height % 4 === 0 && width % 4 === 0 && Math.min(height, width) >= 8)
    return refusePatch(shape, options["patch"]);
  return `${height}x${width} cannot be halved twice; choose sides that 4 divides, for example --size 64`;
}

export default recipe({
  name: "cyclegan",
  about: "from one set of images to another and back, without pairs",
  paper: "arXiv:1703.10593",
  sources: [
    "[1] junyanz/CycleGAN (Lua)",
    "[2] junyanz/pytorch-CycleGAN-and-pix2pix",
    "paper: Sections 3 and 4, Appendix 7, Eq. 3",
  ],
  differences: [
    "All four nets move at once from one forward pass, which is what [2] does in two steps; [1] takes them in turn.",
    "D's loss is halved, as in the paper and [2]; not in [1].",
    "Instance norm has no gain and shift, as in [2]; [1] has them.",
    "The pool takes each image by itself, as in [2]; [1] takes a batch as one.",
    "Each domain goes through its own shuffled order; [2] draws B at random with replacement.",
    "The learning rate falls over the second half of the steps, at every step; [2] lets it fall by epochs.",
  ],
  data: {
    a: image({
      range: [-1, 1],
      size: [256, 256],
      stream: "A",
      jitter: 30 / 256,
      flip: true,
      refuse,
    }), // (Section 4)
    b: image({
      range: [-1, 1],
      size: [256, 256],
      stream: "B",
      jitter: 30 / 256,
      flip: true,
      refuse,
    }),
  },
  options: {
    batch: int({
      default: 1,
      min: 1,
      max: 64,
      about: "images of each domain",
      source: "(Section 4)",
    }),
    widthG: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of G's first layer",
      source: "(Appendix 7)",
    }),
    widthD: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of D's first layer",
      source: "(Appendix 7)",
    }),
    blocks: int({
      default: 9,
      min: 0,
      max: 32,
      about: "residual blocks: 9 for 256x256, 6 for 128x128",
      source: "(Appendix 7)",
    }),
    patch: choice({
      default: "70",
      choices: ["1", "16", "70", "286"],
      about: "pixels that one logit of D sees",
      source: "(Appendix 7)",
    }),
    lambda: number({
      default: 10,
      min: 0,
      max: 1e4,
      about: "weight of the cycle",
      source: "(Section 4)",
    }),
    identity: number({
      default: 0.5,
      min: 0,
      max: 100,
      about: "weight of keeping what is of the target domain, over lambda; 0 for none",
      source: "(Section 5.2), [2]",
    }),
    pool: int({
      default: 50,
      min: 0,
      max: 10_000,
      about: "images that are kept to show to D again",
      source: "(Section 4)",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate at the start",
      source: "(Section 4)",
    }),
  },
  presets: {
    paper: { about: "256x256, as for horses and zebras (1,334 images, 200 times)", steps: 266_800 },
    small: {
      about: "64x64 on two cores",
      size: [64, 64],
      options: { widthG: 16, widthD: 32, blocks: 4 },
      steps: 8000,
    },
  },
  nets: (c) => {
    const init = nn.init.normal({ std: 0.02 }); // [2]
    const soft = { init, biasInit: nn.init.zeros };
    const norm = (): Layer => nn.instanceNorm();
    const mirror =
      (k: number): Layer =>
      (_, x) =>
        pad(x, { before: [0, 0, k, k], after: [0, 0, k, k], mode: "reflect" });
    const block = nn.residual({
      body: nn.chain(
        mirror(1),
        nn.conv({ out: 4 * c.widthG, kernel: 3, ...soft }),
        norm(),
        nn.relu,
        mirror(1),
        nn.conv({ out: 4 * c.widthG, kernel: 3, ...soft }),
        norm(),
      ),
    });
    const down = (out: number): Layer[] => [
      nn.conv({ out, kernel: 3, stride: 2, pad: 1, ...soft }),
      norm(),
      nn.relu,
    ];
    const up = (out: number): Layer[] => [
      nn.convTranspose({ out, kernel: 3, stride: 2, pad: 1, outputPad: 1, ...soft }),
      norm(),
      nn.relu,
    ];
    const to = (channels = 3): Layer =>
      nn.chain(
        mirror(3),
        nn.conv({ out: c.widthG, kernel: 7, ...soft }),
        norm(),
        nn.relu,
        ...down(2 * c.widthG),
        ...down(4 * c.widthG),
        ...new Array<Layer>(c.blocks).fill(block),
        ...up(2 * c.widthG),
        ...up(c.widthG),
        mirror(3),
        nn.conv({ out: channels, kernel: 7, ...soft }),
        nn.tanh,
      );
    const D = patchD({ width: c.widthD, patch: c.patch, norm, bias: true });
    return { G: to(c.shape.b[0]), F: to(c.shape.a[0]), DA: D, DB: D };
  },
  optimizer: (c) => {
    const rule = adam({ lr: linearDecay({ from: c.lr, start: 0.5 }), beta1: 0.5 }); // (Section 4)
    return { G: rule, F: rule, DA: rule, DB: rule };
  },
  noise: (c) => {
    const coin = { kind: "uniform", shape: [c.batch], low: 0, high: 1 } as const;
    const place = { kind: "ints", shape: [c.batch], high: Math.max(c.pool, 1) } as const;
    return { coinA: coin, coinB: coin, placeA: place, placeB: place };
  },
  phases: (c) => [
    {
      update: ["G", "F", "DA", "DB"],
      loss({ G, F, DA, DB }, { a, b, coinA, coinB, placeA, placeB }, state) {
        const { pool: size } = c;
        const identity = c.shape.a[0] === c.shape.b[0] ? c.identity : 0; // of one kind of image only
        const [toB, toA] = [G(a), F(b)];
        const fool = real(DB(toB)).add(real(DA(toA))); // (Eq. 1, with squares)
        const cycle = l1(F(toB), a).add(l1(G(toA), b)); // (Eq. 2)
        const same = identity === 0 ? scalar(0) : l1(G(b), b).add(l1(F(a), a)); // (Section 5.2)
        const both = fool.add(cycle.mul(c.lambda)).add(same.mul(c.lambda * identity)); // (Eq. 3)
        const oldA = pooled(state, "A", { fresh: toA, coin: coinA, place: placeA, size });
        const oldB = pooled(state, "B", { fresh: toB, coin: coinB, place: placeB, size });
        return {
          loss: { G: both, F: both, DA: judge(DA, a, oldA), DB: judge(DB, b, oldB) },
          log: { "G/fool": fool, "G/cycle": cycle, "G/identity": same },
        };
      },
    },
  ],
  sample: ({ G }, { a }) => G(a),
  functions: () => ({
    toB: { about: "an image of A as one of B", call: ({ G }, { a }) => G(a) },
    toA: { about: "an image of B as one of A", call: ({ F }, { b }) => F(b) },
  }),
});

/** D's loss, halved. */
const judge = (D: (x: Tensor) => Tensor, x: Tensor, made: Tensor): Tensor =>
  real(D(x))
    .add(mean(square(D(made))))
    .mul(0.5);
const l1 = (x: Tensor, y: Tensor): Tensor => mean(abs(x.sub(y)));
/** How far D's answer is from "real", in squares. */
const real = (logits: Tensor): Tensor => mean(square(logits.sub(1)));
