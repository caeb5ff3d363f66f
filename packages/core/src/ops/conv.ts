import {
  apply,
  defineOp,
  graphError,
  sameShape,
  showShape,
  sizeOf,
  type Emitter,
  type NdArray,
  type OnnxAttrs,
  type Shape,
  type Tensor,
  type TensorType,
} from "../ir.ts";
import {
  at,
  convAttrs,
  convOutput,
  convTransposeOutput,
  demandImage,
  demandWeight,
  eachProduct,
  perAxis,
  type ConvAttrs,
  type ConvOptions,
} from "./conv-geometry.ts";
import { nth } from "./nd.ts";
import { sum } from "./reduce.ts";

/*
 * A convolution is trilinear: with position p = q stride + k dilation - pad,
 *   T(x, w, g) = sum over n, o, c, q, k of  g[n, o, q] x[n, c, p] w[o, c, k].
 * Conv is its derivative by g, ConvTranspose by x, ConvWeightGrad by w; so the three are each
 * other's gradients, to any order.
 */

type TransposeAttrs = ConvAttrs & { readonly outputPadding: readonly number[] };
type WeightGradAttrs = ConvAttrs & { readonly kernel: readonly number[] };

/** y[n, o, q] = sum x[n, c, p] w[o, c, k] (+ b[o], which only a pass adds). */
export const Conv = defineOp<ConvAttrs>({
  name: "Conv",
  infer([x, w, b], attrs) {
    const { shape: s } = demandImage("Conv", "input", x);
    const k = demandWeight("Conv", w, {
      rank: s.length,
      channels: at(s, 1),
      expected: (shape) => at(shape, 1) * attrs.group,
    });
    if (at(k, 0) % attrs.group !== 0) {
      throw graphError(
        "Conv",
        `${at(k, 0)} output channels do not split into ${attrs.group} groups`,
      );
    }
    demandBias("Conv", b, at(k, 0));
    const spatial = convOutput("Conv", s.slice(2), k.slice(2), attrs);
    return { dtype: "float32", shape: [at(s, 0), at(k, 0), ...spatial] };
  },
  grad(g, { inputs, attrs }) {
    const [x, w] = [nth(inputs, 0), nth(inputs, 1)];
    return [
      transposeTo(x.shape, g, w, attrs),
      convWeightGrad(x, g, { ...attrs, kernel: w.shape.slice(2) }),
      ...biasGrad(g, inputs),
    ];
  },
  emit: (e, { attrs }, inputs) => e.node("Conv", inputs, onnxAttrs(attrs))[0],
  evaluate(inputs, { attrs, shape }) {
    const y = startOf(shape, inputs[2]);
    const [x, w] = [nth(inputs, 0), nth(inputs, 1)];
    eachProduct({ x: x.shape, w: w.shape, y: shape }, attrs, (ix, iw, iy) => {
      y[iy] = at(y, iy) + at(x.data, ix) * at(w.data, iw);
    });
    return y;
  },
});

/** y[n, c, p] = sum x[n, o, q] w[o, c, k] (+ b[c], which only a pass adds); positions that no product reaches are 0. */
export const ConvTranspose = defineOp<TransposeAttrs>({
  name: "ConvTranspose",
  infer([x, w, b], attrs) {
    const { shape: s } = demandImage("ConvTranspose", "input", x);
    const k = demandWeight("ConvTranspose", w, {
      rank: s.length,
      channels: at(s, 1),
      expected: (shape) => at(shape, 0),
    });
    if (at(k, 0) % attrs.group !== 0) {
      throw graphError(
        "ConvTranspose",
        `${at(k, 0)} input channels do not split into ${attrs.group} groups`,
      );
    }
    demandBias("ConvTranspose", b, at(k, 1) * attrs.group);
    if (attrs.outputPadding.some((p, i) => p >= at(attrs.strides, i))) {
      throw graphError(
        "ConvTranspose",
        `outputPadding ${showShape(attrs.outputPadding)} must be below the strides ${showShape(attrs.strides)}`,
      );
    }
    const spatial = convTransposeOutput(s.slice(2), k.slice(2), attrs);
    if (spatial.some((d) => d < 1)) {
      throw graphError("ConvTranspose", `the result would have size ${showShape(spatial)}`);
    }
    return { dtype: "float32", shape: [at(s, 0), at(k, 1) * attrs.group, ...spatial] };
  },
  grad(g, { inputs, attrs }) {
    const [x, w] = [nth(inputs, 0), nth(inputs, 1)];
    const { outputPadding: _, ...same } = attrs;
    return [apply(Conv, [g, w], same), convWeightGrad(g, x, { ...same, kernel: w.shape.slice(2) })];
  },
  emit(e, { attrs }, inputs) {
    const extra = attrs.outputPadding.some((p) => p > 0)
      ? { output_padding: { ints: attrs.outputPadding } }
      : {};
    return e.node("ConvTranspose", inputs, { ...onnxAttrs(attrs), ...extra })[0];
  },
  evaluate(inputs, { attrs, shape }) {
    const y = startOf(shape, inputs[2]);
    const [x, w] = [nth(inputs, 0), nth(inputs, 1)];
    eachProduct({ x: shape, w: w.shape, y: x.shape }, attrs, (iy, iw, ix) => {
      y[iy] = at(y, iy) + at(x.data, ix) * at(w.data, iw);
    });
    return y;
  },
});

/** dw[o, c, k] = sum x[n, c, p] g[n, o, q]. A pass rewrites it to its fastest form by shape. */
export const ConvWeightGrad = defineOp<WeightGradAttrs>({
  name: "ConvWeightGrad",
  infer([x, g], attrs) {
    const { shape: s } = demandImage("ConvWeightGrad", "input", x);
    const { shape: t } = demandImage("ConvWeightGrad", "cotangent", g);
    const spatial = convOutput("ConvWeightGrad", s.slice(2), attrs.kernel, attrs);
    if (at(t, 0) !== at(s, 0) || !sameShape(t.slice(2), spatial)) {
      throw graphError(
        "ConvWeightGrad",
        `cotangent has shape ${showShape(t)}, expected [${at(s, 0)}, any, ${spatial.join(", ")}]`,
      );
    }
    if (at(s, 1) % attrs.group !== 0 || at(t, 1) % attrs.group !== 0) {
      throw graphError(
        "ConvWeightGrad",
        `channels ${at(s, 1)} and ${at(t, 1)} do not split into ${attrs.group} groups`,
      );
    }
    return { dtype: "float32", shape: [at(t, 1), at(s, 1) / attrs.group, ...attrs.kernel] };
  },
  grad(v, { inputs, attrs }) {
    const [x, g] = [nth(inputs, 0), nth(inputs, 1)];
    const { kernel: _, ...same } = attrs;
    return [transposeTo(x.shape, g, v, same), apply(Conv, [x, v], same)];
  },
  emit: emitWeightGrad,
  evaluate(inputs, { attrs, shape }) {
    const w = new Float64Array(sizeOf(shape));
    const [x, g] = [nth(inputs, 0), nth(inputs, 1)];
    eachProduct({ x: x.shape, w: shape, y: g.shape }, attrs, (ix, iw, iy) => {
      w[iw] = at(w, iw) + at(x.data, ix) * at(g.data, iy);
    });
    return w;
  },
});

/**
 * Convolution, zeros outside the input.
 *
 * @param x [N, C, ...spatial], 1 to 3 spatial axes
 * @param w [O, C / groups, ...kernel], PyTorch's layout
 * @returns [N, O, ...], of size floor((in + pads - dilation (kernel - 1) - 1) / stride) + 1
 */
export function conv(x: Tensor, w: Tensor, options: ConvOptions = {}): Tensor {
  demandImage("Conv", "input", x);
  return apply(Conv, [x, w], convAttrs("Conv", x.rank - 2, options));
}

/**
 * Transposed convolution.
 *
 * @param x [N, I, ...spatial], 1 to 3 spatial axes
 * @param w [I, O / groups, ...kernel], PyTorch's layout
 * @returns [N, O, ...], of size stride (in - 1) + outputPadding + dilation (kernel - 1) + 1 - pads
 */
export function convTranspose(
  x: Tensor,
  w: Tensor,
  options: ConvOptions & { readonly outputPadding?: number | readonly number[] } = {},
): Tensor {
  demandImage("ConvTranspose", "input", x);
  const rank = x.rank - 2;
  const { outputPadding = 0 } = options;
  return apply(ConvTranspose, [x, w], {
    ...convAttrs("ConvTranspose", rank, options),
    outputPadding: perAxis("ConvTranspose", "outputPadding", outputPadding, rank, 0),
  });
}

/** Gradient of conv by its weight: x [N, C, ...], g [N, O, ...] -> [O, C / group, ...kernel]. */
export const convWeightGrad = (x: Tensor, g: Tensor, attrs: WeightGradAttrs): Tensor =>
  apply(ConvWeightGrad, [x, g], attrs);

/** The transposed convolution whose result has exactly `shape`. */
function transposeTo(shape: Shape, g: Tensor, w: Tensor, attrs: ConvAttrs): Tensor {
  const zero = attrs.strides.map(() => 0);
  const least = convTransposeOutput(g.shape.slice(2), w.shape.slice(2), {
    ...attrs,
    outputPadding: zero,
  });
  const outputPadding = least.map((d, i) => at(shape, i + 2) - d);
  return apply(ConvTranspose, [g, w], { ...attrs, outputPadding });
}

function demandBias(op: string, b: TensorType | undefined, channels: number): void {
  if (b !== undefined && !sameShape(b.shape, [channels])) {
    throw graphError(op, `bias has shape ${showShape(b.shape)}, expected [${channels}]`);
  }
}

/** The bias's gradient, where there is a bias. */
function biasGrad(g: Tensor, inputs: readonly Tensor[]): Tensor[] {
  const axes = g.shape.flatMap((_, i) => (i === 1 ? [] : [i]));
  return inputs.length > 2 ? [sum(g, { axes })] : [];
}

/** A result of `shape` before anything is added: zeros, or each channel's bias. */
function startOf(shape: Shape, bias: NdArray | undefined): Float64Array {
  const y = new Float64Array(sizeOf(shape));
  const size = sizeOf(shape.slice(2));
  return bias ? y.map((_, i) => at(bias.data, Math.floor(i / size) % at(shape, 1))) : y;
}

const onnxAttrs = (attrs: ConvAttrs): OnnxAttrs => ({
  strides: { ints: attrs.strides },
  pads: { ints: attrs.pads },
  dilations: { ints: attrs.dilations },
  group: { int: attrs.group },
});

/**
 * The form that fits every case: batch and channels change places, and a convolution with strides
 * for dilations and dilations for strides sums over the batch.
 */
function emitWeightGrad(
  e: Emitter,
  node: Tensor<WeightGradAttrs>,
  inputs: readonly string[],
): string {
  const x = nth(node.inputs, 0);
  const [nameX, nameG] = [nth(inputs, 0), nth(inputs, 1)];
  const { kernel, strides, pads, dilations, group } = node.attrs;
  const [n, c] = [at(x.shape, 0), at(x.shape, 1) / group];
  const spatial = x.shape.slice(2);
  const axes = spatial.map((_, i) => i);
  const transpose = (name: string, perm: readonly number[]): string =>
    e.node("Transpose", [name], { perm: { ints: perm } })[0];
  const reshape = (name: string, shape: Shape): string =>
    e.node("Reshape", [name, e.ints(shape)])[0];

  const split = group === 1 ? nameX : reshape(nameX, [n, group, c, ...spatial]);
  const swapped =
    group === 1
      ? transpose(split, [1, 0, ...axes.map((i) => i + 2)])
      : reshape(transpose(split, [2, 1, 0, ...axes.map((i) => i + 3)]), [c, group * n, ...spatial]);
  const weight = transpose(nameG, [1, 0, ...axes.map((i) => i + 2)]);
  const [full] = e.node(
    "Conv",
    [swapped, weight],
    onnxAttrs({ strides: dilations, pads, dilations: strides, group }),
  ); // [C / group, O, at least kernel]
  const [cropped] = e.node("Slice", [
    full,
    e.ints(kernel.map(() => 0)),
    e.ints(kernel),
    e.ints(axes.map((i) => i + 2)),
  ]);
  return transpose(cropped, [1, 0, ...axes.map((i) => i + 2)]);
}
