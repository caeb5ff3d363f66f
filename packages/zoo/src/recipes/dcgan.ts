import { adam, nn, type Layer } from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// DCGAN: strided convolutions in place of pooling, batch norm in both nets, no hidden dense layers.
// This is the 4x4-kernel form that most people know; `dcgan-2015` follows the authors' own code.
// Next: `wgan-gp` (another distance between the distributions), `cgan` (labels).

const init = nn.init.normal({ std: 0.02 }); // (Section 4)
const norm = (): Layer => nn.batchNorm({ gainInit: nn.init.normal({ mean: 1, std: 0.02 }) }); // [1]

export default recipe({
  name: "dcgan",
  about: "the convolutional GAN that most others start from",
  paper: "arXiv:1511.06434",
  sources: ["[1] pytorch/examples dcgan/main.py", "paper: Section 3, Section 4"],
  differences: [
    "Sizes other than 64x64: the number of levels follows the image, and the first and last kernels cover what is left (64x64 is as in [1]).",
    "A phase keeps batch statistics only of the net that it trains; [1] also moves D's running mean in G's phase. Training itself does not use them.",
    "emaDecay (ours): samples come from an average of G's weights; 0 gives [1].",
  ],
  data: { x: image({ range: [-1, 1], size: [64, 64], refuse: refusePyramid }) },
  options: {
    batch: int({
      default: 128,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "(Section 4)",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "[1: nz]" }),
    width: int({
      default: 64,
      min: 2,
      max: 512,
      about: "channels of G's last and D's first layer",
      source: "[1: ngf, ndf]",
    }),
    lr: number({
      default: 2e-4,
      min: 0,
      max: 1,
      about: "learning rate of both nets",
      source: "(Section 4)",
    }),
    beta1: number({
      default: 0.5,
      min: 0,
      max: 0.9999,
      about: "Adam's beta1",
      source: "(Section 4)",
    }),
    emaDecay: number({
      default: 0,
      min: 0,
      max: 0.99999,
      about: "decay of G's averaged weights",
      source: "ours: steadier samples after short runs",
    }),
  },
  presets: {
    paper: { about: "the published settings at 64x64; the number of steps is ours", steps: 25_000 },
    small: {
      about: "32x32 in minutes on two cores",
      size: [32, 32],
      options: { batch: 64, width: 32, emaDecay: 0.99 },
      steps: 3000,
    },
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const { levels, base } = pyramid(c.shape.x);
    const wide = (level: number): number => c.width * 2 ** level;
    const half = { kernel: 4, stride: 2, pad: 1, bias: false, init };
    const up = (level: number): Layer[] => [
      nn.convTranspose({ out: wide(level), ...half }),
      norm(),
      nn.relu,
    ];
    const down = (level: number): Layer[] => [
      nn.conv({ out: wide(level), ...half }),
      ...(level > 0 ? [norm()] : []), // no norm on D's input layer (Section 3)
      nn.leakyRelu({ slope: 0.2 }),
    ];
    const inner = Array.from({ length: levels - 1 }, (_, i) => levels - 2 - i);
    const G = nn.chain(
      nn.convTranspose({ out: wide(levels - 1), kernel: base, bias: false, init }),
      norm(),
      nn.relu,
      ...inner.flatMap(up),
      nn.convTranspose({ out: channels, ...half }),
      nn.tanh,
    );
    const D = nn.chain(
      ...Array.from({ length: levels }, (_, level) => level).flatMap(down),
      nn.conv({ out: 1, kernel: base, bias: false, init }), // a logit: no sigmoid
    );
    return {
      G: nn.compose(nn.reshape([c.zDim, 1, 1]), nn.scoped("main", G)), // [N, zDim] to [N, C, H, W]
      D: nn.compose(nn.scoped("main", D), nn.flatten), // to [N, 1]
    };
  },
  optimizer: (c) => ({
    G: adam({ lr: c.lr, beta1: c.beta1, beta2: 0.999 }),
    D: adam({ lr: c.lr, beta1: c.beta1, beta2: 0.999 }),
  }),
  ema: (c) => ({ G: c.emaDecay === 0 ? undefined : c.emaDecay }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, c.zDim] } }), // [1]
  phases: () => [
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))]; // in two passes: batch norm sees one kind at a time
        return { loss: bceReal(real).add(bceFake(fake)), log: scores({ real, fake }) };
      },
    },
    {
      update: ["G"],
      draw: "same",
      loss: ({ G, D }, { z }) => ({ loss: bceReal(D(G(z))) }),
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
