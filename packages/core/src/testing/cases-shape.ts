import {
  concat,
  expand,
  flip,
  reshape,
  slice,
  split,
  squeeze,
  stack,
  transpose,
  unsqueeze,
  zeroPad,
} from "../ops/shape.ts";
import { amax, amin, cumsum, logsumexp, mean, norm2, sum, variance } from "../ops/reduce.ts";
import { gather, gatherElements, scatterAdd, scatterElements } from "../ops/gather.ts";
import { matmul } from "../ops/matmul.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { argmax, sort, topK } from "../ops/sort.ts";
import { mul } from "../ops/arithmetic.ts";
import { opCase, type CaseInput, type OpCase } from "./op-case.ts";

const x: CaseInput = { shape: [2, 3, 4] };
const whole: CaseInput = { shape: [2, 3], dtype: "int32", range: [-4, 5] };

const shape: OpCase[] = [
  opCase("Reshape", { x }, (i) => reshape(i.x, [4, -1])),
  opCase("Reshape: to rank 0", { x: { shape: [1, 1] } }, (i) => reshape(i.x, [])),
  opCase("Reshape: from rank 0", { x: { shape: [] } }, (i) => reshape(i.x, [1, 1])),
  opCase("Transpose", { x }, (i) => transpose(i.x, [2, 0, 1])),
  opCase("Transpose: int32", { x: whole }, (i) => transpose(i.x, [1, 0])),
  opCase("Expand", { x: { shape: [3, 1] } }, (i) => expand(i.x, [2, 3, 4])),
  opCase("Expand: rank 0", { x: { shape: [] } }, (i) => expand(i.x, [2, 3])),
  opCase("Slice", { x }, (i) => slice(i.x, { axis: 2, start: 1, end: 3 })),
  opCase("Slice: step", { x: { shape: [2, 7] } }, (i) =>
    slice(i.x, { axis: 1, start: 1, end: 6, step: 2 }),
  ),
  opCase("Slice: step to the end", { x: { shape: [2, 7] } }, (i) =>
    slice(i.x, { axis: 1, step: 3 }),
  ),
  opCase("Slice: step that would pass the end", { x: { shape: [8, 2] } }, (i) =>
    slice(i.x, { axis: 0, start: 1, step: 3 }),
  ),
  opCase("Slice: backwards by two", { x: { shape: [7] } }, (i) =>
    slice(i.x, { axis: 0, start: -2, step: -2 }),
  ),
  opCase("flip", { x }, (i) => flip(i.x, 1)),
  opCase("Concat", { x, y: { shape: [2, 1, 4] } }, (i) => concat([i.x, i.y, i.x], 1)),
  opCase("split", { x }, (i) => {
    const [a, b] = split(i.x, [1, 3], 2);
    return mul(a ?? i.x, b ?? i.x);
  }),
  opCase("stack", { x, y: x }, (i) => stack([i.x, i.y], -1)),
  opCase("unsqueeze, squeeze", { x }, (i) => squeeze(unsqueeze(i.x, 1), 1)),
  opCase("Pad", { x }, (i) => zeroPad(i.x, { before: [0, 1, 2], after: [1, 0, 3] })),
  opCase("Pad: by a value", { x: whole }, (i) =>
    zeroPad(i.x, { before: [0, 1], after: [1, 0], value: 7 }),
  ),
];

const reduction: OpCase[] = [
  opCase("ReduceSum", { x }, (i) => sum(i.x)),
  opCase("ReduceSum: axes", { x }, (i) => sum(i.x, { axes: [0, -1] })),
  opCase("ReduceSum: keep", { x }, (i) => sum(i.x, { axes: [1], keep: true })),
  opCase("ReduceSum: no axes", { x }, (i) => sum(i.x, { axes: [] })),
  opCase("ReduceSum: rank 0", { x: { shape: [] } }, (i) => sum(i.x)),
  opCase("ReduceSum: int32", { x: whole }, (i) => sum(i.x, { axes: [0] })),
  opCase("mean", { x }, (i) => mean(i.x, { axes: [0, 2] })),
  opCase("variance", { x }, (i) => variance(i.x, { axes: [0, 2] })),
  opCase("variance: unbiased", { x }, (i) =>
    variance(i.x, { axes: [1], unbiased: true, keep: true }),
  ),
  opCase("ReduceMax", { x }, (i) => amax(i.x, { axes: [0, 2] })),
  opCase("ReduceMax: keep", { x }, (i) => amax(i.x, { axes: [1], keep: true })),
  opCase("ReduceMin", { x }, (i) => amin(i.x)),
  opCase("ReduceMin: int32", { x: whole }, (i) => amin(i.x, { axes: [1] })),
  opCase("logsumexp", { x: { shape: [2, 3, 4], range: [-3, 3] } }, (i) =>
    logsumexp(i.x, { axes: [1] }),
  ),
  opCase("logsumexp: large", { x: { shape: [3], values: [1000, 1001, -1000] } }, (i) =>
    logsumexp(i.x),
  ),
  opCase("norm2", { x }, (i) => norm2(i.x, { axes: [1, 2] })),
  opCase("CumSum", { x }, (i) => cumsum(i.x, { axis: 1 })),
  opCase("CumSum: exclusive", { x }, (i) => cumsum(i.x, { axis: 2, exclusive: true })),
  opCase("CumSum: exclusive, reverse", { x }, (i) =>
    cumsum(i.x, { axis: 0, exclusive: true, reverse: true }),
  ),
];

const a: CaseInput = { shape: [3, 4] };
const product: OpCase[] = [
  opCase("MatMul", { a, b: { shape: [4, 5] } }, (i) => matmul(i.a, i.b)),
  opCase("MatMul: transA", { a, b: { shape: [3, 5] } }, (i) => matmul(i.a, i.b, { transA: true })),
  opCase("MatMul: transB", { a, b: { shape: [5, 4] } }, (i) => matmul(i.a, i.b, { transB: true })),
  opCase("MatMul: both transposed", { a, b: { shape: [5, 3] } }, (i) =>
    matmul(i.a, i.b, { transA: true, transB: true }),
  ),
  opCase("MatMul: batch", { a: { shape: [2, 3, 4] }, b: { shape: [2, 4, 5] } }, (i) =>
    matmul(i.a, i.b),
  ),
  opCase("MatMul: batch, transposed", { a: { shape: [2, 4, 3] }, b: { shape: [2, 5, 4] } }, (i) =>
    matmul(i.a, i.b, { transA: true, transB: true }),
  ),
  opCase(
    "MatMul: batches broadcast",
    { a: { shape: [2, 1, 3, 4] }, b: { shape: [5, 4, 2] } },
    (i) => matmul(i.a, i.b),
  ),
  opCase("MatMul: one matrix for all", { a: { shape: [2, 3, 4] }, b: { shape: [5, 4] } }, (i) =>
    matmul(i.a, i.b, { transB: true }),
  ),
  opCase("MatMul: one matrix on the left", { a: { shape: [4, 3] }, b: { shape: [2, 4, 5] } }, (i) =>
    matmul(i.a, i.b, { transA: true }),
  ),
];

const picks = (shape: readonly number[], below: number): CaseInput => ({
  shape,
  dtype: "int32",
  range: [0, below],
});
const index: OpCase[] = [
  opCase("Gather", { x, i: picks([5], 2) }, (i) => gather(i.x, i.i, { axis: 0 })),
  opCase("Gather: axis 1 by a matrix", { x, i: picks([2, 2], 3) }, (i) =>
    gather(i.x, i.i, { axis: 1 }),
  ),
  opCase("Gather: rank 0", { x, i: picks([], 4) }, (i) => gather(i.x, i.i, { axis: -1 })),
  opCase("ScatterAdd", { u: { shape: [5, 3] }, i: picks([5], 2) }, (i) =>
    scatterAdd({ indices: i.i, updates: i.u, axis: 0, size: 4 }),
  ),
  opCase("ScatterAdd: many places", { u: { shape: [500, 3] }, i: picks([500], 40) }, (i) =>
    scatterAdd({ indices: i.i, updates: i.u, axis: 0, size: 40 }),
  ),
  opCase(
    "ScatterAdd: axis 1 by a matrix",
    { u: { shape: [2, 3, 2, 4] }, i: picks([3, 2], 5) },
    (i) => scatterAdd({ indices: i.i, updates: i.u, axis: 1, size: 5 }),
  ),
  opCase("GatherElements", { x, i: picks([2, 5, 4], 3) }, (i) =>
    gatherElements(i.x, i.i, { axis: 1 }),
  ),
  opCase("ScatterElements", { u: { shape: [2, 5, 4] }, i: picks([2, 5, 4], 3) }, (i) =>
    scatterElements({ indices: i.i, updates: i.u, axis: 1, size: 3 }),
  ),
  opCase("TopK", { x }, (i) => topK(i.x, { k: 2, axis: 2 }).indices),
  opCase(
    "TopK: equals",
    { x: { shape: [6], values: [1, 3, 3, 0, 0, 3] } },
    (i) => topK(i.x, { k: 6, axis: 0 }).indices,
  ),
  opCase("topK", { x }, (i) => topK(i.x, { k: 2, axis: 1, largest: false }).values),
  opCase("sort", { x }, (i) => sort(i.x, { axis: 2 }).values),
  opCase("sort: descending", { x }, (i) => sort(i.x, { axis: 0, descending: true }).values),
  opCase("ArgMax", { x }, (i) => argmax(i.x, 1)),
  opCase("ArgMax: equals", { x: { shape: [4], values: [1, 3, 3, 0] } }, (i) => argmax(i.x, 0)),
  opCase("Softmax", { x }, (i) => softmax(i.x, { axis: -1 })),
  opCase("Softmax: axis 1", { x }, (i) => softmax(i.x, { axis: 1 })),
  opCase("LogSoftmax", { x }, (i) => logSoftmax(i.x, { axis: -1 })),
  opCase("LogSoftmax: axis 0", { x }, (i) => logSoftmax(i.x, { axis: 0 })),
];

export const shapeCases: readonly OpCase[] = [...shape, ...reduction, ...product, ...index];
