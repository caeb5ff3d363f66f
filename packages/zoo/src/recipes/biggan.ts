import {
  add,
  adam,
  avgPool,
  concat,
  nn,
  relu,
  reshape,
  sizeOf,
  split,
  type Clock,
  type Layer,
  type Tensor,
} from "@duelo/core";
import {
  attention,
  channelsOf,
  conditionalNorm,
  double,
  game,
  orthogonality,
  projected,
  refuseSize,
  sharedEmbedding,
  snLayers,
  trainingOptions,
  type Block,
  type Judge,
  type Maker,
  type SnLayers,
} from "../blocks/biggan.ts";
import { pyramid } from "../blocks/pyramid.ts";
import { int } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// BigGAN: classes at scale. Every norm of G hears the class and a part of z of its own; D judges by
// projection; both nets attend to far places. Next: `biggan-deep` (deeper, with fewer weights).

const eps = 1e-5; // of norms [1]

export default recipe({
  name: "biggan",
  about: "classes at scale: shared class embedding, split z, self-attention, truncation",
  paper: "arXiv:1809.11096",
  sources: ["paper: Section 3, Appendix B and C", "[1] ajbrock/BigGAN-PyTorch"],
  differences: [
    "The orthogonal regularisation is that of rows of weights, as in [1], and as strong as the paper's formula; [1] has half, and both its scripts leave it out.",
    "Power iterations and running statistics move in the phase that trains their net alone; in [1] a pass for the other net moves them too.",
    "The classes of fakes are those of records drawn at random; [1] draws each class as often as any other.",
    "Adam's epsilon is 1e-8; [1] has 1e-6 in its scripts for ImageNet.",
    "Statistics of norms for samples: a hundred batches of all classes alike, with the averaged weights, at the truncation that is asked for.",
    "Sizes up to 32x32 take the channels of [1] for 32x32, and D halves them as there, to 8x8 or less.",
  ],
  data: {
    x: image({ range: [-1, 1], size: [128, 128], flip: true, refuse: refuseSize }),
    y: label(),
  },
  options: {
    batch: int({
      default: 2048,
      min: 2,
      max: 8192,
      about: "images in a batch",
      source: "(Section 3)",
    }),
    zDim: int({
      default: 120,
      min: 2,
      max: 4096,
      about: "length of z, split evenly over the first layer and the blocks",
      source: "(Appendix B)",
    }),
    embedding: int({
      default: 128,
      min: 1,
      max: 4096,
      about: "length of the class embedding that G's norms share",
      source: "(Appendix B)",
    }),
    width: int({
      default: 96,
      min: 1,
      max: 512,
      about: "channels are multiples of it",
      source: "(Section 3)",
    }),
    attention: int({
      default: 64,
      min: 0,
      max: 256,
      about: "side of the maps that both nets attend over; 0 for none",
      source: "(Appendix B)",
    }),
    ...trainingOptions,
  },
  presets: {
    paper: { about: "128x128 for ImageNet", steps: 150_000 },
    small: {
      about: "32x32 on two cores",
      size: [32, 32],
      options: {
        ...{ batch: 32, zDim: 64, embedding: 32, width: 16, attention: 16, nCritic: 1 },
        ...{ lrG: 2e-4, lrD: 4e-4, ema: 0.999, emaStart: 500 },
      },
      steps: 4000,
    },
  },
  nets: (c) => {
    const { levels, base } = pyramid(c.shape.x);
    const channels = channelsOf(c.shape.x);
    const wide = (net: "G" | "D", k: number): number => c.width * (channels[net][k] ?? 1);
    const attending = (layers: SnLayers): Layer => attention(layers, c.attention);
    const G: Maker = (s, z, y) => {
      const seen: Tensor[] = [];
      const layers = snLayers(seen);
      const parts = split(
        z,
        new Array<number>(levels + 1).fill((z.shape[1] ?? 1) / (levels + 1)),
        1,
      );
      const [first = z, ...rest] = parts;
      const shared = sharedEmbedding({ count: c.nClasses, out: c.embedding });
      const e = s.child("shared", (l) => shared(l, y));
      const small = [wide("G", 0), ...base];
      const flat = s.child("linear", (l) => layers.linear({ out: sizeOf(small) })(l, first));
      let h = reshape(flat, [-1, ...small]);
      for (const [k, part] of rest.entries()) {
        const block = grow(layers, wide("G", k + 1));
        h = s.child(`block${k}`, (l) => block(l, h, concat([e, part], 1)));
        h = attending(layers)(s, h);
      }
      const head = nn.chain(
        nn.batchNorm({ eps }),
        nn.relu,
        layers.conv({ out: c.shape.x[0] ?? 3, kernel: 3 }),
        nn.tanh,
      );
      return { image: s.child("head", (l) => head(l, h)), skew: orthogonality(seen) };
    };
    const D: Judge = (s, x, y) => {
      const layers = snLayers();
      const nDown = levels > 3 ? levels : pyramid(c.shape.x, { until: 8 }).levels; // [1]
      let h = x;
      for (const [k] of channels.D.entries()) {
        const block = shrink(layers, { out: wide("D", k), first: k === 0, down: k < nDown });
        const before = h;
        h = s.child(`block${k}`, (l) => block(l, before));
        if (h.shape[2] !== before.shape[2]) h = attending(layers)(s, h);
      }
      return projected(layers, c.nClasses)(s, h, y);
    };
    return { G, D };
  },
  optimizer: (c) => {
    const betas = { beta1: 0, beta2: 0.999 }; // (Section 3)
    return { G: adam({ lr: c.lrG, ...betas }), D: adam({ lr: c.lrD, ...betas }) };
  },
  ema: (c) => ({ G: ({ step }: Clock) => (step < c.emaStart ? 0 : c.ema) }),
  standing: 100, // [1]
  noise: (c) => {
    const parts = pyramid(c.shape.x).levels + 1;
    const z = [c.batch, Math.max(Math.floor(c.zDim / parts), 1) * parts];
    return {
      z: { kind: "normal", shape: z },
      yFake: { kind: "label", shape: [c.batch] },
    };
  },
  phases: (c) => game(c),
  sample: ({ G }, { z, yFake }) => G(z, yFake).image,
});

/** Twice the size (Figure 15 b): two convolutions behind norms that hear the condition. */
const grow =
  (layers: SnLayers, out: number): Block =>
  (s, x, c) => {
    const norm = conditionalNorm(layers, eps);
    const conv = (name: string, kernel: 1 | 3, input: Tensor): Tensor =>
      s.child(name, (l) => layers.conv({ out, kernel })(l, input));
    const first = relu(s.child("bn1", (l) => norm(l, x, c)));
    const inner = conv("conv1", 3, double(first));
    const second = relu(s.child("bn2", (l) => norm(l, inner, c)));
    return add(conv("conv2", 3, second), conv("shortcut", 1, double(x)));
  };

/** A residual block of D (Figure 15 c), which may halve the size. */
const shrink =
  (layers: SnLayers, o: { out: number; first: boolean; down: boolean }): Layer =>
  (s, x) => {
    const half = (y: Tensor): Tensor => (o.down ? avgPool(y, { kernel: 2 }) : y);
    const conv = (name: string, kernel: 1 | 3, input: Tensor): Tensor =>
      s.child(name, (l) => layers.conv({ out: o.out, kernel })(l, input));
    const inner = conv("conv1", 3, o.first ? x : relu(x));
    const body = half(conv("conv2", 3, relu(inner)));
    if (o.out === x.shape[1] && !o.down) return add(body, x);
    return add(body, o.first ? conv("shortcut", 1, half(x)) : half(conv("shortcut", 1, x)));
  };
