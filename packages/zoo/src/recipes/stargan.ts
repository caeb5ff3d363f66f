import {
  abs,
  adam,
  concat,
  expand,
  linearDecay,
  logSoftmax,
  mean,
  mul,
  nn,
  oneHot,
  reshape,
  square,
  sum,
  type Layer,
  type Net,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { slope } from "../blocks/penalties.ts";
import { int, number, type OptionValue } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// StarGAN: one generator that is told the domain to go to; D says which domain an image is of, and
// how real it is. Read `cyclegan` and `wgan-gp` first.

/** D's two answers: a map of scores, and a logit for each domain [N, K]. */
interface Judged {
  readonly score: Tensor;
  readonly domain: Tensor;
}

function refuse(
  shape: Shape,
  { levels }: Readonly<Record<string, OptionValue>>,
): string | undefined {
  const [, height = 1, width = 1] = shape;
  const least = 2 ** Number(levels);
  if (Math.min(height, width) < least)
    return `D halves pictures ${String(levels)} times, which ${height}x${width} cannot be; choose sides of ${least} at least, or fewer --set levels`;
  if (height % 4 === 0 && width % 4 === 0 && Math.min(height, width) >= 8) return undefined;
  return `${height}x${width} cannot be halved twice; choose sides that 4 divides, for example --size 64`;
}

export default recipe({
  name: "stargan",
  about: "one generator between many domains, each a class of the data",
  paper: "arXiv:1711.09020",
  sources: ["[1] yunjey/stargan model.py, solver.py", "paper: Section 3, Eq. 1 to 8, Appendix 7.2"],
  differences: [
    "A domain is a class of the data and its loss a softmax, as [1] has it for RaFD; attributes that go together (CelebA) are another kind of label.",
    "The preset `small` moves D twice for each move of G (nCritic), the paper five times.",
    "Target domains are drawn afresh; [1] shuffles the labels of the batch.",
    "G moves on a batch of its own after D's five; [1] takes D's last batch again.",
    "The learning rate falls at every step of the second half; [1] lowers it every 1,000.",
    "1e-12 under the root keeps the penalty's gradient finite where D is flat; [1] has nothing.",
  ],
  data: {
    x: image({ range: [-1, 1], size: [128, 128], flip: true, refuse }), // (Section 5)
    y: label(),
  },
  options: {
    batch: int({
      default: 16,
      min: 1,
      max: 512,
      about: "images in a batch",
      source: "(Section 4)",
    }),
    widthG: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of G's first layer",
      source: "(Table 4)",
    }),
    widthD: int({
      default: 64,
      min: 1,
      max: 256,
      about: "channels of D's first layer",
      source: "(Table 5)",
    }),
    blocks: int({
      default: 6,
      min: 0,
      max: 32,
      about: "residual blocks of G",
      source: "(Table 4)",
    }),
    levels: int({
      default: 6,
      min: 1,
      max: 8,
      about: "halvings in D, each of twice the channels: 6 for 128x128",
      source: "(Table 5)",
    }),
    nCritic: int({
      default: 5,
      min: 1,
      max: 100,
      about: "updates of D for one of G",
      source: "(Section 4)",
    }),
    lambdaClass: number({
      default: 1,
      min: 0,
      max: 1e4,
      about: "weight of the domains",
      source: "(Section 3.2)",
    }),
    lambdaCycle: number({
      default: 10,
      min: 0,
      max: 1e4,
      about: "weight of the way back",
      source: "(Section 3.2)",
    }),
    lambdaPenalty: number({
      default: 10,
      min: 0,
      max: 1e4,
      about: "weight of the penalty",
      source: "(Section 3.4)",
    }),
    lr: number({
      default: 1e-4,
      min: 0,
      max: 1,
      about: "learning rate at the start",
      source: "(Section 4)",
    }),
  },
  presets: {
    paper: { about: "128x128, 200,000 updates of D [1]", steps: 40_000 },
    small: {
      about: "32x32 on two cores",
      size: [32, 32],
      options: { widthG: 16, widthD: 16, blocks: 3, levels: 4, nCritic: 2 },
      steps: 3000,
    },
  },
  nets: (c) => {
    const [channels = 3, height = 1, width = 1] = c.shape.x;
    const norm = (): Layer => nn.instanceNorm({ affine: true });
    const conv = (out: number, kernel: number, stride: number, pad: number): Layer =>
      nn.conv({ out, kernel, stride, pad, bias: false });
    const deconv = (out: number): Layer =>
      nn.convTranspose({ out, kernel: 4, stride: 2, pad: 1, bias: false });
    const wide = 4 * c.widthG;
    const block = nn.residual({
      body: nn.chain(conv(wide, 3, 1, 1), norm(), nn.relu, conv(wide, 3, 1, 1), norm()),
    });
    const body = nn.chain(
      ...[conv(c.widthG, 7, 1, 3), norm(), nn.relu],
      ...[conv(2 * c.widthG, 4, 2, 1), norm(), nn.relu],
      ...[conv(wide, 4, 2, 1), norm(), nn.relu],
      ...new Array<Layer>(c.blocks).fill(block),
      ...[deconv(2 * c.widthG), norm(), nn.relu],
      ...[deconv(c.widthG), norm(), nn.relu],
      ...[conv(channels, 7, 1, 3), nn.tanh],
    );
    /** The domain stands beside the image as maps of zeros and ones (Section 3.4). */
    const G: Net<readonly [x: Tensor, domain: Tensor], Tensor> = (s, x, domain) => {
      const told = reshape(oneHot(domain, { depth: c.nClasses }), [-1, c.nClasses, 1, 1]);
      const maps = expand(told, [x.shape[0] ?? 1, c.nClasses, height, width]);
      return body(s, concat([x, maps], 1));
    };
    const D: Net<readonly [x: Tensor], Judged> = (s, x) => {
      const halves = Array.from({ length: c.levels }, (_, i) => [
        nn.conv({ out: c.widthD * 2 ** i, kernel: 4, stride: 2, pad: 1 }),
        nn.leakyRelu({ slope: 0.01 }),
      ]);
      const h = s.child("main", (c1) => nn.chain(...halves.flat())(c1, x));
      const [, , rows = 1, columns = 1] = h.shape;
      const domain = nn.conv({ out: c.nClasses, kernel: [rows, columns], bias: false });
      return {
        score: s.child("score", (c1) => conv(1, 3, 1, 1)(c1, h)),
        domain: reshape(
          s.child("domain", (c1) => domain(c1, h)),
          [-1, c.nClasses],
        ),
      };
    };
    return { G, D };
  },
  optimizer: (c) => {
    const rule = adam({ lr: linearDecay({ from: c.lr, start: 0.5 }), beta1: 0.5 }); // (Section 4)
    return { G: rule, D: rule };
  },
  noise: (c) => ({
    target: { kind: "label", shape: [c.batch] },
    alpha: { kind: "uniform", shape: [c.batch, 1, 1, 1], low: 0, high: 1 },
  }),
  phases: (c) => [
    {
      update: ["D"],
      times: c.nCritic,
      loss({ G, D }, { x, y, target, alpha }) {
        const [real, made] = [D(x), G(x, target)];
        const between = made.add(alpha.mul(x.sub(made)));
        const penalty = mean(square(slope((t) => D(t).score, between).sub(1)));
        const distance = mean(real.score).sub(mean(D(made).score));
        const domain = crossEntropy(real.domain, y, c.nClasses); // (Eq. 2)
        const loss = domain.mul(c.lambdaClass).sub(distance).add(penalty.mul(c.lambdaPenalty)); // (Eq. 5, 8)
        return { loss, log: { "D/distance": distance, "D/penalty": penalty, "D/domain": domain } };
      },
    },
    {
      update: ["G"],
      loss({ G, D }, { x, y, target }) {
        const made = G(x, target);
        const judged = D(made);
        const domain = crossEntropy(judged.domain, target, c.nClasses); // (Eq. 3)
        const home = mean(abs(x.sub(G(made, y)))); // (Eq. 4)
        const loss = domain.mul(c.lambdaClass).add(home.mul(c.lambdaCycle)).sub(mean(judged.score)); // (Eq. 6)
        return { loss, log: { "G/domain": domain, "G/cycle": home } };
      },
    },
  ],
  sample: ({ G }, { x, target }) => G(x, target),
});

/** Mean over the batch of -log of the probability of the right class. */
function crossEntropy(logits: Tensor, labels: Tensor, nClasses: number): Tensor {
  const right = mul(logSoftmax(logits, { axis: -1 }), oneHot(labels, { depth: nClasses }));
  return mean(sum(right, { axes: [1] })).mul(-1);
}
