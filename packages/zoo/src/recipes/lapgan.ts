import {
  adam,
  concat,
  downsample,
  momentum,
  nn,
  oneHot,
  reshape,
  sizeOf,
  upsampleBilinear,
  type Clock,
  type Layer,
  type Net,
  type Optimizer,
  type Scope,
  type Shape,
  type Tensor,
} from "@duelo/core";
import { bceFake, bceReal, scores } from "../blocks/losses.ts";
import { pyramid } from "../blocks/pyramid.ts";
import { choice, int, number, type OptionValue } from "../options.ts";
import { image, label, recipe } from "../recipe.ts";

// LAPGAN: a GAN for the smallest picture of a Laplacian pyramid, and for every level above it one that
// adds detail to the enlarged picture below. Next: `stylegan`, which grows one net instead.

const epoch = 45_000; // training images of [1]

/** A net of one level; the class is used where there are classes. */
type Level = Net<readonly [x: Tensor, y: Tensor]>;
type Nets = Readonly<Record<string, (x: Tensor, y: Tensor) => Tensor>>;
type Inputs = Readonly<Record<"x" | "y" | "z" | "yFake", Tensor>>;

/** The picture of the level below at the size of this one. */
const enlarged = (x: Tensor): Tensor => upsampleBilinear(x, { scale: 2 });
const halved = (x: Tensor): Tensor => downsample(x, { scale: 2 });

function refuse(shape: Shape, options: Readonly<Record<string, OptionValue>>): string | undefined {
  const [, height = 1, width = 1] = shape;
  const { levels, base } = pyramid(shape, { until: Number(options["coarse"]) });
  // D's two kernels of 5, one of them with stride 2, need 9 pixels.
  if (levels >= 1 && 2 * Math.min(...base) >= 9) return undefined;
  return (
    `${height}x${width} gives no pyramid down to sides of ${options["coarse"]} pixels or less whose second ` +
    `level has 9 at least; choose sides such as 28, 32 or 64, or another --set coarse`
  );
}

export default recipe({
  name: "lapgan",
  about: "a Laplacian pyramid: one GAN for a small picture, and one a level that adds detail",
  paper: "arXiv:1506.05751",
  sources: [
    "[1] facebook/eyescream cifar/ (coarse-to-fine, its class-conditional variant, and the coarsest level)",
    "paper: Sections 2 and 3, Algorithm 1",
  ],
  differences: [
    "All levels are trained side by side, an update of each in a step, from one batch: they do not depend on each other, for each learns from real pictures of its own size, so this is what training them one after the other gives. [1] runs a program a level.",
    "[1] makes half a batch of D from the coarse pictures of other records, and trains G on twice as many as D's real ones; here D's made ones and G's belong to the records of the batch.",
    "G answers the D that has just moved, on the same batch with fresh noise in the levels above the coarsest.",
    "Pictures are in -1 to 1; [1] takes mean and standard deviation of the set away.",
    "Down is the mean of four pixels, up is bilinear between pixel centres; the paper blurs, and [1] has Torch's image.scale.",
    "Momentum keeps m of the step before and adds 1 - m of the gradient, as Torch's does, but at its first step, where Torch's takes the whole gradient.",
    "An epoch, after which rate and momentum change, is 45,000 images, whatever the data.",
    "The smallest pictures are 8 pixels high or wide at the most; the paper's sizes of 28, 14 and 8 are 28, 14 and 7 here.",
    "Which snapshot is kept: the last one, or the best by --eval-every; [1] takes that whose samples are nearest to validation images.",
  ],
  data: { x: image({ range: [-1, 1], size: [32, 32], refuse }), y: label({ optional: true }) },
  options: {
    batch: int({
      default: 64,
      min: 1,
      max: 4096,
      about: "images in a batch, and as many made ones",
      source: "[1]: half of 128",
    }),
    coarse: int({
      default: 8,
      min: 4,
      max: 64,
      about: "pixels at most of a side of the smallest picture",
      source: "(Section 4)",
    }),
    zDim: int({ default: 100, min: 1, max: 4096, about: "length of z", source: "[1]" }),
    unitsG: int({
      default: 8000,
      min: 1,
      max: 16_384,
      about: "units of the coarsest G's layers",
      source: "[1: hidden_G]",
    }),
    unitsD: int({
      default: 1600,
      min: 1,
      max: 16_384,
      about: "units of the coarsest D's layers",
      source: "[1: hidden_D]",
    }),
    widthG: int({
      default: 64,
      min: 1,
      max: 1024,
      about: "channels of the other levels' G",
      source: "[1: hidden_G]",
    }),
    widthD: int({
      default: 64,
      min: 1,
      max: 1024,
      about: "channels of the other levels' D",
      source: "[1: hidden_D]",
    }),
    rule: choice({
      default: "momentum",
      choices: ["momentum", "adam"],
      about: "how all nets learn: gradient descent with momentum, or Adam with beta1 0.5",
      source: "[1] momentum; adam is ours: far fewer steps",
    }),
    lr: number({
      default: 0.02,
      min: 0,
      max: 10,
      about: "learning rate of all nets at the start",
      source: "[1]",
    }),
    emaDecay: number({
      default: 0,
      min: 0,
      max: 0.99999,
      about: "decay of averaged weights of all G",
      source: "ours: steadier samples after short runs",
    }),
  },
  presets: {
    paper: {
      about: "32x32, as for CIFAR-10: 45,000 images, 500 times ([1] names no end)",
      steps: 351_562,
    },
    small: {
      about: "64x64 or smaller on two cores",
      size: [64, 64],
      options: {
        ...{ batch: 16, unitsG: 512, unitsD: 512, widthG: 16, widthD: 16 },
        ...{ rule: "adam", lr: 1e-3, emaDecay: 0.995 },
      },
      steps: 4000,
    },
  },
  nets: (c) => {
    const [channels = 3] = c.shape.x;
    const told = c.nClasses > 0;
    const vector = (y: Tensor): Tensor => oneHot(y, { depth: c.nClasses });
    /** The class as one more map. */
    const withMap = (s: Scope, maps: readonly Tensor[], y: Tensor): Tensor => {
      const [n = 1, , h = 1, w = 1] = maps[0]?.shape ?? [];
      if (!told) return concat(maps, 1);
      const map = s.child("class", (l) =>
        nn
          .linear({ out: h * w })(l, vector(y))
          .relu(),
      );
      return concat([...maps, reshape(map, [n, 1, h, w])], 1);
    };
    const size = [channels, ...pyramid(c.shape.x, { until: c.coarse }).base];
    const plain = (std: number) =>
      told ? {} : { init: nn.init.normal({ std }), biasInit: nn.init.zeros };
    const withClass = (x: Tensor, y: Tensor): Tensor => (told ? concat([x, vector(y)], 1) : x);

    /** z to the smallest picture. */
    const G0: Level = (s, z, y) => {
      const dense = (out: number): Layer => nn.linear({ out, ...plain(0.05) });
      const second = told ? nn.relu : nn.sigmoid; // [1]
      return nn.chain(
        ...[dense(c.unitsG), nn.relu, dense(c.unitsG), second],
        ...[dense(sizeOf(size)), nn.reshape(size)],
      )(s, withClass(z, y));
    };
    const D0: Level = (s, x, y) => {
      const dense = (out: number): Layer => nn.linear({ out, ...plain(0.005) });
      const hidden = [dense(c.unitsD), nn.relu, nn.dropout({ p: 0.5 })];
      return nn.chain(...hidden, ...hidden, dense(1))(s, withClass(nn.flatten(s, x), y));
    };
    /** The detail that belongs to an enlarged picture. */
    const G: Level = (s, l, y) => {
      const [n = 1, , h = 1, w = 1] = l.shape;
      const z = s.noise({ kind: "uniform", shape: [n, 1, h, w], low: -1, high: 1 });
      return nn.chain(
        nn.conv({ out: c.widthG, kernel: 7, pad: 3 }),
        nn.relu,
        nn.conv({ out: c.widthG, kernel: 7, pad: 3 }),
        nn.relu,
        nn.conv({ out: channels, kernel: 5, pad: 2 }),
      )(s, withMap(s, [z, l], y));
    };
    /** Judges the sum of enlarged picture and detail, so that it knows what the detail belongs to. */
    const D: Level = (s, x, y) =>
      nn.chain(
        nn.conv({ out: c.widthD, kernel: 5 }),
        nn.relu,
        nn.conv({ out: c.widthD, kernel: 5, stride: 2 }),
        nn.flatten,
        nn.relu,
        nn.dropout({ p: 0.5 }),
        nn.linear({ out: 1 }),
      )(s, withMap(s, [x], y));
    const above = levelsOf(c).slice(1);
    return {
      ...{ G0, D0 },
      ...Object.fromEntries(above.flatMap((k) => [[`G${k}`, G] as const, [`D${k}`, D] as const])),
    } as Readonly<Record<string, Level>>;
  },
  optimizer: (c) => {
    const ruleOf = (k: number): Optimizer => {
      if (c.rule === "adam") return adam({ lr: c.lr, beta1: 0.5 });
      const told = c.nClasses > 0;
      const fall = k > 0 && told ? 1.00004 : 1.000004; // [1]
      const inertia = (clock: Clock): number =>
        Math.min((k > 0 && !told ? 0.5 : 0) + 0.0008 * epochs(clock), 0.7); // [1]
      const lr = (clock: Clock): number =>
        Math.max(c.lr / fall ** epochs(clock), 1e-6) * (1 - inertia(clock));
      return momentum({ lr, momentum: inertia });
    };
    return Object.fromEntries(
      levelsOf(c).flatMap((k) => [
        [`G${k}`, ruleOf(k)],
        [`D${k}`, ruleOf(k)],
      ]),
    );
  },
  ema: (c) =>
    Object.fromEntries(
      levelsOf(c).map((k) => [`G${k}`, c.emaDecay === 0 ? undefined : c.emaDecay]),
    ),
  noise: (c) => ({
    z: { kind: "uniform", shape: [c.batch, c.zDim], low: -1, high: 1 }, // [1]
    yFake: { kind: "label", shape: [c.batch] },
  }),
  phases: (c) => {
    const levels = levelsOf(c);
    /** The data at the size of level k. */
    const at = (x: Tensor, k: number): Tensor =>
      k === levels.length - 1 ? x : halved(at(x, k + 1));
    /** Real and made pictures of a level, with the class of each. */
    const both = (k: number, nets: Nets, { x, y, z, yFake }: Inputs) => {
      const real = at(x, k);
      if (k === 0) return { real, y, fake: net(nets, "G", 0)(z, yFake), yFake };
      const l = enlarged(halved(real)); // (Section 2.2)
      return { real, y, fake: l.add(net(nets, "G", k)(l, y)), yFake: y };
    };
    return levels.flatMap((k) => [
      {
        update: [`D${k}`],
        draw: k === 0 ? ("fresh" as const) : ("same" as const),
        loss(nets: Nets, inputs: Inputs) {
          const { real, y, fake, yFake } = both(k, nets, inputs);
          const D = net(nets, "D", k);
          const [ofReal, ofFake] = [D(real, y), D(fake, yFake)];
          return {
            loss: bceReal(ofReal).add(bceFake(ofFake)).mul(0.5), // a mean over both halves [1]
            log: scores({ real: ofReal, fake: ofFake, net: `D${k}` }),
          };
        },
      },
      {
        update: [`G${k}`],
        draw: "same" as const,
        loss(nets: Nets, inputs: Inputs) {
          const { fake, yFake } = both(k, nets, inputs);
          return { loss: bceReal(net(nets, "D", k)(fake, yFake)) };
        },
      },
    ]);
  },
  functions: (c) => ({
    sample: {
      about: "what the trained system makes, level by level",
      call: (nets, { z, yFake }) =>
        levelsOf(c)
          .slice(1)
          .reduce(
            (x, k) => {
              const l = enlarged(x);
              return l.add(net(nets, "G", k)(l, yFake)); // (Section 2.3)
            },
            net(nets, "G", 0)(z, yFake),
          ),
    },
  }),
});

/** The numbers of the levels, from the coarsest. */
function levelsOf(c: { readonly shape: { readonly x: Shape }; readonly coarse: number }): number[] {
  const { levels } = pyramid(c.shape.x, { until: c.coarse });
  return Array.from({ length: levels + 1 }, (_, k) => k);
}

/** G or D of a level. */
function net(nets: Nets, letter: "G" | "D", k: number): Nets[string] {
  const found = nets[`${letter}${k}`];
  if (found === undefined) throw new TypeError(`no net ${letter}${k}`);
  return found;
}

const epochs = ({ nImages }: Clock): number => Math.floor(nImages / epoch);
