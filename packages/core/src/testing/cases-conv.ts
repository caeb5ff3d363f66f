import { add, mul } from "../ops/arithmetic.ts";
import { conv, convTranspose, convWeightGrad } from "../ops/conv.ts";
import { crop } from "../ops/crop.ts";
import { firDown, firUp, upfirdn2d } from "../ops/fir.ts";
import { affineGrid, gridSample } from "../ops/grid-sample.ts";
import { pad } from "../ops/pad.ts";
import { avgPool, globalAvgPool, maxPool } from "../ops/pool.ts";
import {
  downsample,
  pixelShuffle,
  pixelUnshuffle,
  resizeBicubic,
  resizeBilinear,
  upsampleBilinear,
  upsampleNearest,
} from "../ops/resample.ts";
import { opCase, type CaseInput, type OpCase } from "./op-case.ts";

const x: CaseInput = { shape: [2, 4, 5, 6] };
const w: CaseInput = { shape: [6, 4, 3, 3] };

const convolution: OpCase[] = [
  opCase("Conv", { x, w }, (i) => conv(i.x, i.w)),
  opCase("Conv: stride and padding", { x, w: { shape: [3, 4, 4, 4] } }, (i) =>
    conv(i.x, i.w, { strides: 2, pads: 1 }),
  ),
  opCase("Conv: unlike axes", { x, w: { shape: [3, 4, 3, 2] } }, (i) =>
    conv(i.x, i.w, { strides: [2, 1], pads: [1, 0, 2, 1], dilations: [1, 3] }),
  ),
  opCase("Conv: groups", { x, w: { shape: [6, 2, 3, 3] } }, (i) =>
    conv(i.x, i.w, { groups: 2, pads: 1 }),
  ),
  opCase("Conv: each channel by itself", { x, w: { shape: [4, 1, 3, 3] } }, (i) =>
    conv(i.x, i.w, { groups: 4, strides: 2, pads: 1 }),
  ),
  opCase("Conv: rows that no product reaches", { x, w: { shape: [3, 4, 2, 2] } }, (i) =>
    conv(i.x, i.w, { strides: 4 }),
  ),
  opCase("Conv: 1x1", { x, w: { shape: [3, 4, 1, 1] } }, (i) => conv(i.x, i.w)),
  opCase("Conv: the kernel covers the input", { x, w: { shape: [3, 4, 5, 6] } }, (i) =>
    conv(i.x, i.w),
  ),
  opCase("Conv: with a bias", { x, w, b: { shape: [6, 1, 1] } }, (i) =>
    add(conv(i.x, i.w, { pads: 1 }), i.b),
  ),
  opCase("Conv: 1-D", { x: { shape: [2, 3, 9] }, w: { shape: [2, 3, 4] } }, (i) =>
    conv(i.x, i.w, { strides: 2, pads: [1, 2], dilations: 2 }),
  ),
  opCase("Conv: 3-D", { x: { shape: [2, 2, 3, 4, 5] }, w: { shape: [3, 2, 2, 3, 2] } }, (i) =>
    conv(i.x, i.w, { strides: [1, 2, 2], pads: 1 }),
  ),
  opCase("ConvTranspose", { x, w: { shape: [4, 3, 3, 3] } }, (i) => convTranspose(i.x, i.w)),
  opCase("ConvTranspose: stride and padding", { x, w: { shape: [4, 3, 4, 4] } }, (i) =>
    convTranspose(i.x, i.w, { strides: 2, pads: 1 }),
  ),
  opCase("ConvTranspose: output padding", { x, w: { shape: [4, 3, 3, 3] } }, (i) =>
    convTranspose(i.x, i.w, { strides: [2, 3], pads: 1, outputPadding: [1, 2] }),
  ),
  opCase("ConvTranspose: groups", { x, w: { shape: [4, 3, 3, 3] } }, (i) =>
    convTranspose(i.x, i.w, { groups: 2, strides: 2, dilations: [2, 1] }),
  ),
  opCase(
    "ConvTranspose: of one place",
    { x: { shape: [3, 5, 1, 1] }, w: { shape: [5, 2, 4, 4] } },
    (i) => convTranspose(i.x, i.w),
  ),
  opCase(
    "ConvTranspose: with a bias",
    { x, w: { shape: [4, 3, 3, 3] }, b: { shape: [6, 1, 1] } },
    (i) => add(convTranspose(i.x, i.w, { groups: 2, strides: 2 }), i.b),
  ),
  opCase("ConvTranspose: 1-D", { x: { shape: [2, 3, 5] }, w: { shape: [3, 2, 4] } }, (i) =>
    convTranspose(i.x, i.w, { strides: 3, pads: [1, 0], outputPadding: 1 }),
  ),
  opCase(
    "ConvTranspose: 3-D",
    { x: { shape: [2, 2, 2, 3, 2] }, w: { shape: [2, 3, 2, 3, 2] } },
    (i) => convTranspose(i.x, i.w, { strides: [1, 2, 2], pads: [0, 1, 0, 1, 0, 1] }),
  ),
  opCase("ConvWeightGrad", { x, g: { shape: [2, 3, 2, 3] } }, (i) =>
    convWeightGrad(i.x, i.g, {
      kernel: [4, 4],
      strides: [2, 2],
      pads: [1, 1, 1, 1],
      dilations: [1, 1],
      group: 1,
    }),
  ),
  opCase("ConvWeightGrad: groups", { x, g: { shape: [2, 6, 2, 4] } }, (i) =>
    convWeightGrad(i.x, i.g, {
      kernel: [2, 3],
      strides: [3, 1],
      pads: [1, 0, 0, 2],
      dilations: [2, 2],
      group: 2,
    }),
  ),
];

const padding: OpCase[] = [
  opCase("PadBorder", { x }, (i) =>
    pad(i.x, { before: [0, 0, 1, 5], after: [0, 0, 4, 2], mode: "reflect" }),
  ),
  opCase("PadBorder: edge", { x }, (i) =>
    pad(i.x, { before: [0, 0, 1, 0], after: [0, 1, 7, 2], mode: "edge" }),
  ),
  opCase("PadBorder: one element", { x: { shape: [2, 1, 3] } }, (i) =>
    pad(i.x, { before: [0, 2, 0], after: [0, 3, 1], mode: "edge" }),
  ),
  opCase("Crop", { x }, (i) => crop(i.x, { starts: [0, 1, 2, 0], shape: [2, 2, 3, 5] })),
  opCase("pad", { x }, (i) => pad(i.x, { before: [0, 0, 1, 0], after: [0, 0, 2, 3], value: 0.5 })),
];

const pooling: OpCase[] = [
  opCase("avgPool", { x: { shape: [2, 3, 4, 6] } }, (i) => avgPool(i.x, { kernel: [2, 3] })),
  opCase("avgPool: overlapping", { x }, (i) => avgPool(i.x, { kernel: 3, stride: 2, pads: 1 })),
  opCase("avgPool: 1-D", { x: { shape: [2, 3, 7] } }, (i) => avgPool(i.x, { kernel: 2 })),
  opCase("maxPool", { x: { shape: [2, 3, 4, 6] } }, (i) => maxPool(i.x, { kernel: 2 })),
  opCase("maxPool: overlapping", { x }, (i) => maxPool(i.x, { kernel: 3, stride: 2, pads: 1 })),
  opCase("globalAvgPool", { x }, (i) => globalAvgPool(i.x)),
];

const small: CaseInput = { shape: [2, 3, 4, 5] };
const filter = [1, 3, 3, 1];

const resampling: OpCase[] = [
  opCase("upsampleNearest", { x: small }, (i) => upsampleNearest(i.x, { scale: [2, 3] })),
  opCase("downsample", { x: { shape: [2, 3, 4, 6] } }, (i) => downsample(i.x, { scale: 2 })),
  opCase("resizeBicubic: larger and smaller", { x: small }, (i) =>
    resizeBicubic(i.x, { size: [7, 2] }),
  ),
  opCase("resizeBilinear: larger", { x: small }, (i) => resizeBilinear(i.x, { size: [7, 9] })),
  opCase("resizeBilinear: smaller, corners aligned", { x: small }, (i) =>
    resizeBilinear(i.x, { size: [3, 2], alignCorners: true }),
  ),
  opCase("upsampleBilinear", { x: small }, (i) => upsampleBilinear(i.x, { scale: 2 })),
  opCase("pixelShuffle", { x: { shape: [2, 8, 3, 2] } }, (i) => pixelShuffle(i.x, { factor: 2 })),
  opCase("pixelUnshuffle", { x: { shape: [2, 3, 4, 6] } }, (i) =>
    pixelUnshuffle(i.x, { factor: 2 }),
  ),
  opCase("upfirdn2d", { x: small }, (i) =>
    upfirdn2d(i.x, { filter: [1, 2, -0.5], up: 3, down: 2, pads: [2, -1, 1, 3] }),
  ),
  opCase("upfirdn2d: without up-sampling", { x: small }, (i) =>
    upfirdn2d(i.x, { filter: [1, 2, -0.5], down: 2, pads: [2, 0, 1, 3] }),
  ),
  opCase("firUp", { x: small }, (i) => firUp(i.x, { filter })),
  opCase("firDown", { x: { shape: [2, 3, 4, 6] } }, (i) => firDown(i.x, { filter })),
];

const grid: CaseInput = { shape: [2, 3, 2, 2], range: [-1.3, 1.3] };
const sampling: OpCase[] = [
  opCase("gridSample", { x: small, grid }, (i) => gridSample(i.x, i.grid)),
  opCase("gridSample: border", { x: small, grid }, (i) =>
    gridSample(i.x, i.grid, { padding: "border", alignCorners: true }),
  ),
  opCase("gridSample: reflection", { x: small, grid: { ...grid, range: [-4, 4] } }, (i) =>
    gridSample(i.x, i.grid, { padding: "reflection" }),
  ),
  opCase(
    "gridSample: reflection, corners aligned",
    { x: small, grid: { ...grid, range: [-4, 4] } },
    (i) => gridSample(i.x, i.grid, { padding: "reflection", alignCorners: true }),
  ),
  opCase("affineGrid", { theta: { shape: [2, 2, 3] }, x: small }, (i) =>
    gridSample(i.x, affineGrid(i.theta, { size: [3, 4] })),
  ),
  opCase("gridSample: by its own weights", { x: small, grid }, (i) =>
    mul(gridSample(i.x, i.grid), gridSample(i.x, i.grid, { padding: "border" })),
  ),
];

export const convCases: readonly OpCase[] = [
  ...convolution,
  ...padding,
  ...pooling,
  ...resampling,
  ...sampling,
];
