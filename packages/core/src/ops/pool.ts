import { type Tensor } from "../ir.ts";
import { max } from "./arithmetic.ts";
import { convOutput, convAttrs, demandImage, perAxis, at } from "./conv-geometry.ts";
import { conv } from "./conv.ts";
import { full } from "./leaf.ts";
import { pad } from "./pad.ts";
import { mean } from "./reduce.ts";
import { reshape, slice } from "./shape.ts";

export interface PoolOptions {
  readonly kernel: number | readonly number[];
  /** The kernel, unless given. */
  readonly stride?: number | readonly number[];
  /** A number, or [begin..., end...]. */
  readonly pads?: number | readonly number[];
}

/** The lowest float32: what maxPool sees outside the input. */
const lowest = -3.4028234663852886e38;

/**
 * Mean over windows; zeros of the padding count (PyTorch's default). Composed: a mean of blocks
 * where windows tile the input, else a convolution of each channel with 1 / size.
 *
 * @param x [N, C, ...spatial], 1 to 3 spatial axes
 */
export function avgPool(x: Tensor, options: PoolOptions): Tensor {
  const { kernel, strides, pads } = window("AveragePool", x, options);
  const spatial = x.shape.slice(2);
  const tiles =
    pads.every((p) => p === 0) &&
    kernel.every((k, i) => k === at(strides, i) && at(spatial, i) % k === 0);
  if (tiles) {
    const blocks = spatial.flatMap((d, i) => [d / at(kernel, i), at(kernel, i)]);
    const axes = spatial.map((_, i) => 2 * i + 3);
    return mean(reshape(x, [at(x.shape, 0), at(x.shape, 1), ...blocks]), { axes });
  }
  const [n, c] = [at(x.shape, 0), at(x.shape, 1)];
  const size = kernel.reduce((a, b) => a * b, 1);
  const y = conv(reshape(x, [n * c, 1, ...spatial]), full([1, 1, ...kernel], 1 / size), {
    strides,
    pads,
  });
  return reshape(y, [n, c, ...y.shape.slice(2)]);
}

/**
 * Maximum over windows; the padding never wins. Composed of maxima of strided slices, axis by axis;
 * at a tie the gradient goes to the first.
 *
 * @param x [N, C, ...spatial], 1 to 3 spatial axes
 */
export function maxPool(x: Tensor, options: PoolOptions): Tensor {
  const { kernel, strides, pads, output } = window("MaxPool", x, options);
  const rank = kernel.length;
  const padded = pad(x, {
    before: [0, 0, ...pads.slice(0, rank)],
    after: [0, 0, ...pads.slice(rank)],
    value: lowest,
  });
  return kernel.reduce((y, k, i) => {
    const step = at(strides, i);
    const shifted = Array.from({ length: k }, (_, start) =>
      slice(y, { axis: i + 2, start, end: start + step * (at(output, i) - 1) + 1, step }),
    );
    return shifted.reduce((a, b) => max(a, b));
  }, padded);
}

/** Mean over all spatial axes: [N, C, ...spatial] -> [N, C]. */
export const globalAvgPool = (x: Tensor): Tensor =>
  mean(x, { axes: Array.from({ length: x.rank - 2 }, (_, i) => i + 2) });

function window(op: string, x: Tensor, options: PoolOptions) {
  demandImage(op, "input", x);
  const rank = x.rank - 2;
  const kernel = perAxis(op, "kernel", options.kernel, rank, 1);
  const attrs = convAttrs(op, rank, {
    strides: options.stride ?? kernel,
    pads: options.pads ?? 0,
  });
  return { ...attrs, kernel, output: convOutput(op, x.shape.slice(2), kernel, attrs) };
}
