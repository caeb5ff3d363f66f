import { describe, expect, test } from "vitest";
import { Matrix, SVD } from "ml-matrix";
import { grad } from "../grad.ts";
import { interpret } from "../interpret.ts";
import type { NdArray } from "../ir.ts";
import { input } from "../ops/leaf.ts";
import { sum } from "../ops/reduce.ts";
import { randomArray, runLayer, shapesOf } from "../testing/run-layer.ts";
import * as nn from "./index.ts";
import { Scope, Variables } from "./scope.ts";

const [N, C, H, W] = [3, 4, 2, 2];
const x = randomArray([N, C, H, W], 1);
const places = Array.from({ length: N * C * H * W }, (_, i) => i);
const channelOf = (i: number): number => Math.floor(i / (H * W)) % C;
const sampleOf = (i: number): number => Math.floor(i / (C * H * W));

/** (x - mean) / sqrt(variance + eps) over the places that `key` puts together. */
function standardised(key: (i: number) => number, eps: number): number[] {
  return places.map((i) => {
    const mates = places.filter((j) => key(j) === key(i)).map((j) => x.data[j] ?? NaN);
    const mean = mates.reduce((a, b) => a + b) / mates.length;
    const variance = mates.reduce((a, b) => a + (b - mean) ** 2, 0) / mates.length;
    return ((x.data[i] ?? NaN) - mean) / Math.sqrt(variance + eps);
  });
}
const expectClose = (got: NdArray | undefined, want: ArrayLike<number>): void =>
  Array.from(want).forEach((v, i) => expect(got?.data[i]).toBeCloseTo(v, 9));

const gain = [1, 2, -1, 0.5];
const shift = [0, 1, -1, 3];
const affine = { "net.weight": gain, "net.bias": shift };
const scaled = (values: number[]): number[] =>
  values.map((v, i) => v * (gain[channelOf(i)] ?? NaN) + (shift[channelOf(i)] ?? NaN));

describe("batchNorm", () => {
  test("uses the batch while training and moves the running statistics as PyTorch does", () => {
    const values = { ...affine, "net.running_mean": [1, 1, 1, 1], "net.running_var": [2, 2, 2, 2] };
    const run = runLayer(nn.batchNorm({ momentum: 0.25, eps: 1e-3 }), [x], { values });
    expect(shapesOf(run)).toEqual({ running_mean: [C], running_var: [C], weight: [C], bias: [C] });
    expectClose(run.y, scaled(standardised(channelOf, 1e-3)));
    const of = (c: number): number[] =>
      places.filter((i) => channelOf(i) === c).map((i) => x.data[i] ?? NaN);
    const means = gain.map((_, c) => of(c).reduce((a, b) => a + b) / 12);
    const unbiased = means.map((m, c) => of(c).reduce((a, v) => a + (v - m) ** 2, 0) / 11);
    expectClose(
      run.set["net.running_mean"],
      means.map((m) => 0.75 + 0.25 * m),
    );
    expectClose(
      run.set["net.running_var"],
      unbiased.map((v) => 1.5 + 0.25 * v),
    );
  });
  test("uses the running statistics afterwards and leaves them alone", () => {
    const values = { ...affine, "net.running_mean": [1, 0, 0, 2], "net.running_var": [4, 1, 1, 9] };
    const run = runLayer(nn.batchNorm({ eps: 0 }), [x], { values, training: false });
    const mean = [1, 0, 0, 2];
    const std = [2, 1, 1, 3];
    const plain = places.map(
      (i) => ((x.data[i] ?? 0) - (mean[channelOf(i)] ?? 0)) / (std[channelOf(i)] ?? 1),
    );
    expectClose(run.y, scaled(plain));
    expect(run.set).toEqual({});
  });
  test("takes features without places, [N, C]", () => {
    const run = runLayer(nn.batchNorm({ affine: false }), [{ shape: [2, 1], data: [1, 3] }]);
    expectClose(
      run.y,
      [-1, 1].map((v) => v / Math.sqrt(1 + 1e-5)),
    );
  });
  test("a second use in the same pass goes on from the first", () => {
    const layer = nn.batchNorm({ affine: false, momentum: 0.5 });
    const twice = runLayer(
      (s, v) => layer(s, v).add(layer(s, v)),
      [{ shape: [2, 1], data: [3, 5] }],
    );
    expectClose(twice.set["net.running_mean"], [0.5 * (0.5 * 4) + 0.5 * 4]);
  });
  test("one value has no variance", () => {
    const one = { shape: [1, 2], data: [1, 2] };
    expect(() => runLayer(nn.batchNorm(), [one])).toThrowErrorMatchingInlineSnapshot(
      `[UserError: batchNorm: one value per channel has no variance. Use a larger batch.]`,
    );
  });
});

test("conditionalBatchNorm takes gain and shift from the condition", () => {
  const c = randomArray([N, 2], 2);
  const dense = (out: number) => nn.linear({ out, bias: false });
  const net = nn.conditionalBatchNorm({ gain: dense, bias: dense });
  const run = runLayer((s, a, b) => (a && b ? net(s, a, b) : a) as typeof a & object, [x, c]);
  const linear = (name: string, i: number): number => {
    const w = run.values[`net.${name}.weight`] ?? [];
    const [n, f] = [sampleOf(i), channelOf(i)];
    return (c.data[n * 2] ?? 0) * (w[f * 2] ?? 0) + (c.data[n * 2 + 1] ?? 0) * (w[f * 2 + 1] ?? 0);
  };
  const plain = standardised(channelOf, 1e-5);
  expectClose(
    run.y,
    plain.map((v, i) => v * (1 + linear("gain", i)) + linear("bias", i)),
  );
});

test("instanceNorm: each sample and channel by itself, without gain unless asked for", () => {
  const alone = (i: number): number => sampleOf(i) * C + channelOf(i);
  const plain = runLayer(nn.instanceNorm(), [x]);
  expect(shapesOf(plain)).toEqual({});
  expectClose(plain.y, standardised(alone, 1e-5));
  const trained = runLayer(nn.instanceNorm({ affine: true }), [x], { values: affine });
  expectClose(trained.y, scaled(standardised(alone, 1e-5)));
});

test("groupNorm: each sample, over groups of channels", () => {
  const run = runLayer(nn.groupNorm({ groups: 2 }), [x], { values: affine });
  expectClose(
    run.y,
    scaled(standardised((i) => sampleOf(i) * 2 + Math.floor(channelOf(i) / 2), 1e-5)),
  );
  expect(() => runLayer(nn.groupNorm({ groups: 3 }), [x])).toThrowErrorMatchingInlineSnapshot(
    `[UserError: groupNorm: 4 channels do not split into 3 groups.]`,
  );
});

test("layerNorm: each sample over its last axes", () => {
  const run = runLayer(nn.layerNorm({ shape: [C, H, W] }), [x]);
  expect(shapesOf(run)).toEqual({ weight: [C * H * W], bias: [C * H * W] });
  expectClose(run.y, standardised(sampleOf, 1e-5));
});

describe("spectralNorm", () => {
  const shape = [5, 3, 2];
  const w = randomArray(shape, 4).data;
  const largest = new SVD(new Matrix(toRows(w, 5)), { autoTranspose: true }).diagonal[0] ?? NaN;
  const reparam = nn.spectralNorm();
  const apply = (u?: ArrayLike<number>) =>
    runLayer(
      (s, v) => reparam(s, v),
      [{ shape, data: w }],
      u === undefined ? {} : { values: { "net.weight_u": u } },
    );

  test("converges to division by the largest singular value", () => {
    let run = apply();
    for (let i = 0; i < 60; i++) run = apply(run.set["net.weight_u"]?.data);
    expectClose(
      run.y,
      w.map((v) => v / largest),
    );
  });

  test("gives the gradient with u and v held fixed", () => {
    const variables = new Variables();
    const scope = new Scope({ variables, path: "net", training: true, updates: new Map() });
    const weight = input("w", { shape });
    const [g] = grad(sum(reparam(scope, weight)), [weight]);
    const u = variables.inputs.get("net.weight_u");
    if (g === undefined || u === undefined) throw new TypeError("no gradient or no u");
    const start = randomArray([5], 5).data;
    const got = interpret({ inputs: [weight, u], outputs: { g } }, { w, "net.weight_u": start })[
      "g"
    ];
    const m = new Matrix(toRows(w, 5));
    const v = unit(m.transpose().mmul(Matrix.columnVector([...start])));
    const next = unit(m.mmul(v));
    const sigma = next.transpose().mmul(m).mmul(v).get(0, 0);
    const total = w.reduce((a, b) => a + b, 0);
    const outer = next.mmul(v.transpose()).to1DArray();
    expectClose(
      got,
      outer.map((o) => 1 / sigma - (total / sigma ** 2) * o),
    ); // d sum(w / sigma)
  });

  test("leaves u alone after training", () => {
    const run = runLayer((s, v) => reparam(s, v), [{ shape, data: w }], { training: false });
    expect(run.set).toEqual({});
    expect(Math.hypot(...(run.values["net.weight_u"] ?? []))).toBeCloseTo(1, 6);
  });
});

function toRows(data: ArrayLike<number>, rows: number): number[][] {
  const columns = data.length / rows;
  return Array.from({ length: rows }, (_, r) =>
    Array.from(data).slice(r * columns, (r + 1) * columns),
  );
}
const unit = (v: Matrix): Matrix => Matrix.div(v, v.norm("frobenius"));
