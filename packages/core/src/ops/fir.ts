import { graphError, showShape, type Tensor } from "../ir.ts";
import { at } from "./conv-geometry.ts";
import { conv } from "./conv.ts";
import { constant } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import { expand, transpose } from "./shape.ts";

export interface FirOptions {
  /** Taps of a 1-D filter, applied along both axes. */
  readonly filter: readonly number[];
  readonly up?: number;
  readonly down?: number;
  /** [top, left, bottom, right] in the up-sampled image; negative ones crop. */
  readonly pads?: readonly [number, number, number, number];
}

/**
 * Up-samples, filters and down-samples images: inserts up - 1 zeros after every pixel, pads or
 * crops, convolves with the filter (flipped, as a convolution is) and keeps every down-th pixel.
 * Composed: without up-sampling and cropping, of a convolution of each channel; else, since the whole is linear
 * along each axis, of two products with constant matrices (measured at 16 to 256 pixels on ONNX
 * Runtime: the convolution takes a fifth to a half of the products' time, a transposed one is slower
 * than them below 64 pixels).
 *
 * @param x [N, C, H, W]
 * @returns [N, C, H', W'], H' = floor((H up + top + bottom - taps) / down) + 1, W' likewise
 */
export function upfirdn2d(x: Tensor, options: FirOptions): Tensor {
  const { filter, up = 1, down = 1, pads = [0, 0, 0, 0] } = options;
  if (x.rank !== 4)
    throw graphError("upfirdn2d", `input has shape ${showShape(x.shape)}, expected [N, C, H, W]`);
  if (![up, down].every((f) => Number.isInteger(f) && f >= 1) || filter.length === 0) {
    throw graphError(
      "upfirdn2d",
      `up ${up}, down ${down} and ${filter.length} taps; each must be at least 1`,
    );
  }
  const [top, left, bottom, right] = pads;
  const padded = Math.min(at(x.shape, 2) * up + top + bottom, at(x.shape, 3) * up + left + right);
  if (padded < filter.length) {
    throw graphError(
      "upfirdn2d",
      `${filter.length} taps do not fit into the padded size ${padded}`,
    );
  }
  if (up === 1 && pads.every((p) => p >= 0)) return firConv(x, { filter, down, pads });
  const rows = firMatrix(at(x.shape, 2), { filter, up, down, before: top, after: bottom });
  const columns = firMatrix(at(x.shape, 3), { filter, up, down, before: left, after: right });
  return matmul(rows, matmul(x, transpose(columns, [1, 0])));
}

/** upfirdn2d that makes an image `factor` times larger and keeps its mean and its place. */
export function firUp(
  x: Tensor,
  options: { readonly filter: readonly number[]; readonly factor?: number },
): Tensor {
  const { factor = 2 } = options;
  const filter = normalised(options.filter).map((f) => f * factor);
  const before = Math.floor((filter.length + factor - 1) / 2);
  const after = Math.floor((filter.length - factor) / 2);
  return upfirdn2d(x, { filter, up: factor, pads: [before, before, after, after] });
}

/** upfirdn2d that makes an image `factor` times smaller and keeps its mean and its place. */
export function firDown(
  x: Tensor,
  options: { readonly filter: readonly number[]; readonly factor?: number },
): Tensor {
  const { factor = 2 } = options;
  const filter = normalised(options.filter);
  const before = Math.floor((filter.length - factor + 1) / 2);
  const after = Math.floor((filter.length - factor) / 2);
  return upfirdn2d(x, { filter, down: factor, pads: [before, before, after, after] });
}

/** upfirdn2d without up-sampling and cropping. */
function firConv(
  x: Tensor,
  o: {
    readonly filter: readonly number[];
    readonly down: number;
    readonly pads: readonly number[];
  },
): Tensor {
  const taps = o.filter.toReversed();
  const [c, n] = [at(x.shape, 1), taps.length];
  const kernel = taps.flatMap((a) => taps.map((b) => a * b));
  const weight = expand(constant(kernel, { shape: [1, 1, n, n] }), [c, 1, n, n]);
  return conv(x, weight, { strides: o.down, pads: o.pads, groups: c });
}

/** The filter scaled to sum 1. */
function normalised(filter: readonly number[]): readonly number[] {
  const total = filter.reduce((a, b) => a + b, 0);
  return filter.map((f) => f / total);
}

/** [to, from]: row i holds the weights with which output i reads the input. */
function firMatrix(
  from: number,
  options: {
    readonly filter: readonly number[];
    readonly up: number;
    readonly down: number;
    readonly before: number;
    readonly after: number;
  },
): Tensor {
  const { filter, up, down, before, after } = options;
  const padded = from * up + before + after;
  const to = Math.floor((padded - filter.length) / down) + 1;
  const rows = new Float64Array(to * from);
  for (let i = 0; i < to; i++) {
    filter.forEach((tap, k) => {
      const place = i * down + (filter.length - 1 - k) - before; // in the up-sampled input
      const source = place / up;
      if (Number.isInteger(source) && source >= 0 && source < from) {
        rows[i * from + source] = at(rows, i * from + source) + tap;
      }
    });
  }
  return constant(rows, { shape: [to, from] });
}
