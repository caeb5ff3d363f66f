import { graphError, showShape, sizeOf, stridesOf, type Shape, type TensorType } from "../ir.ts";

/** How a kernel moves over an input, one entry per spatial axis; `pads` holds begins, then ends. */
export type ConvAttrs = {
  readonly strides: readonly number[];
  readonly pads: readonly number[];
  readonly dilations: readonly number[];
  readonly group: number;
};

/** The same with every field optional; a number stands for all axes. */
export interface ConvOptions {
  readonly strides?: number | readonly number[];
  /** Zeros around the input: a number, or [begin..., end...]. */
  readonly pads?: number | readonly number[];
  readonly dilations?: number | readonly number[];
  readonly groups?: number;
}

/** Fills in and checks the options of a convolution over `rank` spatial axes. */
export function convAttrs(op: string, rank: number, options: ConvOptions): ConvAttrs {
  if (rank < 1 || rank > 3) {
    throw graphError(op, `input has ${rank} spatial axes, expected 1, 2 or 3`);
  }
  const { groups = 1 } = options;
  if (!Number.isInteger(groups) || groups < 1) {
    throw graphError(op, `groups is ${groups}, expected an integer of at least 1`);
  }
  return {
    strides: perAxis(op, "strides", options.strides ?? 1, rank, 1),
    pads: perAxis(op, "pads", options.pads ?? 0, 2 * rank, 0),
    dilations: perAxis(op, "dilations", options.dilations ?? 1, rank, 1),
    group: groups,
  };
}

/** A number or a list as a list of `count` integers, each at least `least`. */
export function perAxis(
  op: string,
  name: string,
  value: number | readonly number[],
  count: number,
  least: number,
): readonly number[] {
  const list = typeof value === "number" ? Array.from({ length: count }, () => value) : value;
  if (list.length !== count || list.some((v) => !Number.isInteger(v) || v < least)) {
    throw graphError(
      op,
      `${name} is ${showShape(list)}, expected ${count} integers of at least ${least}`,
    );
  }
  return list;
}

/** Size of a convolution's result: floor((in + pads - dilation (kernel - 1) - 1) / stride) + 1. */
export function convOutput(op: string, spatial: Shape, kernel: Shape, attrs: ConvAttrs): Shape {
  return spatial.map((size, i) => {
    const padded = size + at(attrs.pads, i) + at(attrs.pads, i + spatial.length);
    const reach = at(attrs.dilations, i) * (at(kernel, i) - 1) + 1;
    if (reach > padded) {
      throw graphError(
        op,
        `kernel ${showShape(kernel)} reaches over ${reach} places, the padded input has ${padded}`,
      );
    }
    return Math.floor((padded - reach) / at(attrs.strides, i)) + 1;
  });
}

/** Size of a transposed convolution's result: stride (in - 1) + extra + dilation (kernel - 1) + 1 - pads. */
export function convTransposeOutput(
  spatial: Shape,
  kernel: Shape,
  attrs: ConvAttrs & { readonly outputPadding: readonly number[] },
): Shape {
  return spatial.map((size, i) => {
    const reach = at(attrs.dilations, i) * (at(kernel, i) - 1) + 1;
    const full = at(attrs.strides, i) * (size - 1) + at(attrs.outputPadding, i) + reach;
    return full - at(attrs.pads, i) - at(attrs.pads, i + spatial.length);
  });
}

/** Checks a weight that input channels `channels` meet, with as many axes as the input's. */
export function demandWeight(
  op: string,
  w: TensorType | undefined,
  o: { readonly rank: number; readonly channels: number; readonly expected: (k: Shape) => number },
): Shape {
  const { shape } = demandImage(op, "weight", w);
  if (shape.length !== o.rank) {
    throw graphError(
      op,
      `weight has shape ${showShape(shape)}, expected ${o.rank} axes as the input has`,
    );
  }
  const expected = o.expected(shape);
  if (expected !== o.channels) {
    throw graphError(
      op,
      `input has ${o.channels} channels, weight ${showShape(shape)} expects ${expected}`,
    );
  }
  return shape;
}

/** Checks dtype, rank and channels of an operand of a convolution. */
export function demandImage(op: string, what: string, t: TensorType | undefined): TensorType {
  if (t?.dtype !== "float32") {
    throw graphError(op, `${what} is ${t?.dtype ?? "missing"}, expected float32`);
  }
  if (t.shape.length < 3 || t.shape.length > 5) {
    throw graphError(op, `${what} has shape ${showShape(t.shape)}, expected 3 to 5 axes`);
  }
  return t;
}

/** Where the kernel touches: for each tap, flat positions in the input, the kernel and the output. */
export interface Taps {
  readonly input: Int32Array;
  readonly kernel: Int32Array;
  readonly output: Int32Array;
}

/** Every (input, kernel, output) position with input = output * stride + kernel * dilation - pad. */
export function tapsOf(input: Shape, kernel: Shape, output: Shape, attrs: ConvAttrs): Taps {
  let taps = [{ i: 0, k: 0, o: 0 }];
  const [si, sk, so] = [stridesOf(input), stridesOf(kernel), stridesOf(output)];
  input.forEach((size, axis) => {
    const along: typeof taps = [];
    for (let o = 0; o < at(output, axis); o++) {
      for (let k = 0; k < at(kernel, axis); k++) {
        const i =
          o * at(attrs.strides, axis) + k * at(attrs.dilations, axis) - at(attrs.pads, axis);
        if (i >= 0 && i < size)
          along.push({ i: i * at(si, axis), k: k * at(sk, axis), o: o * at(so, axis) });
      }
    }
    taps = taps.flatMap((a) => along.map((b) => ({ i: a.i + b.i, k: a.k + b.k, o: a.o + b.o })));
  });
  return {
    input: Int32Array.from(taps, (t) => t.i),
    kernel: Int32Array.from(taps, (t) => t.k),
    output: Int32Array.from(taps, (t) => t.o),
  };
}

/**
 * Calls `visit(x, w, y)` with flat indices for every product of the trilinear form
 * sum y[n, o, q] x[n, c, p] w[o, c, k] that a convolution is.
 */
export function eachProduct(
  shapes: { readonly x: Shape; readonly w: Shape; readonly y: Shape },
  attrs: ConvAttrs,
  visit: (x: number, w: number, y: number) => void,
): void {
  const { x, w, y } = shapes;
  const [n, c, o] = [at(x, 0), at(x, 1), at(y, 1)];
  const [sizeX, sizeK, sizeY] = [x, w, y].map((s) => sizeOf(s.slice(2))) as [
    number,
    number,
    number,
  ];
  const taps = tapsOf(x.slice(2), w.slice(2), y.slice(2), attrs);
  const perGroup = c / attrs.group; // input channels that one output channel sees
  for (let image = 0; image < n; image++) {
    for (let io = 0; io < o; io++) {
      const first = Math.floor(io / (o / attrs.group)) * perGroup;
      for (let ic = 0; ic < perGroup; ic++) {
        const [px, pw, py] = [
          (image * c + first + ic) * sizeX,
          (io * perGroup + ic) * sizeK,
          (image * o + io) * sizeY,
        ];
        for (let t = 0; t < taps.input.length; t++) {
          visit(px + at(taps.input, t), pw + at(taps.kernel, t), py + at(taps.output, t));
        }
      }
    }
  }
}

/** list[i], which the caller knows to exist. */
export function at(list: ArrayLike<number>, i: number): number {
  const value = list[i];
  if (value === undefined) throw new TypeError(`no entry ${i} among ${list.length}`);
  return value;
}
