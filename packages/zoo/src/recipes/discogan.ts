import {
  adam,
  mean,
  nn,
  square,
  type Clock,
  type Layer,
  type Net,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { bceFake, bceReal } from "../blocks/losses.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// DiscoGAN: relations between two sets of images are found, because what is made of an image must be
// made into that image again. Read `cyclegan` first.

/** D's logit of an image and its three maps on the way there. */
interface Judged {
  readonly logit: Tensor;
  readonly maps: readonly Tensor[];
}

function refuse(shape: Shape): string | undefined {
  const [, height = 1, width = 1] = shape;
  if (height % 16 === 0 && width % 16 === 0) return undefined;
  return `${height}x${width} cannot be halved four times; choose sides that 16 divides, for example --size 64`;
}

export default recipe({
  name: "discogan",
  about: "relations between two sets of images, found without pairs",
  paper: "arXiv:1703.05192",
  sources: [
    "[1] SKTBrain/DiscoGAN image_translation.py, model.py",
    "paper: Sections 3 and 4, Eq. 3 to 10",
  ],
  differences: [
    "As in [1] and not in the paper, G also matches the mean of D's maps (weight 0.9 against 0.1) and begins with a weight of 0.01 for the reconstruction; --set matching=0 --set rateFirst=0.5 gives the paper's Eq. 3 to 8, halved.",
    "The preset `small` has a weight of 0.9 for the reconstruction from the start and a rate of 0.001: its run would end before the first 10,000 updates of [1] do.",
    "As in [1], one update of the discriminators comes with two of the generators, each on a batch of its own; the paper does not say.",
    "Weight decay adds to the gradient of all nets, as in [1]; the paper has none.",
    "D ends in a kernel of the size of its last map, 4x4 for 64x64 as in [1], so that other sizes have one logit too.",
    "Batch norm keeps running statistics for images made one at a time; [1] normalises by the test batch.",
  ],
  data: {
    a: image({ range: [0, 1], size: [64, 64], stream: "A", refuse }), // [1]
    b: image({ range: [0, 1], size: [64, 64], stream: "B", refuse }),
  },
  options: {
    batch: int({ default: 64, min: 2, max: 1024, about: "images of each domain", source: "[1]" }),
    width: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of the first layer of all nets",
      source: "[1]",
    }),
    matching: number({
      default: 0.9,
      min: 0,
      max: 1,
      about: "share of feature matching in G's adversarial part",
      source: "[1]",
    }),
    rate: number({
      default: 0.5,
      min: 0,
      max: 1,
      about: "share of the reconstruction in G's loss",
      source: "[1: default_rate]",
    }),
    rateFirst: number({
      default: 0.01,
      min: 0,
      max: 1,
      about: "the same over the first 10,000 updates",
      source: "[1: starting_rate]",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of all nets",
      source: "[1]",
    }),
  },
  presets: {
    paper: { about: "64x64, the settings of [1]", steps: 50_000 },
    small: {
      about: "64x64 on two cores",
      options: { width: 16, batch: 16, lr: 1e-3, rate: 0.9, rateFirst: 0.9 }, // too short for a first part
      steps: 3000,
    },
  },
  nets: (c) => {
    const half = { kernel: 4, stride: 2, pad: 1, bias: false };
    const slope = nn.leakyRelu({ slope: 0.2 });
    const down = (level: number): Layer =>
      nn.chain(
        nn.conv({ out: c.width * 2 ** level, ...half }),
        ...(level === 0 ? [] : [nn.batchNorm()]),
        slope,
      );
    const up = (level: number): Layer[] => [
      nn.convTranspose({ out: c.width * 2 ** level, ...half }),
      nn.batchNorm(),
      nn.relu,
    ];
    const to = (channels = 3): Layer =>
      nn.chain(
        ...[0, 1, 2, 3].map(down),
        ...[2, 1, 0].flatMap(up),
        nn.convTranspose({ out: channels, ...half }),
        nn.sigmoid,
      );
    const D: Net<readonly [x: Tensor], Judged> = (s, x) => {
      const maps: Tensor[] = [];
      let y = x;
      for (let level = 0; level < 4; level++) {
        y = s.child(String(level), (c1) => down(level)(c1, y));
        if (level > 0) maps.push(y);
      }
      const last = nn.conv({ out: 1, kernel: y.shape.slice(2), bias: false });
      return { logit: s.child("last", (c1) => last(c1, y)), maps };
    };
    return { GAB: to(c.shape.b[0]), GBA: to(c.shape.a[0]), DA: D, DB: D };
  },
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: 0.5, weightDecay: 1e-5 }); // [1]
    return { GAB: rule, GBA: rule, DA: rule, DB: rule };
  },
  noise: () => ({}),
  scalars: (c) => ({ rate: ({ step }: Clock) => (3 * step < 10_000 ? c.rateFirst : c.rate) }), // [1: gan_curriculum]
  phases: (c) => [
    {
      update: ["DA", "DB"],
      loss({ GAB, GBA, DA, DB }, { a, b }) {
        const judge = (D: (x: Tensor) => Judged, x: Tensor, made: Tensor): Tensor =>
          bceReal(D(x).logit)
            .add(bceFake(D(made).logit))
            .mul(0.5);
        return { loss: { DA: judge(DA, a, GBA(b)), DB: judge(DB, b, GAB(a)) } }; // (Eq. 9)
      },
    },
    {
      update: ["GAB", "GBA"],
      times: 2,
      loss({ GAB, GBA, DA, DB }, { a, b, rate }) {
        const [toB, toA] = [GAB(a), GBA(b)];
        const home = distance(GBA(toB), a).add(distance(GAB(toA), b)); // (Eq. 4, 7)
        const fool = bceReal(DB(toB).logit).add(bceReal(DA(toA).logit)); // (Eq. 5)
        const log = { "G/reconstruction": home, "G/fool": fool };
        if (c.matching === 0) return { loss: blend(fool, home, rate), log };
        const match = matching(DB(b), DB(toB)).add(matching(DA(a), DA(toA)));
        const adversarial = fool.mul(1 - c.matching).add(match.mul(c.matching));
        return { loss: blend(adversarial, home, rate), log: { ...log, "G/matching": match } };
      },
    },
  ],
  sample: ({ GAB }, { a }) => GAB(a),
  functions: () => ({
    toB: { about: "an image of A as one of B", call: ({ GAB }, { a }) => GAB(a) },
    toA: { about: "an image of B as one of A", call: ({ GBA }, { b }) => GBA(b) },
  }),
});

const distance = (x: Tensor, y: Tensor): Tensor => mean(square(x.sub(y)));
const blend = (x: Tensor, y: Tensor, rate: Tensor): Tensor => x.add(y.sub(x).mul(rate));

/** Squared distance of the batch's mean maps, a mean over each map, summed over maps [1]. */
function matching(real: Judged, made: Judged): Tensor {
  return real.maps
    .map((map, i) => {
      const other = made.maps[i] ?? map;
      return mean(square(mean(map, { axes: [0] }).sub(mean(other, { axes: [0] }))));
    })
    .reduce((x, y) => x.add(y));
}
