import {
  add,
  concat,
  conv,
  globalAvgPool,
  input,
  matmul,
  maxPool,
  mul,
  relu,
  sub,
  transpose,
  type Tensor,
} from "@duelo/core";
import type { Tensors } from "../run/safetensors.ts";
import { meanInside } from "./mean-inside.ts";

/**
 * The classic Inception network of 2015 (Szegedy et al. 2016, arXiv:1512.00567) as FID uses it: three
 * details differ from the network as it is usually written. Means over windows leave out what lies beyond
 * the edge; the last block takes a maximum where the others take that mean; there are 1,008 classes.
 * Logits are without their bias, as the Inception Score was defined (Salimans et al. 2016).
 * @param x [n, 3, H, W] from 0 to 255, at least 75 x 75; 299 x 299 for published numbers
 * @returns [n, 2048] and [n, 1008]; the weights are inputs of the graph, whose values `net` has
 */
export function inceptionGraph({ x, net }: { x: Tensor; net: Weighted }): {
  readonly features: Tensor;
  readonly logits: Tensor;
} {
  const { unit } = net;
  const halve = (y: Tensor): Tensor => maxPool(y, { kernel: 3, stride: 2 });
  let y = mul(sub(x, 128), 1 / 128);
  y = unit("Conv2d_1a_3x3", y, valid(2));
  y = unit("Conv2d_2a_3x3", y, valid(1));
  y = halve(unit("Conv2d_2b_3x3", y));
  y = unit("Conv2d_3b_1x1", y);
  y = halve(unit("Conv2d_4a_3x3", y, valid(1)));
  for (const name of ["Mixed_5b", "Mixed_5c", "Mixed_5d"]) y = blockA(net, name, y);
  y = concat(
    [
      unit("Mixed_6a.branch3x3", y, valid(2)),
      unit("Mixed_6a.branch3x3dbl_3", chain(net, "Mixed_6a.branch3x3dbl", 2, y), valid(2)),
      halve(y),
    ],
    1,
  );
  for (const name of ["Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"]) y = blockC(net, name, y);
  y = concat(
    [
      unit("Mixed_7a.branch3x3_2", unit("Mixed_7a.branch3x3_1", y), valid(2)),
      unit("Mixed_7a.branch7x7x3_4", chain(net, "Mixed_7a.branch7x7x3", 3, y), valid(2)),
      halve(y),
    ],
    1,
  );
  y = blockE(net, "Mixed_7b", y, meanInside(y));
  y = blockE(net, "Mixed_7c", y, maxPool(y, { kernel: 3, stride: 1, pads: 1 }));
  const features = globalAvgPool(y);
  const logits = matmul(features, transpose(net.input("fc.weight"), [1, 0]));
  return { features, logits };
}

/** A convolution that does not pad. */
const valid = (stride: number): { stride: number; pads: boolean } => ({ stride, pads: false });

/** `name_1` to `name_n`, one after the other. */
function chain({ unit }: Weighted, name: string, n: number, x: Tensor): Tensor {
  let y = x;
  for (let i = 1; i <= n; i++) y = unit(`${name}_${i}`, y);
  return y;
}

function blockA(net: Weighted, name: string, x: Tensor): Tensor {
  return concat(
    [
      net.unit(`${name}.branch1x1`, x),
      chain(net, `${name}.branch5x5`, 2, x),
      chain(net, `${name}.branch3x3dbl`, 3, x),
      net.unit(`${name}.branch_pool`, meanInside(x)),
    ],
    1,
  );
}

function blockC(net: Weighted, name: string, x: Tensor): Tensor {
  return concat(
    [
      net.unit(`${name}.branch1x1`, x),
      chain(net, `${name}.branch7x7`, 3, x),
      chain(net, `${name}.branch7x7dbl`, 5, x),
      net.unit(`${name}.branch_pool`, meanInside(x)),
    ],
    1,
  );
}

function blockE(net: Weighted, name: string, x: Tensor, pooled: Tensor): Tensor {
  const { unit } = net;
  const fork = (branch: string, y: Tensor): Tensor[] =>
    ["a", "b"].map((side) => unit(`${name}.${branch}${side}`, y));
  return concat(
    [
      unit(`${name}.branch1x1`, x),
      ...fork("branch3x3_2", unit(`${name}.branch3x3_1`, x)),
      ...fork("branch3x3dbl_3", chain(net, `${name}.branch3x3dbl`, 2, x)),
      unit(`${name}.branch_pool`, pooled),
    ],
    1,
  );
}

const epsilon = 1e-3; // of its batch norms

/** Weights of a state dict for PyTorch; each becomes an input of the graph once it is asked for. */
export class Weighted {
  /** The values of those inputs. */
  readonly initializers: Record<string, Float32Array> = {};
  readonly #weights: Tensors;

  /** @param weights by their names there: `Mixed_5b.branch1x1.conv.weight` */
  constructor(weights: Tensors) {
    this.#weights = weights;
  }

  /**
   * Convolution, batch norm folded into it, and relu; kernels of any odd size keep the size unless told
   * not to pad. Throws TypeError for weights that are missing.
   */
  readonly unit = (
    name: string,
    x: Tensor,
    { stride = 1, pads = true }: { stride?: number; pads?: boolean } = {},
  ): Tensor => {
    const { shape } = this.#of(`${name}.conv.weight`);
    const [nOut = 1, , h = 1, w = 1] = shape;
    const [weight, bias] = [`${name}.weight`, `${name}.bias`];
    if (this.initializers[weight] === undefined)
      Object.assign(this.initializers, this.#folded(name));
    const [y, z] = pads ? [(h - 1) / 2, (w - 1) / 2] : [0, 0];
    const made = conv(x, input(weight, { shape }), { strides: stride, pads: [y, z, y, z] });
    return relu(add(made, input(bias, { shape: [1, nOut, 1, 1] })));
  };

  /** A weight as it is. */
  input(name: string): Tensor {
    const { shape, data } = this.#of(name);
    this.initializers[name] = data;
    return input(name, { shape });
  }

  /** Kernel and bias of a unit: y = (k x - mean) gamma / sqrt(variance + epsilon) + beta, in float64. */
  #folded(name: string): Record<string, Float32Array> {
    const kernel = this.#of(`${name}.conv.weight`);
    const [nOut = 1] = kernel.shape;
    const of = (part: string): Float32Array => this.#of(`${name}.bn.${part}`).data;
    const [gamma, beta, mean, variance] = ["weight", "bias", "running_mean", "running_var"].map(of);
    const size = kernel.data.length / nOut;
    const weight = new Float32Array(kernel.data.length);
    const bias = new Float32Array(nOut);
    for (let o = 0; o < nOut; o++) {
      const scale = (gamma?.[o] ?? 0) / Math.sqrt((variance?.[o] ?? 0) + epsilon);
      bias[o] = (beta?.[o] ?? 0) - scale * (mean?.[o] ?? 0);
      for (let at = o * size; at < (o + 1) * size; at++)
        weight[at] = scale * (kernel.data[at] ?? 0);
    }
    return { [`${name}.weight`]: weight, [`${name}.bias`]: bias };
  }

  #of(name: string): { shape: readonly number[]; data: Float32Array } {
    const found = this.#weights[name];
    if (found?.data instanceof Float32Array) return { shape: found.shape, data: found.data };
    throw new TypeError(`the state dict has no "${name}"`);
  }
}
