import { adam, nn, sizeOf, type Layer } from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { pyramid, refusePyramid } from "../blocks/pyramid.ts";
import { int, number } from "../options.ts";
import { image, recipe } from "../recipe.ts";

// DCGAN as its authors coded it: 5x5 kernels, dense ends, a small weight decay, and batches that
// serve G and D in turn. Compare `dcgan`, the 4x4 form.

const init = nn.init.normal({ std: 0.02 }); // (Section 4)
const norm = (): Layer =>
  nn.batchNorm({ gainInit: nn.init.normal({ mean: 1, std: 0.02 }), eps: 1e-8 }); // [1]

export default recipe({
  name: "dcgan-2015",
  about: "DCGAN as the authors' Theano code has it",
  paper: "arXiv:1511.06434",
  sources: ["[1] Newmu/dcgan_code faces/train_uncond_dcgan.py", "paper: Section 3, Section 4"],
  differences: [
    "Samples use running statistics (momentum 0.1), so that one image can be made alone; [1] normalises by the batch at all times.",
    "Sizes other than 64x64: the number of levels follows the image (64x64 is as in [1]).",
    "A step of ours is G's turn and then D's, as [1] alternates them; [1] also reads images for G's turn, which it does not use.",
    "Adam's beta1 stays as it is; [1] multiplies it by 1 - 1e-8 at every step.",
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
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "(Section 3)" }),
    width: int({
      default: 128,
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
    weightDecay: number({
      default: 1e-5,
      min: 0,
      max: 1,
      about: "L2 penalty on the weights",
      source: "[1: l2]; not in the paper",
    }),
  },
  presets: {
    paper: { about: "[1] at 64x64: 25 passes of 350,000 faces, G and D in turn", steps: 34_180 },
    small: {
      about: "32x32 on two cores",
      size: [32, 32],
      options: { batch: 64, width: 32 },
      steps: 2000,
    },
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const { levels, base } = pyramid(c.shape.x);
    const wide = (level: number): number => c.width * 2 ** level;
    const half = { kernel: 5, stride: 2, pad: 2, bias: false, init };
    const up = (level: number): Layer[] => [
      nn.convTranspose({ out: wide(level), ...half, outputPad: 1 }),
      norm(),
      nn.relu,
    ];
    const down = (level: number): Layer[] => [
      nn.conv({ out: wide(level), ...half }),
      ...(level > 0 ? [norm()] : []),
      nn.leakyRelu({ slope: 0.2 }),
    ];
    const inner = Array.from({ length: levels - 1 }, (_, i) => levels - 2 - i);
    const first = [wide(levels - 1), ...base];
    return {
      G: nn.chain(
        nn.linear({ out: sizeOf(first), bias: false, init }),
        norm(), // every feature by itself [1]
        nn.relu,
        nn.reshape(first),
        ...inner.flatMap(up),
        nn.convTranspose({ out: channels, ...half, outputPad: 1 }),
        nn.tanh,
      ),
      D: nn.chain(
        ...Array.from({ length: levels }, (_, level) => level).flatMap(down),
        nn.flatten,
        nn.linear({ out: 1, bias: false, init }),
      ),
    };
  },
  optimizer: (c) => {
    const rule = adam({ lr: c.lr, beta1: c.beta1, beta2: 0.999, weightDecay: c.weightDecay });
    return { G: rule, D: rule };
  },
  noise: (c) => ({ z: { kind: "uniform", shape: [c.batch, c.zDim], low: -1, high: 1 } }), // [1]
  phases: () => [
    {
      update: ["G"],
      loss: ({ G, D }, { z }) => ({ loss: bceReal(D(G(z))) }),
    },
    {
      update: ["D"],
      loss({ G, D }, { x, z }) {
        const [real, fake] = [D(x), D(G(z))];
        return { loss: bceReal(real).add(bceFake(fake)), log: scores({ real, fake }) };
      },
    },
  ],
  sample: ({ G }, { z }) => G(z),
});
