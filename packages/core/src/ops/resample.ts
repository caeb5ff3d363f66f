import { graphError, showShape, type Tensor } from "../ir.ts";
import { at, demandImage, perAxis } from "./conv-geometry.ts";
import { constant } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import { avgPool } from "./pool.ts";
import { expand, reshape, transpose } from "./shape.ts";

/**
 * Repeats every element `scale` times along each spatial axis. Composed: its gradient is a sum.
 *
 * @param x [N, C, ...spatial], 1 to 3 spatial axes
 */
export function upsampleNearest(
  x: Tensor,
  options: { readonly scale: number | readonly number[] },
): Tensor {
  demandImage("upsampleNearest", "input", x);
  const spatial = x.shape.slice(2);
  const scale = perAxis("upsampleNearest", "scale", options.scale, spatial.length, 1);
  const [n, c] = [at(x.shape, 0), at(x.shape, 1)];
  const thin = reshape(x, [n, c, ...spatial.flatMap((d) => [d, 1])]);
  const wide = expand(thin, [n, c, ...spatial.flatMap((d, i) => [d, at(scale, i)])]);
  return reshape(wide, [n, c, ...spatial.map((d, i) => d * at(scale, i))]);
}

/** Mean of blocks of `scale` elements along each spatial axis, which must divide. */
export function downsample(
  x: Tensor,
  options: { readonly scale: number | readonly number[] },
): Tensor {
  demandImage("downsample", "input", x);
  const spatial = x.shape.slice(2);
  const scale = perAxis("downsample", "scale", options.scale, spatial.length, 1);
  if (spatial.some((d, i) => d % at(scale, i) !== 0)) {
    throw graphError(
      "downsample",
      `size ${showShape(spatial)} is not divisible by ${showShape(scale)}`,
    );
  }
  return avgPool(x, { kernel: scale });
}

/**
 * Bilinear resizing of images, without antialiasing. Pixel centres lie at half integers (PyTorch's
 * align_corners=False), or the corner pixels' centres coincide when `alignCorners`. Composed of two
 * products with constant matrices.
 *
 * @param x [N, C, H, W]
 * @param options size [height, width]
 */
export function resizeBilinear(
  x: Tensor,
  options: { readonly size: readonly [number, number]; readonly alignCorners?: boolean },
): Tensor {
  demandImage("resizeBilinear", "input", x);
  if (x.rank !== 4)
    throw graphError("resizeBilinear", `input has shape ${showShape(x.shape)}, expected 4 axes`);
  const { alignCorners = false } = options;
  const size = perAxis("resizeBilinear", "size", options.size, 2, 1);
  const [h, w] = [at(x.shape, 2), at(x.shape, 3)];
  const [toH, toW] = [at(size, 0), at(size, 1)];
  const wide = w === toW ? x : matmul(x, transpose(bilinearMatrix(w, toW, alignCorners), [1, 0]));
  return h === toH ? wide : matmul(bilinearMatrix(h, toH, alignCorners), wide);
}

/** resizeBilinear to `scale` times the size. */
export function upsampleBilinear(
  x: Tensor,
  options: { readonly scale: number; readonly alignCorners?: boolean },
): Tensor {
  const { scale, ...rest } = options;
  const [h, w] = [(x.shape[2] ?? 0) * scale, (x.shape[3] ?? 0) * scale];
  return resizeBilinear(x, { ...rest, size: [h, w] });
}

/**
 * Bicubic resizing of images (Keys 1981, a = -1/2). An image that gets smaller is filtered on the way:
 * the kernel is widened by the scale, as MATLAB's imresize does it; the border is mirrored. Pixel
 * centres lie at half integers. Composed of two products with constant matrices.
 *
 * @param x [N, C, H, W]
 * @param options size [height, width]
 */
export function resizeBicubic(
  x: Tensor,
  options: { readonly size: readonly [number, number] },
): Tensor {
  demandImage("resizeBicubic", "input", x);
  if (x.rank !== 4)
    throw graphError("resizeBicubic", `input has shape ${showShape(x.shape)}, expected 4 axes`);
  const [toH, toW] = options.size;
  const [h, w] = [at(x.shape, 2), at(x.shape, 3)];
  const wide = w === toW ? x : matmul(x, transpose(bicubicMatrix(w, toW), [1, 0]));
  return h === toH ? wide : matmul(bicubicMatrix(h, toH), wide);
}

/** [to, from]: row i holds the weights with which output i reads the input; each sums to 1. */
function bicubicMatrix(from: number, to: number): Tensor {
  const rows = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    for (const { place, weight } of bicubicTaps(i, { from, to }))
      rows[i * from + place] = at(rows, i * from + place) + weight;
  }
  return constant(rows, { shape: [to, from] });
}

/** The places of an axis of extent `from` that place `i` of one of extent `to` is made of; see `resizeBicubic`. */
export function bicubicTaps(
  i: number,
  { from, to }: { readonly from: number; readonly to: number },
): { readonly place: number; readonly weight: number }[] {
  const step = from / to;
  const width = Math.max(step, 1); // of the kernel, in places of the input
  const centre = (i + 0.5) * step - 0.5;
  const first = Math.ceil(centre - 2 * width);
  const taps = Array.from({ length: Math.floor(centre + 2 * width) - first + 1 }, (_, k) =>
    cubic((first + k - centre) / width),
  );
  const total = taps.reduce((a, b) => a + b, 0);
  return taps.map((tap, k) => ({ place: mirrored(first + k, from), weight: tap / total }));
}

/** Keys' kernel with a = -1/2. */
function cubic(x: number): number {
  const t = Math.abs(x);
  if (t <= 1) return 1.5 * t ** 3 - 2.5 * t ** 2 + 1;
  return t < 2 ? -0.5 * t ** 3 + 2.5 * t ** 2 - 4 * t + 2 : 0;
}

/** A place beyond the border, mirrored back: -1 is 0, -2 is 1. */
function mirrored(place: number, extent: number): number {
  const k = ((place % (2 * extent)) + 2 * extent) % (2 * extent);
  return k < extent ? k : 2 * extent - 1 - k;
}

/** [to, from]: row i holds the weights with which output i reads the input. */
function bilinearMatrix(from: number, to: number, alignCorners: boolean): Tensor {
  const rows = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    const aligned = to === 1 ? 0 : (i * (from - 1)) / (to - 1);
    const centre = ((i + 0.5) * from) / to - 0.5;
    const place = Math.min(Math.max(alignCorners ? aligned : centre, 0), from - 1);
    const low = Math.floor(place);
    const high = Math.min(low + 1, from - 1);
    rows[i * from + low] = at(rows, i * from + low) + 1 - (place - low);
    rows[i * from + high] = at(rows, i * from + high) + (place - low);
  }
  return constant(rows, { shape: [to, from] });
}

/** [N, C r r, H, W] -> [N, C, H r, W r]: channel c r r + i r + j goes to row i, column j of a block. */
export function pixelShuffle(x: Tensor, options: { readonly factor: number }): Tensor {
  const r = options.factor;
  const [n, c, h, w] = image("pixelShuffle", x);
  if (!Number.isInteger(r) || r < 1 || c % (r * r) !== 0) {
    throw graphError("pixelShuffle", `${c} channels are not divisible by factor ${r} squared`);
  }
  const blocks = reshape(x, [n, c / (r * r), r, r, h, w]);
  return reshape(transpose(blocks, [0, 1, 4, 2, 5, 3]), [n, c / (r * r), h * r, w * r]);
}

/** [N, C, H r, W r] -> [N, C r r, H, W], the inverse of pixelShuffle. */
export function pixelUnshuffle(x: Tensor, options: { readonly factor: number }): Tensor {
  const r = options.factor;
  const [n, c, h, w] = image("pixelUnshuffle", x);
  if (!Number.isInteger(r) || r < 1 || h % r !== 0 || w % r !== 0) {
    throw graphError("pixelUnshuffle", `size ${showShape([h, w])} is not divisible by factor ${r}`);
  }
  const blocks = reshape(x, [n, c, h / r, r, w / r, r]);
  return reshape(transpose(blocks, [0, 1, 3, 5, 2, 4]), [n, c * r * r, h / r, w / r]);
}

function image(op: string, x: Tensor): readonly [number, number, number, number] {
  if (x.rank !== 4)
    throw graphError(op, `input has shape ${showShape(x.shape)}, expected [N, C, H, W]`);
  return [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
}
