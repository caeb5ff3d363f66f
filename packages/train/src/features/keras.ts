import {
  add,
  clamp,
  concat,
  conv,
  globalAvgPool,
  input,
  maxPool,
  pad,
  relu,
  sameShape,
  sizeOf,
  upsampleNearest,
  type Tensor,
} from "@duelo/core";
import { meanInside } from "./mean-inside.ts";

/** A layer as Keras writes it; of `config`, what each class has. */
export interface KerasLayer {
  readonly name: string;
  readonly class_name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** One node: the layers whose outputs it takes. */
  readonly inbound_nodes: readonly (readonly (readonly [name: string, ...unknown[]])[])[];
}

export interface KerasWeight {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Weights by Keras' names: `Conv1/kernel`. */
export type KerasWeights = Readonly<Record<string, KerasWeight>>;

/**
 * The layers of a Keras model of pictures, up to the one called `to`, as a graph in our layout: kernels
 * [out, in, h, w], pictures [n, C, H, W]. Batch norm is folded into the convolution before it, in
 * float64; a convolution with a bias has no batch norm. Weights become inputs of the graph, and come
 * back as their values.
 * @throws TypeError for a layer or a setting that it does not know
 */
export function kerasGraph(request: {
  readonly layers: readonly KerasLayer[];
  readonly weights: KerasWeights;
  /** [n, C, H, W] in the model's own range: what its input layer gives. */
  readonly x: Tensor;
  readonly to: string;
}): { readonly y: Tensor; readonly initializers: Readonly<Record<string, Float32Array>> } {
  const { layers, weights, x, to } = request;
  const values = new Map<string, Tensor>();
  const initializers: Record<string, Float32Array> = {};
  for (const layer of layers) {
    const sources = (layer.inbound_nodes[0] ?? []).map(([name]) => values.get(name));
    const inputs = sources.map((t) => t ?? refuse(layer, "takes what comes after it"));
    const filter = filterOf(layer, layers, weights);
    if (filter !== undefined) {
      initializers[`${layer.name}.weight`] = filter.weight.data;
      initializers[`${layer.name}.bias`] = filter.bias;
    }
    const y = layer.class_name === "InputLayer" ? x : apply({ layer, inputs, filter });
    values.set(layer.name, y);
    if (layer.name === to) return { y, initializers };
  }
  throw new TypeError(`the model has no layer "${to}"`);
}

function refuse(layer: KerasLayer, why: string): never {
  throw new TypeError(`layer ${layer.name} (${layer.class_name}) ${why}`);
}

interface Filter {
  /** [out, in / groups, h, w] */
  readonly weight: KerasWeight;
  readonly bias: Float32Array;
  readonly groups: number;
}

/** The weights of a convolution with the batch norm that follows it folded in. */
function filterOf(
  layer: KerasLayer,
  layers: readonly KerasLayer[],
  weights: KerasWeights,
): Filter | undefined {
  const isDepthwise = layer.class_name === "DepthwiseConv2D";
  if (!isDepthwise && layer.class_name !== "Conv2D") return undefined;
  const kernel = weights[`${layer.name}/${isDepthwise ? "depthwise_kernel" : "kernel"}`];
  if (kernel === undefined) return refuse(layer, "has no kernel");
  const [h = 1, w = 1, nIn = 1, last = 1] = kernel.shape;
  if (isDepthwise && last !== 1) refuse(layer, "makes several channels of one");
  const nOut = isDepthwise ? nIn : last;
  const { scale, shift } = afterKernel(layer, layers, { weights, n: nOut });
  const perOut = isDepthwise ? 1 : nIn;
  const data = new Float32Array(kernel.data.length);
  for (let place = 0; place < h * w; place++) {
    for (let i = 0; i < nIn * last; i++) {
      const [from, out] = isDepthwise ? [0, i] : [Math.floor(i / last), i % last];
      data[(out * perOut + from) * h * w + place] =
        (kernel.data[place * nIn * last + i] ?? 0) * (scale[out] ?? 0);
    }
  }
  const weight = { shape: [nOut, perOut, h, w], data };
  return { weight, bias: Float32Array.from(shift), groups: isDepthwise ? nIn : 1 };
}

/** y = scale x + shift, of a layer's bias, or else of the batch norm that it must be followed by. */
function afterKernel(
  layer: KerasLayer,
  layers: readonly KerasLayer[],
  { weights, n }: { readonly weights: KerasWeights; readonly n: number },
): { scale: Float64Array; shift: Float64Array } {
  const users = layers.filter((l) => l.inbound_nodes[0]?.some(([name]) => name === layer.name));
  const norm = users.find((l) => l.class_name === "BatchNormalization");
  if (layer.config["use_bias"] === true) {
    if (norm !== undefined) refuse(layer, "has a bias and batch norm");
    const bias = weights[`${layer.name}/bias`]?.data ?? refuse(layer, "has no bias");
    return { scale: new Float64Array(n).fill(1), shift: Float64Array.from(bias) };
  }
  if (users.length !== 1 || norm === undefined)
    return refuse(layer, "is not followed by batch norm alone");
  return normOf(norm, weights, n);
}

/** y = scale x + shift, of batch norm with moving averages: (x - mean) gamma / sqrt(variance + epsilon) + beta. */
function normOf(
  norm: KerasLayer,
  weights: KerasWeights,
  n: number,
): { scale: Float64Array; shift: Float64Array } {
  const of = (name: string): Float32Array =>
    weights[`${norm.name}/${name}`]?.data ?? refuse(norm, `has no ${name}`);
  const [mean, variance, beta] = [of("moving_mean"), of("moving_variance"), of("beta")];
  const gamma = norm.config["scale"] === true ? of("gamma") : new Float32Array(n).fill(1);
  const epsilon = Number(norm.config["epsilon"]);
  const scale = Float64Array.from(gamma, (g, i) => g / Math.sqrt((variance[i] ?? 0) + epsilon));
  return { scale, shift: scale.map((s, i) => (beta[i] ?? 0) - s * (mean[i] ?? 0)) };
}

/** What a layer makes of its inputs. */
function apply(o: {
  layer: KerasLayer;
  inputs: readonly Tensor[];
  filter: Filter | undefined;
}): Tensor {
  const { layer, inputs, filter } = o;
  const [x] = inputs;
  if (x === undefined) return refuse(layer, "takes nothing");
  const { config } = layer;
  if (filter !== undefined) return filtered(layer, x, filter);
  switch (layer.class_name) {
    case "BatchNormalization": // folded
      return x;
    case "ReLU":
      return clamp(x, { min: 0, max: Number(config["max_value"]) });
    case "Activation":
      return config["activation"] === "relu" ? relu(x) : refuse(layer, "is no relu");
    case "Add":
      return inputs.reduce((a, b) => add(a, b));
    case "Concatenate":
      return concat(inputs, 1); // Keras' last axis
    case "UpSampling2D":
      if (config["interpolation"] !== "nearest") return refuse(layer, "does not repeat its pixels");
      return upsampleNearest(x, { scale: sizes(config["size"]) });
    case "ZeroPadding2D": {
      const [[top = 0, bottom = 0] = [], [left = 0, right = 0] = []] = config[
        "padding"
      ] as number[][];
      return pad(x, { before: [0, 0, top, left], after: [0, 0, bottom, right] });
    }
    case "MaxPooling2D":
      if (config["padding"] !== "valid") return refuse(layer, "pads");
      return maxPool(x, { kernel: sizes(config["pool_size"]), stride: sizes(config["strides"]) });
    case "AveragePooling2D":
      return averaged(layer, x);
    default:
      return refuse(layer, "is not known");
  }
}

const sizes = (value: unknown): number[] => (value as readonly number[]).map(Number);

function filtered(layer: KerasLayer, x: Tensor, { weight, bias, groups }: Filter): Tensor {
  const { config } = layer;
  const [, , h = 1, w = 1] = weight.shape;
  const [strides, dilations] = [sizes(config["strides"]), sizes(config["dilation_rate"])];
  const same = config["padding"] === "same";
  if (config["activation"] !== "linear") refuse(layer, "has an activation");
  if (dilations.some((d) => d !== 1)) refuse(layer, "is dilated");
  const even = h % 2 === 0 || w % 2 === 0;
  if (same && (even || strides.some((s) => s !== 1))) refuse(layer, "pads unevenly");
  const [y, z] = [(h - 1) / 2, (w - 1) / 2];
  const pads = same ? [y, z, y, z] : 0;
  const kernel = input(`${layer.name}.weight`, { shape: weight.shape });
  const shift = input(`${layer.name}.bias`, { shape: [1, bias.length, 1, 1] });
  return add(conv(x, kernel, { strides, pads, groups }), shift);
}

/** A mean over windows; what lies beyond the edge does not count (TF's rule for "same"). */
function averaged(layer: KerasLayer, x: Tensor): Tensor {
  const { config } = layer;
  const [kernel, stride] = [sizes(config["pool_size"]), sizes(config["strides"])];
  const [h = 1, w = 1] = x.shape.slice(2);
  if (config["padding"] === "valid" && sameShape(kernel, [h, w])) return globalAvgPool(x);
  if (config["padding"] !== "same" || stride.some((s) => s !== 1) || kernel.some((k) => k !== 3))
    return refuse(layer, "has windows that are not known");
  return meanInside(x);
}

/** Quantised weights as TF.js keeps them: bytes q for the numbers q scale + min. */
export interface PackedWeight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization: { readonly min: number; readonly scale: number; readonly dtype: string };
}

/** @throws TypeError for bytes that are more or fewer, or of another type */
export function unpackWeights(
  packed: readonly PackedWeight[],
  bytes: Uint8Array,
): Record<string, KerasWeight> {
  let at = 0;
  const weights = packed.map(({ name, shape, quantization }): [string, KerasWeight] => {
    const { min, scale, dtype } = quantization;
    if (dtype !== "uint8") throw new TypeError(`weight ${name} is of ${dtype}`);
    const part = bytes.subarray(at, (at += sizeOf(shape)));
    return [name, { shape, data: Float32Array.from(part, (q) => q * scale + min) }];
  });
  if (at !== bytes.length) throw new TypeError(`${bytes.length} bytes of weights, not ${at}`);
  return Object.fromEntries(weights);
}
