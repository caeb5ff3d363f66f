import { expect, test } from "vitest";
import { randomArray, runLayer, shapesOf } from "../../../core/src/testing/run-layer.ts";
import { minibatchDiscrimination } from "./discrimination.ts";

const [n, kernels, dims, nFeatures] = [3, 2, 4, 5 * 2];
const x = randomArray([n, 5, 1, 2], 1);
const run = runLayer(minibatchDiscrimination({ kernels, dims }), [x]);

test("adds the closeness to the other samples of the batch, kernel by kernel, and a bias of -1", () => {
  expect(shapesOf(run)).toEqual({ weight: [nFeatures, kernels * dims], bias: [kernels] });
  expect(run.y.shape).toEqual([n, 5 + kernels, 1, 2]);
  const T = run.values["net.weight"] ?? [];
  const M = (i: number, b: number, c: number): number =>
    Array.from({ length: nFeatures }, (_, f) => f).reduce(
      (sum, f) =>
        sum + (x.data[i * nFeatures + f] ?? 0) * (T[f * kernels * dims + b * dims + c] ?? 0),
      0,
    );
  for (let i = 0; i < n; i++) {
    for (let b = 0; b < kernels; b++) {
      let o = -1;
      for (let j = 0; j < n; j++) {
        let distance = 0;
        for (let c = 0; c < dims; c++) distance += Math.abs(M(i, b, c) - M(j, b, c));
        if (j !== i) o += Math.exp(-distance);
      }
      for (const place of [0, 1]) expect(run.y.data[(i * 7 + 5 + b) * 2 + place]).toBeCloseTo(o, 9);
    }
  }
});

test("is largest, the number of others less 1, where all samples are the same", () => {
  const one = Array.from(x.data.slice(0, nFeatures));
  const alike = { shape: x.shape, data: [...one, ...one, ...one] };
  const { y } = runLayer(minibatchDiscrimination({ kernels, dims }), [alike]);
  expect(y.data[10]).toBeCloseTo(2 - 1, 9);
});
