import {
  adam,
  constant,
  conv,
  convTranspose,
  grad,
  input,
  leakyRelu,
  matmul,
  mean,
  mul,
  optimize,
  reshape,
  square,
  sub,
  tanh,
  type Graph,
  type Tensor,
} from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";

/** A loss of named parameters, to be trained for a few steps. */
export interface Trial {
  readonly name: string;
  readonly params: Readonly<Record<string, readonly number[]>>;
  readonly loss: (p: (name: string) => Tensor) => Tensor;
}

export const steps = 3;

const wave = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(1 + seed + 1.3 * i) / 2);
const fixed = (shape: readonly number[], seed: number): Tensor =>
  constant(
    wave(
      shape.reduce((a, b) => a * b, 1),
      seed,
    ),
    { shape },
  );

/** Small nets whose gradients use every kind of convolution, product and reduction. */
export function trials(): Trial[] {
  return [
    {
      name: "two linear layers",
      params: { w1: [6, 8], w2: [8, 2] },
      loss: (p) => mean(square(sub(matmul(tanh(matmul(fixed([5, 6], 1), p("w1"))), p("w2")), 0.3))),
    },
    {
      name: "long sums, which are cut for a GPU",
      params: { w: [3, 2] },
      loss: (p) => {
        const h = tanh(matmul(fixed([4096, 3], 3), p("w")));
        return mean(square(sub(mul(matmul(fixed([2, 4096], 4), h), 0.01), 0.3)));
      },
    },
    {
      name: "up and down by convolutions",
      params: { w1: [6, 32], up: [8, 3, 4, 4], down: [4, 3, 4, 4] },
      loss: (p) => {
        const h = reshape(matmul(fixed([2, 6], 2), p("w1")), [2, 8, 2, 2]);
        const image = tanh(convTranspose(h, p("up"), { strides: 2, pads: 1 })); // [2, 3, 4, 4]
        const score = leakyRelu(conv(image, p("down"), { strides: 2, pads: 1 }), { slope: 0.2 });
        return mean(square(sub(score, 1)));
      },
    },
  ];
}

export interface Start {
  readonly graph: Graph;
  readonly state: Record<string, string>;
  readonly initial: Record<string, HostTensor>;
  readonly feeds: Record<string, HostTensor>;
}

/** A trial as one graph of a step of Adam, and what it begins from. */
export function startOf({ params, loss }: Trial): Start {
  const optimizer = adam({ lr: 0.01 });
  const inputs: Tensor[] = [];
  const initial: Record<string, HostTensor> = {};
  const kept = (name: string, shape: readonly number[], seed: number): Tensor => {
    const t = input(name, { shape });
    inputs.push(t);
    const data = seed < 0 ? new Float32Array(t.size) : wave(t.size, seed);
    initial[name] = { dtype: "float32", shape, data };
    return t;
  };
  const weights = Object.entries(params).map(([name, shape], i) => ({
    name,
    param: kept(name, shape, i),
    slots: Object.fromEntries(
      optimizer.slots.map((s) => [s, kept(`${s}/${name}`, shape, -1)] as const),
    ),
  }));
  const lr = input("lr", { shape: [] });
  const t = input("t", { shape: [] });
  const value = loss((name) => weights.find((w) => w.name === name)?.param ?? lr);
  const gradients = grad(
    value,
    weights.map((w) => w.param),
  );
  const outputs: Record<string, Tensor> = { loss: mul(value, 1) };
  const state: Record<string, string> = {};
  const replace = (name: string, next: Tensor): void => {
    outputs[`next:${name}`] = next;
    state[name] = `next:${name}`;
  };
  for (const [i, w] of weights.entries()) {
    const gradient = gradients[i] ?? lr;
    const next = optimizer.update({ ...w, grad: gradient, lr, t, scalars: {} });
    replace(w.name, next.param);
    for (const [s, value_] of Object.entries(next.slots)) replace(`${s}/${w.name}`, value_);
  }
  const scalar = (v: number): HostTensor => ({
    dtype: "float32",
    shape: [],
    data: Float32Array.of(v),
  });
  const graph = optimize({ inputs: [...inputs, lr, t], outputs });
  return { graph, state, initial, feeds: { lr: scalar(0.01), t: scalar(1) } };
}
