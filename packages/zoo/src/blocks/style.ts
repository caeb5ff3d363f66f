import {
  add,
  and,
  concat,
  constant,
  conv,
  convTranspose,
  expand,
  leakyRelu,
  less,
  matmul,
  mean,
  mul,
  nn,
  reciprocal,
  reshape,
  slice,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  transpose,
  upfirdn2d,
  where,
  type Layer,
  type Net,
  type Scope,
  type Tensor,
} from "@duelo/core";

// What StyleGAN and StyleGAN2 are made of. Weights are kept as N(0, 1) and scaled where they are used
// (equalised learning rate, Karras et al. 2017, Section 4.1).

const unit = nn.init.normal({ std: 1 });

/** Leaky ReLU 0.2 that keeps the second moment: times sqrt(2). */
export const lrelu = (x: Tensor): Tensor => mul(leakyRelu(x, { slope: 0.2 }), Math.SQRT2);

/** Each row over its root mean square: z / sqrt(mean z^2 + 1e-8). x [N, D]. */
export const pixelNorm = (x: Tensor): Tensor =>
  mul(x, reciprocal(sqrt(add(mean(square(x), { axes: [1], keep: true }), 1e-8))));

/**
 * An affine map with equalised learning rate; `lrMul` slows it down, `gain` is that of the weight before
 * an activation. x [N, in], y [N, out]; `weight` [out, in], `bias` [out].
 */
export function equalDense(o: {
  out: number;
  lrMul?: number;
  biasInit?: number;
  gain?: number;
}): Layer {
  const { out, lrMul = 1, biasInit = 0, gain = 1 } = o;
  return (s, x) => {
    const fanIn = x.shape[1] ?? 1;
    const init = nn.init.normal({ std: 1 / lrMul });
    const scale = (gain * lrMul) / Math.sqrt(fanIn);
    const w = mul(s.param("weight", { shape: [out, fanIn], init }), scale);
    const b = mul(s.param("bias", { shape: [out], init: nn.init.constantOf(biasInit) }), lrMul);
    return add(matmul(x, w, { transB: true }), b);
  };
}

/** [1, 3, 3, 1], with sum 1, as StyleGAN2 filters everywhere. */
export const binomial = [1 / 8, 3 / 8, 3 / 8, 1 / 8] as const;

/**
 * The weight of a convolution with equalised learning rate: `weight` [out, in, k, k], kept as N(0, 1),
 * times gain / sqrt(in k k).
 */
export function equalKernel(
  s: Scope,
  o: { out: number; channels: number; kernel: number; gain?: number },
): Tensor {
  const { out, channels, kernel: k, gain = 1 } = o;
  const w = s.param("weight", { shape: [out, channels, k, k], init: unit });
  return mul(w, gain / Math.sqrt(channels * k * k));
}

/**
 * A convolution with equalised learning rate that keeps the size, or halves it after a filter
 * (Karras et al. 2019b). `weight` [out, in, k, k], `bias` [out].
 */
export function equalConv(o: {
  out: number;
  kernel: number;
  down?: boolean;
  bias?: boolean;
  gain?: number;
}): Layer {
  const { out, kernel: k, down = false, bias = true } = o;
  return (s, x) => {
    const scaled = equalKernel(s, { ...o, channels: x.shape[1] ?? 1 });
    const pad = (k - 1) / 2;
    const y = down
      ? conv(filtered(x, pad + 1), scaled, { strides: [2, 2] })
      : conv(x, scaled, { pads: [pad, pad, pad, pad] });
    if (!bias) return y;
    return add(y, reshape(s.param("bias", { shape: [out], init: nn.init.zeros }), [out, 1, 1]));
  };
}

const filtered = (x: Tensor, pad: number): Tensor =>
  upfirdn2d(x, { filter: binomial, pads: [pad, pad, pad, pad] });

/** A style for each channel: an affine map of w whose bias begins at 1. w [N, D], result [N, channels]. */
const styleOf = (s: Scope, w: Tensor, channels: number): Tensor =>
  s.child("affine", (c) => equalDense({ out: channels, biasInit: 1 })(c, w));

const perChannel = (v: Tensor): Tensor => reshape(v, [...v.shape, 1, 1]);

/**
 * Modulated convolution (Karras et al. 2019b, Eq. 1 and 3), with noise, bias and activation. Style s
 * scales the input's channels, and d = (sum (s w)^2 + 1e-8)^-1/2 the output's: the same as a weight of
 * its own for every sample, and on a CPU faster. `up` doubles the size by a transposed convolution and a
 * filter. x [N, in, H, W], w [N, D]; `weight` [out, in, 3, 3], `noise_strength` [], `bias` [out].
 */
export function styledConv(o: { out: number; up?: boolean }): Net<readonly [Tensor, Tensor]> {
  return (s, x, w) => {
    const [n = 1, channels = 1] = x.shape;
    const weight = s.param("weight", { shape: [o.out, channels, 3, 3], init: unit });
    const style = styleOf(s, w, channels); // [N, in]
    const energy = sum(square(weight), { axes: [2, 3] }); // [out, in]
    const d = reciprocal(sqrt(add(matmul(square(style), energy, { transB: true }), 1e-8)));
    const scaled = mul(x, perChannel(style));
    const y = o.up === true ? upConv(scaled, weight) : conv(scaled, weight, { pads: [1, 1, 1, 1] });
    const [, , height = 1, width = 1] = y.shape;
    const noise = s.noise({ kind: "normal", shape: [n, 1, height, width] });
    const strength = s.param("noise_strength", { shape: [], init: nn.init.zeros });
    const bias = s.param("bias", { shape: [o.out], init: nn.init.zeros });
    const mixed = add(mul(y, perChannel(d)), mul(noise, strength));
    return lrelu(add(mixed, reshape(bias, [o.out, 1, 1])));
  };
}

/** Twice the size: a transposed convolution of stride 2, then the filter with gain 2 an axis. */
function upConv(x: Tensor, weight: Tensor): Tensor {
  const y = convTranspose(x, transpose(weight, [1, 0, 2, 3]), { strides: [2, 2] });
  return upfirdn2d(y, { filter: binomial.map((f) => 2 * f), pads: [1, 1, 1, 1] });
}

/** Colours: a modulated 1x1 convolution without demodulation. `weight` [out, in, 1, 1], `bias` [out]. */
export function toRgb(o: { out: number }): Net<readonly [Tensor, Tensor]> {
  return (s, x, w) => {
    const channels = x.shape[1] ?? 1;
    const weight = s.param("weight", { shape: [o.out, channels, 1, 1], init: unit });
    const style = mul(styleOf(s, w, channels), 1 / Math.sqrt(channels));
    const bias = s.param("bias", { shape: [o.out], init: nn.init.zeros });
    return add(conv(mul(x, perChannel(style)), weight), reshape(bias, [o.out, 1, 1]));
  };
}

/**
 * What a mapping gives: w itself; w drawn towards its average by psi [N] (1 leaves w, 0 gives the
 * average); or, to "watch", w while the average moves (Karras et al. 2018, Appendix B). w [N, D].
 */
export function truncated(s: Scope, w: Tensor, how: "watch" | Tensor | undefined): Tensor {
  const average = s.buffer("w_avg", { shape: w.shape.slice(1), init: nn.init.zeros });
  if (how === undefined) return w;
  if (how !== "watch") return add(average, mul(sub(w, average), reshape(how, [-1, 1])));
  const now = stopGradient(mean(w, { axes: [0] }));
  s.setBuffer("w_avg", add(mul(average, 0.995), mul(now, 0.005)));
  return w;
}

/** One w for each of `layers` layers: w [N, D], result [N, layers, D]. */
export function spread(w: Tensor, layers: number): Tensor {
  const [n = 1, d = 1] = w.shape;
  return expand(reshape(w, [n, 1, d]), [n, layers, d]);
}

/**
 * Style mixing (Karras et al. 2018, Section 3.1): with probability `mixing` a second w takes over after
 * layer number `cut`. first, second [N, D], coin uniform [1], cut [1]; result [N, layers, D].
 */
export function mixed(o: {
  readonly first: Tensor;
  readonly second: Tensor;
  readonly coin: Tensor;
  readonly cut: Tensor;
  readonly mixing: number;
  readonly layers: number;
}): Tensor {
  const { layers } = o;
  const first = spread(o.first, layers);
  if (o.mixing === 0) return first;
  const place = constant(
    Array.from({ length: layers }, (_, i) => i),
    { shape: [1, layers, 1], dtype: "int32" },
  );
  const over = and(
    less(reshape(o.cut, [1, 1, 1]), place),
    less(reshape(o.coin, [1, 1, 1]), o.mixing),
  );
  return where(over, spread(o.second, layers), first);
}

/** w of one layer. ws [N, L, D], result [N, D]. */
export function layerOf(ws: Tensor, layer: number): Tensor {
  const [n = 1, , d = 1] = ws.shape;
  return reshape(slice(ws, { axis: 1, start: layer, end: layer + 1 }), [n, d]);
}

/**
 * z, the class or both to w: `layers` affine maps with leaky ReLU at a hundredth of the learning rate
 * (Karras et al. 2018, Section 2). z [N, D], y one-hot [N, C], w [N, out].
 */
export function mapping(o: {
  out: number;
  layers: number;
}): Net<readonly [z: Tensor | undefined, y: Tensor | undefined]> {
  const dense = equalDense({ out: o.out, lrMul: 0.01 });
  return (s, z, y) => {
    const told = y && s.child("embed", (c) => pixelNorm(equalDense({ out: o.out })(c, y)));
    const parts = [...(z ? [pixelNorm(z)] : []), ...(told ? [told] : [])];
    const layer = (x: Tensor, i: number): Tensor => s.child(`fc${i}`, (c) => lrelu(dense(c, x)));
    return Array.from({ length: o.layers }, (_, i) => i).reduce(layer, concat(parts, 1));
  };
}
