import { describe, expect, test } from "vitest";
import type { NdArray, Shape } from "../ir.ts";
import { randomArray, runLayer, shapesOf, type LayerRun } from "../testing/run-layer.ts";
import { attention } from "./attention.ts";
import * as nn from "./index.ts";

const value = (run: LayerRun, name: string): Float64Array =>
  run.values[`net.${name}`] ?? new Float64Array();
const get = (a: ArrayLike<number>, i: number): number => a[i] ?? NaN;

function expectClose(got: NdArray, want: { shape: Shape; data: ArrayLike<number> }): void {
  expect(got.shape).toEqual(want.shape);
  Array.from(want.data).forEach((v, i) => expect(got.data[i]).toBeCloseTo(v, 9));
}

/** Fills a tensor from a function of its index. */
function fill(shape: Shape, f: (index: number[]) => number): { shape: Shape; data: number[] } {
  const data: number[] = [];
  const walk = (index: number[]): void => {
    const extent = shape[index.length];
    if (extent === undefined) data.push(f(index));
    else for (let i = 0; i < extent; i++) walk([...index, i]);
  };
  walk([]);
  return { shape, data };
}
const sumOf = (n: number, f: (i: number) => number): number =>
  Array.from({ length: n }, (_, i) => f(i)).reduce((a, b) => a + b, 0);

describe("linear", () => {
  const x = randomArray([2, 3, 4], 1);
  const run = runLayer(nn.linear({ out: 5 }), [x]);
  test("is x W^T + b over the last axis, with PyTorch's names", () => {
    const [w, b] = [value(run, "weight"), value(run, "bias")];
    expect(shapesOf(run)).toEqual({ weight: [5, 4], bias: [5] });
    const at = (n: number, t: number, o: number): number =>
      get(b, o) + sumOf(4, (i) => get(x.data, (n * 3 + t) * 4 + i) * get(w, o * 4 + i));
    expectClose(
      run.y,
      fill([2, 3, 5], ([n = 0, t = 0, o = 0]) => at(n, t, o)),
    );
  });
  test("begins within 1 / sqrt(fanIn), bias too", () => {
    for (const name of ["weight", "bias"]) {
      const largest = Math.max(...value(run, name).map(Math.abs));
      expect(largest).toBeLessThanOrEqual(0.5);
      expect(largest).toBeGreaterThan(0.2);
    }
  });
  test("without bias has none", () => {
    expect(shapesOf(runLayer(nn.linear({ out: 5, bias: false }), [x]))).toEqual({ weight: [5, 4] });
  });
});

describe("conv", () => {
  const x = randomArray([2, 4, 5, 6], 2);
  test("is a sum over the window, with stride, padding, dilation and groups", () => {
    const o = { out: 6, kernel: [3, 2], stride: 2, pad: 1, dilation: 2, groups: 2 };
    const run = runLayer(nn.conv(o), [x]);
    expect(shapesOf(run)).toEqual({ weight: [6, 2, 3, 2], bias: [6] });
    const [w, b] = [value(run, "weight"), value(run, "bias")];
    const pixel = (n: number, c: number, i: number, j: number): number =>
      i < 0 || j < 0 || i >= 5 || j >= 6 ? 0 : get(x.data, ((n * 4 + c) * 5 + i) * 6 + j);
    const at = (n: number, f: number, i: number, j: number): number => {
      const group = Math.floor(f / 3);
      const channel = (c: number): number =>
        sumOf(3, (p) =>
          sumOf(2, (q) => {
            const weight = get(w, ((f * 2 + c) * 3 + p) * 2 + q);
            return weight * pixel(n, group * 2 + c, i * 2 - 1 + p * 2, j * 2 - 1 + q * 2);
          }),
        );
      return get(b, f) + sumOf(2, channel);
    };
    expectClose(
      run.y,
      fill([2, 6, 2, 3], ([n = 0, f = 0, i = 0, j = 0]) => at(n, f, i, j)),
    );
  });
  test("takes 1 and 3 spatial axes", () => {
    const flat = runLayer(nn.conv({ out: 2, kernel: 3 }), [randomArray([1, 2, 7], 1)]);
    const deep = runLayer(nn.conv({ out: 2, kernel: 2 }), [randomArray([1, 1, 3, 4, 5], 1)]);
    expect([flat.y.shape, deep.y.shape]).toEqual([
      [1, 2, 5],
      [1, 2, 2, 3, 4],
    ]);
  });
  test("names what it cannot take", () => {
    expect(() =>
      runLayer(nn.conv({ out: 4, kernel: 3, groups: 3 }), [x]),
    ).toThrowErrorMatchingInlineSnapshot(
      `[UserError: conv: input [2, 4, 5, 6] has no 3 equal groups of channels on axis 1 before its spatial axes. Reshape it to [N, C, ...] first.]`,
    );
  });
});

test("convTranspose spreads every input over its window", () => {
  const x = randomArray([2, 3, 3, 2], 3);
  const o = { out: 2, kernel: 4, stride: 2, pad: 1, outputPad: 1 };
  const run = runLayer(nn.convTranspose(o), [x]);
  expect(shapesOf(run)).toEqual({ weight: [3, 2, 4, 4], bias: [2] });
  const [w, b] = [value(run, "weight"), value(run, "bias")];
  const [height, width] = [7, 5]; // (n - 1) 2 - 2 + 3 + 1 + 1
  const want = fill([2, 2, height, width], ([, f = 0]) => get(b, f));
  fill([2, 3, 3, 2], ([n = 0, c = 0, i = 0, j = 0]) => {
    fill([2, 4, 4], ([f = 0, p = 0, q = 0]) => {
      const [y, z] = [2 * i - 1 + p, 2 * j - 1 + q];
      if (y < 0 || z < 0 || y >= height || z >= width) return 0;
      const at = ((n * 2 + f) * height + y) * width + z;
      const product =
        get(x.data, ((n * 3 + c) * 3 + i) * 2 + j) * get(w, ((c * 2 + f) * 4 + p) * 4 + q);
      want.data[at] = (want.data[at] ?? 0) + product;
      return 0;
    });
    return 0;
  });
  expectClose(run.y, want);
});

test("embedding gives rows", () => {
  const run = runLayer(nn.embedding({ count: 3, out: 2 }), [
    { shape: [4], data: [2, 0, 2, 1], dtype: "int32" },
  ]);
  expect(shapesOf(run)).toEqual({ weight: [3, 2] });
  const w = value(run, "weight");
  expectClose(
    run.y,
    fill([4, 2], ([i = 0, k = 0]) => get(w, get([2, 0, 2, 1], i) * 2 + k)),
  );
});

test("maxout is the largest of its pieces", () => {
  const x = randomArray([3, 4], 4);
  const run = runLayer(nn.maxout({ out: 2, pieces: 3 }), [x]);
  expect(shapesOf(run)).toEqual({ weight: [6, 4], bias: [6] });
  const [w, b] = [value(run, "weight"), value(run, "bias")];
  const piece = (n: number, k: number): number =>
    get(b, k) + sumOf(4, (i) => get(x.data, n * 4 + i) * get(w, k * 4 + i));
  expectClose(
    run.y,
    fill([3, 2], ([n = 0, u = 0]) => Math.max(...[0, 1, 2].map((p) => piece(n, u * 3 + p)))),
  );
});

describe("dropout", () => {
  const x = { shape: [2, 4], data: [1, 2, 3, 4, 5, 6, 7, 8] };
  test("zeroes where its noise is below p and scales the rest", () => {
    const u = [0.1, 0.3, 0.2, 0.9, 0.24, 0.26, 0, 0.99];
    const run = runLayer(nn.dropout({ p: 0.25 }), [x], { values: { "noise/net": u } });
    expect(run.noise).toEqual(["noise/net"]);
    expectClose(run.y, { shape: [2, 4], data: [0, 2, 0, 4, 0, 6, 0, 8].map((v) => v / 0.75) });
  });
  test("does nothing after training", () => {
    const run = runLayer(nn.dropout({ p: 0.25 }), [x], { training: false });
    expect(run.noise).toEqual([]);
    expectClose(run.y, x);
  });
  test("draws anew at every use", () => {
    const run = runLayer(nn.compose(nn.dropout({ p: 0.5 }), nn.dropout({ p: 0.5 })), [x]);
    expect(run.noise).toEqual(["noise/net", "noise/net.1"]);
  });
});

test("chain counts, named names, compose does neither, residual adds", () => {
  const dense = nn.linear({ out: 2, bias: false });
  const x = randomArray([1, 2], 5);
  const names = (layer: Parameters<typeof runLayer>[0]) =>
    Object.keys(shapesOf(runLayer(layer, [x])));
  expect(names(nn.chain(dense, nn.relu, dense))).toEqual(["0.weight", "2.weight"]);
  expect(names(nn.named({ fc1: dense, fc2: dense }))).toEqual(["fc1.weight", "fc2.weight"]);
  expect(names(nn.compose(nn.flatten, dense))).toEqual(["weight"]);
  expect(names(nn.scoped("main", dense))).toEqual(["main.weight"]);
  const twice = nn.residual({ body: (_, v) => v.mul(2) });
  expectClose(runLayer(twice, [x]).y, { shape: [1, 2], data: x.data.map((v) => 3 * v) });
  const both = nn.residual({ body: dense, shortcut: dense });
  expect(names(both)).toEqual(["shortcut.weight", "body.weight"]);
});

test("two layers of one name and two shapes are refused", () => {
  const layers = nn.compose(nn.linear({ out: 3 }), nn.linear({ out: 4 }));
  expect(() => runLayer(layers, [randomArray([1, 2], 1)])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: variable: "net.weight" has shape [3, 2] and is now asked for as [4, 3]. Give the two layers different names.]`,
  );
});

describe("attention", () => {
  const [n, t, width, heads] = [2, 3, 4, 2];
  const x = randomArray([n, t, width], 6);
  test("is softmax(Q K^T / sqrt(d)) V for each head", () => {
    const bias = { "net.in_proj_bias": randomArray([12], 8).data };
    const run = runLayer(attention({ heads }), [x], { values: bias });
    expect(shapesOf(run)).toEqual({
      in_proj_weight: [12, 4],
      in_proj_bias: [12],
      "out_proj.weight": [4, 4],
      "out_proj.bias": [4],
    });
    const [w, b] = [value(run, "in_proj_weight"), value(run, "in_proj_bias")];
    const project = (k: number, s: number, i: number, f: number): number =>
      get(b, k * 4 + f) +
      sumOf(4, (j) => get(x.data, (s * t + i) * 4 + j) * get(w, (k * 4 + f) * 4 + j));
    const mixed = (s: number, i: number, f: number): number => {
      const head = Math.floor(f / 2) * 2;
      const score = (j: number): number =>
        sumOf(2, (d) => project(0, s, i, head + d) * project(1, s, j, head + d)) / Math.sqrt(2);
      const total = sumOf(t, (j) => Math.exp(score(j)));
      return sumOf(t, (j) => (Math.exp(score(j)) / total) * project(2, s, j, f));
    };
    const [o, c] = [value(run, "out_proj.weight"), value(run, "out_proj.bias")];
    expectClose(
      run.y,
      fill(
        [n, t, 4],
        ([s = 0, i = 0, f = 0]) => get(c, f) + sumOf(4, (g) => mixed(s, i, g) * get(o, f * 4 + g)),
      ),
    );
  });
  test("names what it cannot split", () => {
    expect(() => runLayer(attention({ heads: 3 }), [x])).toThrowErrorMatchingInlineSnapshot(
      `[UserError: attention: input [2, 3, 4] has no 3 equal heads.]`,
    );
  });
});

test("prelu has one slope for what is negative", () => {
  const x = { shape: [1, 2, 2], data: Float64Array.of(-2, 3, 0, -1) };
  const run = runLayer(nn.prelu(), [x]);
  expect(shapesOf(run)).toEqual({ weight: [1] });
  expect(Array.from(run.y.data)).toEqual([-0.5, 3, 0, -0.25]);
});

test("atTest holds a net to its running statistics", () => {
  const x = randomArray([3, 2, 4], 7);
  const run = runLayer(nn.atTest(nn.batchNorm({ eps: 0 })), [x]);
  expectClose(run.y, x); // mean 0 and variance 1, as they begin
  expect(run.set).toEqual({});
});
