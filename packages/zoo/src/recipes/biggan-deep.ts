import {
  add,
  adam,
  avgPool,
  concat,
  nn,
  relu,
  reshape,
  sizeOf,
  slice,
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

// BigGAN with bottleneck blocks, four convolutions each and two blocks a resolution: deeper, with fewer
// weights. z is not split; every norm of G hears all of it and the class.

const eps = 1e-4; // of norms [2]

export default recipe({
  name: "biggan-deep",
  about: "BigGAN with bottleneck blocks: deeper, with fewer weights",
  paper: "arXiv:1809.11096",
  sources: [
    "paper: Section 4.2, Appendix B (Figures 16, Tables 7 to 9)",
    "[1] ajbrock/BigGAN-PyTorch",
    "[2] huggingface/pytorch-pretrained-BigGAN, the released weights",
  ],
  differences: [
    "The orthogonal regularisation is that of rows of weights, as in [1], and as strong as the paper's formula; [1] has half, and both its scripts leave it out.",
    "Power iterations and running statistics move in the phase that trains their net alone; in [1] a pass for the other net moves them too.",
    "The classes of fakes are those of records drawn at random; [1] draws each class as often as any other.",
    "Adam's epsilon is 1e-8; [1] has 1e-6 in its scripts for ImageNet.",
    "Statistics of norms for samples: a hundred batches of all classes alike, with the averaged weights, at the truncation that is asked for.",
    "Sizes up to 32x32 take the channels of [1] for 32x32.",
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
    zDim: int({ default: 128, min: 1, max: 4096, about: "length of z", source: "(Appendix B)" }),
    embedding: int({
      default: 128,
      min: 1,
      max: 4096,
      about: "length of the class embedding",
      source: "(Appendix B)",
    }),
    width: int({
      default: 128,
      min: 1,
      max: 512,
      about: "channels are multiples of it",
      source: "(Appendix B)",
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
        ...{ batch: 32, zDim: 64, embedding: 32, width: 24, attention: 16, nCritic: 1 },
        ...{ lrG: 2e-4, lrD: 4e-4, ema: 0.999, emaStart: 500 },
      },
      steps: 4000,
    },
  },
  nets: (c) => {
    const { base, levels } = pyramid(c.shape.x);
    const channels = channelsOf(c.shape.x);
    const wide = (net: "G" | "D", k: number): number => c.width * (channels[net][k] ?? 1);
    const attending = (layers: SnLayers): Layer => attention(layers, c.attention);
    const G: Maker = (s, z, y) => {
      const seen: Tensor[] = [];
      const layers = snLayers(seen);
      const shared = sharedEmbedding({ count: c.nClasses, out: c.embedding });
      const told = concat([z, s.child("shared", (l) => shared(l, y))], 1);
      const small = [wide("G", 0), ...base];
      const flat = s.child("linear", (l) => layers.linear({ out: sizeOf(small) })(l, told));
      let h = reshape(flat, [-1, ...small]);
      for (let k = 0; k < levels; k++) {
        const same = grow(layers, { out: wide("G", k), up: false });
        const larger = grow(layers, { out: wide("G", k + 1), up: true });
        h = s.child(`block${k}a`, (l) => same(l, h, told));
        h = s.child(`block${k}b`, (l) => larger(l, h, told));
        h = attending(layers)(s, h);
      }
      const head = nn.chain(
        nn.batchNorm({ eps }),
        nn.relu,
        layers.firstOfConv({ out: wide("G", levels), first: c.shape.x[0] ?? 3 }), // [2]
        nn.tanh,
      );
      return { image: s.child("head", (l) => head(l, h)), skew: orthogonality(seen) };
    };
    const D: Judge = (s, x, y) => {
      const layers = snLayers();
      let h = s.child("stem", (l) => layers.conv({ out: wide("D", 0), kernel: 3 })(l, x));
      for (let k = 0; k < levels; k++) {
        const out = wide("D", k + 1);
        h = s.child(`block${k}a`, (l) => shrink(layers, { out, down: true })(l, h));
        h = s.child(`block${k}b`, (l) => shrink(layers, { out, down: false })(l, h));
        h = attending(layers)(s, h);
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
  noise: (c) => ({
    z: { kind: "normal", shape: [c.batch, c.zDim] },
    yFake: { kind: "label", shape: [c.batch] },
  }),
  phases: (c) => game(c),
  sample: ({ G }, { z, yFake }) => G(z, yFake).image,
});

/** Some of x's first channels. */
const firstOf = (x: Tensor, channels: number): Tensor =>
  slice(x, { axis: 1, start: 0, end: channels });

/** A bottleneck of a quarter of the channels (Figure 16 b); superfluous channels of the input are dropped. */
const grow =
  (layers: SnLayers, o: { out: number; up: boolean }): Block =>
  (s, x, c) => {
    const norm = conditionalNorm(layers, eps);
    const narrow = Math.max(Math.floor((x.shape[1] ?? 1) / 4), 1);
    const larger = (y: Tensor): Tensor => (o.up ? double(y) : y);
    const active = (k: number, y: Tensor): Tensor => relu(s.child(`bn${k}`, (l) => norm(l, y, c)));
    const conv = (k: number, out: number, kernel: 1 | 3, y: Tensor): Tensor =>
      s.child(`conv${k}`, (l) => layers.conv({ out, kernel })(l, y));
    let h = conv(1, narrow, 1, active(1, x));
    h = conv(2, narrow, 3, larger(active(2, h)));
    h = conv(3, narrow, 3, active(3, h));
    h = conv(4, o.out, 1, active(4, h));
    return add(h, larger(firstOf(x, o.out)));
  };

/** A bottleneck of D (Figure 16 c); channels that the input lacks come from a 1x1 convolution of it. */
const shrink =
  (layers: SnLayers, o: { out: number; down: boolean }): Layer =>
  (s, x) => {
    const narrow = Math.max(Math.floor(o.out / 4), 1);
    const channels = x.shape[1] ?? 1;
    const half = (y: Tensor): Tensor => (o.down ? avgPool(y, { kernel: 2 }) : y);
    const conv = (name: string, out: number, kernel: 1 | 3, y: Tensor): Tensor =>
      s.child(name, (l) => layers.conv({ out, kernel })(l, y));
    let h = conv("conv1", narrow, 1, relu(x));
    h = conv("conv2", narrow, 3, relu(h));
    h = conv("conv3", narrow, 3, relu(h));
    h = conv("conv4", o.out, 1, half(relu(h)));
    const past = half(x);
    if (channels >= o.out) return add(h, past);
    const more = conv("shortcut", o.out - channels, 1, past);
    return add(h, concat([past, more], 1));
  };
