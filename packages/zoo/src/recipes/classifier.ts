import {
  adam,
  argmax,
  cast,
  equal,
  globalAvgPool,
  linearDecay,
  logSoftmax,
  mean,
  mul,
  nn,
  oneHot,
  sum,
  type Net,
  type Tensor,
} from "@duelo/core";
import { stagesOf } from "../blocks/stages.ts";
import { int, number } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// A classifier of small pictures. It makes nothing: its features are what generators are judged by,
// and its logits say which class a picture is of.

interface Judgement {
  /** Activations after each stage, from fine to coarse. */
  readonly stages: readonly Tensor[];
  readonly features: Tensor;
  readonly logits: Tensor;
}

/** How often a picture is halved: until the smaller side is 8 or less. */
const halvings = (side: number): number => Math.max(0, Math.ceil(Math.log2(side / 8)));

export default recipe({
  name: "classifier",
  about: "a small convolutional classifier: its features judge what others make",
  paper: "none",
  sources: ["ours: pairs of 3x3 convolutions between halvings, as in arXiv:1409.1556 (Table 1)"],
  differences: [
    "Batch norm, few channels and a mean over the last map in place of dense layers: it is to be a small file.",
  ],
  data: { x: image({ range: [-1, 1], size: [28, 28], flip: true }), y: label() },
  options: {
    batch: int({
      default: 128,
      min: 2,
      max: 4096,
      about: "images in a batch",
      source: "ours: as vae",
    }),
    width: int({
      default: 24,
      min: 1,
      max: 256,
      about: "channels of the first stage; features are four times as many",
      source: "ours: below 700 kB",
    }),
    dropout: number({
      default: 0.2,
      min: 0,
      max: 0.9,
      about: "share of the features that are left out in training",
      source: "ours: sets are small",
    }),
    lr: number({
      default: 3e-3,
      min: 0,
      max: 1,
      about: "learning rate, falling to nothing",
      source: "ours: with batch norm three times Adam's default",
    }),
  },
  presets: {
    small: { about: "five passes of 60,000 images", steps: 2350 },
    colour: {
      about: "few coloured pictures of 64x64",
      options: { width: 16, batch: 64, dropout: 0.5 },
      size: [64, 64],
      steps: 1500,
    },
  },
  nets: (c) => {
    const [, height = 1, width = 1] = c.shape.x;
    const n = halvings(Math.min(height, width));
    const C: Net<readonly [x: Tensor], Judgement> = (s, x) => {
      const { stages } = stagesOf(s, x, { width: c.width, halvings: n });
      const map = stages.at(-1) ?? x;
      const features = nn.flatten(s, globalAvgPool(map)); // [N, 4 width]
      const head = nn.compose(nn.dropout({ p: c.dropout }), nn.linear({ out: c.nClasses }));
      return { stages, features, logits: s.child("head", (l) => head(l, features)) };
    };
    return { C };
  },
  optimizer: (c) => ({ C: adam({ lr: linearDecay({ from: c.lr, start: 0 }) }) }),
  noise: () => ({}),
  phases: (c) => [
    {
      update: ["C"],
      loss({ C }, { x, y }) {
        const { logits } = C(x);
        const right = cast(equal(argmax(logits, 1), y), "float32");
        const chosen = mul(logSoftmax(logits, { axis: 1 }), oneHot(y, { depth: c.nClasses }));
        return {
          loss: mean(sum(chosen, { axes: [1] })).mul(-1), // cross entropy
          log: { accuracy: mean(right) },
        };
      },
    },
  ],
  functions: () => ({
    features: {
      about: "features [N, 4 width], logits, and the maps after each stage, from fine to coarse",
      call({ C }, { x }) {
        const { features, logits, stages } = C(x);
        const maps = Object.fromEntries(stages.map((map, i) => [`stage${i}`, map] as const));
        return { features, logits, ...maps };
      },
    },
    logits: {
      about: "a number for each class; softmax makes them probabilities",
      call: ({ C }, { x }) => C(x).logits,
    },
  }),
});
