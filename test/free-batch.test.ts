import {
  add,
  concat,
  conv,
  convTranspose,
  expand,
  input,
  interpret,
  matmul,
  mul,
  reshape,
  slice,
  sum,
  tanh,
  toOnnx,
  transpose,
  type Graph,
  type Tensor,
} from "@duelo/core";
import * as node from "@duelo/runtime";
import * as web from "@duelo/runtime/web";
import { describe, expect, it } from "vitest";
import { hostTensorsOf } from "./host-tensors.ts";

/** A generator that mixes every way in which a batch size enters a graph: shapes, ends, expansions. */
function generator(batch: number): { graph: Graph; weights: Record<string, Tensor> } {
  const z = input("z", { shape: [batch, 6] });
  const label = input("label", { shape: [batch], dtype: "int32" });
  const weights = {
    w: input("w", { shape: [6, 16] }),
    up: input("up", { shape: [4, 3, 4, 4] }),
    k: input("k", { shape: [2, 3, 3, 3] }),
    start: input("start", { shape: [1, 6] }),
  };
  const from = add(z, expand(weights.start, [batch, 6]));
  const h = reshape(matmul(from, weights.w), [batch, 4, 2, 2]);
  const y = tanh(convTranspose(h, weights.up, { strides: 2, pads: 1 })); // [N, 3, 4, 4]
  const twice = concat([y, mul(y, -1)], 0); // [2N, 3, 4, 4]
  const part = slice(twice, { axis: 0, end: batch });
  const rows = transpose(reshape(part, [batch, 3, 16]), [1, 0, 2]);
  const back = reshape(transpose(reshape(rows, [3, batch, 4, 4]), [1, 0, 2, 3]), [batch, 3, 4, 4]);
  const samples = conv(back, weights.k, { pads: 1 });
  const score = sum(mul(samples, samples), { axes: [1, 2, 3] });
  return {
    graph: { inputs: [z, label, ...Object.values(weights)], outputs: { samples, score, twice } },
    weights,
  };
}

const values = (n: number, seed: number): Float32Array =>
  Float32Array.from({ length: n }, (_, i) => Math.sin(seed + 1.7 * i));

describe.each([
  { name: "onnxruntime-node", open: () => node.openRuntime({ threads: 1 }) },
  { name: "onnxruntime-web", open: () => web.openRuntime({ threads: 1 }) },
])("a file with a free batch size in $name", ({ open }) => {
  it.each([1, 2, 5, 64])("runs at batch %i", async (batch) => {
    const { graph, weights } = generator(5);
    const initializers = Object.fromEntries(
      Object.entries(weights).map(([name, t], i) => [name, values(t.size, i)]),
    );
    const file = toOnnx(graph, { initializers, freeBatch: { other: generator(7).graph } });
    const runtime = await open();
    const program = await runtime.load(file);
    const here = generator(batch).graph;
    const feeds = { z: values(batch * 6, 9), label: new Int32Array(batch), ...initializers };
    const { w: _w, up: _up, k: _k, start: _start, ...fed } = hostTensorsOf(here, feeds);
    const got = await program.run(fed);
    const want = interpret(here, feeds);
    for (const [name, value] of Object.entries(want)) {
      expect(got[name]?.shape, name).toEqual(value.shape);
      value.data.forEach((v, i) => {
        expect((got[name]?.data[i] ?? NaN) / Math.max(1, Math.abs(v))).toBeCloseTo(
          v / Math.max(1, Math.abs(v)),
          5,
        );
      });
    }
    await runtime.close();
  });
});
