import { expect, test } from "vitest";
import { grad } from "../grad.ts";
import { print } from "../graph.ts";
import { interpret } from "../interpret.ts";
import type { Shape, Tensor } from "../ir.ts";
import { add, div, mul, neg, sub } from "../ops/arithmetic.ts";
import { stopGradient } from "../ops/control.ts";
import { conv, convTranspose } from "../ops/conv.ts";
import { exp } from "../ops/elementwise.ts";
import { constant, full, input, scalar } from "../ops/leaf.ts";
import { cast } from "../ops/logic.ts";
import { avgPool } from "../ops/pool.ts";
import { mean, sum } from "../ops/reduce.ts";
import { upsampleNearest } from "../ops/resample.ts";
import { expand, reshape, slice, transpose, zeroPad } from "../ops/shape.ts";
import { optimize } from "./optimize.ts";

/** The optimised graph of a function of inputs of these shapes. */
function optimized(shapes: Readonly<Record<string, Shape>>, build: Build): string {
  const inputs = Object.entries(shapes).map(([name, shape]) => input(name, { shape }));
  const named = Object.fromEntries(inputs.map((t, i) => [Object.keys(shapes)[i] ?? "", t]));
  return print(optimize({ inputs, outputs: build(named) }));
}
type Build = (inputs: Record<string, Tensor>) => Record<string, Tensor>;
const get = (inputs: Record<string, Tensor>, name: string): Tensor => {
  const t = inputs[name];
  if (t === undefined) throw new TypeError(`no input ${name}`);
  return t;
};

test("constants are folded, equal expressions are computed once, dead code is gone", () => {
  const text = optimized({ x: [2, 3], unused: [1] }, (i) => {
    const x = get(i, "x");
    exp(x); // needed by nothing
    const three = add(scalar(1), scalar(2));
    return { a: exp(mul(x, three)), b: neg(exp(mul(x, 3))) };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,3],
      unused : f32[1]
    ) {
      %0 = Const([3]) : f32[]
      %1 = Mul(x, %0) : f32[2,3]
      %2 = Exp(%1) : f32[2,3]
      %3 = Const([-1]) : f32[]
      %4 = Mul(%2, %3) : f32[2,3]
      return a=%2, b=%4
    }
    "
  `);
});

test("identities", () => {
  const text = optimized({ x: [2, 3] }, (i) => {
    const x = get(i, "x");
    const whole = slice(slice(x, { axis: 0, start: 0, end: 2 }), { axis: 1, start: 0, end: 3 });
    return {
      plus0: add(full([2, 3], 0), add(x, 0)),
      minus0: sub(x, 0),
      times1: mul(mul(1, x), 1),
      over1: div(x, 1),
      double: transpose(transpose(x, [1, 0]), [1, 0]),
      reshaped: reshape(reshape(x, [6]), [2, 3]),
      stopped: stopGradient(cast(whole, "float32")),
    };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,3]
    ) {

      return plus0=x, minus0=x, times1=x, over1=x, double=x, reshaped=x, stopped=x
    }
    "
  `);
});

test("signs and factors are gathered, broadcasting takes the place of expanding", () => {
  const text = optimized({ x: [2, 3], b: [3] }, (i) => {
    const [x, b] = [get(i, "x"), get(i, "b")];
    return {
      difference: add(x, neg(b)),
      sum: sub(x, neg(x)),
      scaled: mul(mul(mul(x, 2), -1), 0.5),
      wide: mul(x, expand(b, [2, 3])),
      ones: add(x, constant([1, 1, 1], { shape: [3] })),
      mean: get({ g: grad(mean(x), [x])[0] ?? x }, "g"),
      moved: reshape(transpose(reshape(x, [2, 1, 3]), [1, 0, 2]), [2, 3]),
      alone: sum(reshape(x, [6, 1]), { axes: [1] }),
    };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,3],
      b : f32[3]
    ) {
      %0 = Sub(x, b) : f32[2,3]
      %1 = Const([2]) : f32[]
      %2 = Mul(x, %1) : f32[2,3]
      %3 = Const([-1]) : f32[]
      %4 = Mul(x, %3) : f32[2,3]
      %5 = Mul(x, b) : f32[2,3]
      %6 = Const([1]) : f32[]
      %7 = Add(x, %6) : f32[2,3]
      %8 = Const(<6 values>) : f32[2,3]
      %9 = Reshape(x) {shape=[6]} : f32[6]
      return difference=%0, sum=%2, scaled=%4, wide=%5, ones=%7, mean=%8, moved=x, alone=%9
    }
    "
  `);
});

test("factors of a channel are multiplied before they meet the image, and leave sums", () => {
  const text = optimized({ x: [4, 3, 5, 5], s: [3, 1, 1], t: [1, 3, 1, 1] }, (i) => {
    const [x, s, t] = [get(i, "x"), get(i, "s"), get(i, "t")];
    return {
      scaled: mul(mul(mul(x, s), 3), t),
      total: sum(mul(x, s), { axes: [0, 2, 3] }),
      square: get({ g: grad(sum(mul(mul(x, x), s)), [x])[0] ?? x }, "g"),
    };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[4,3,5,5],
      s : f32[3,1,1],
      t : f32[1,3,1,1]
    ) {
      %0 = Const([3]) : f32[]
      %1 = Mul(s, %0) : f32[3,1,1]
      %2 = Mul(%1, t) : f32[1,3,1,1]
      %3 = Mul(x, %2) : f32[4,3,5,5]
      %4 = ReduceSum(x) {axes=[0,2,3], keep=true} : f32[1,3,1,1]
      %5 = Mul(%4, s) : f32[1,3,1,1]
      %6 = Reshape(%5) {shape=[3]} : f32[3]
      %7 = Const([1]) : f32[1,1,1,1]
      %8 = Mul(%7, s) : f32[1,3,1,1]
      %9 = Const([2]) : f32[]
      %10 = Mul(%8, %9) : f32[1,3,1,1]
      %11 = Mul(%10, x) : f32[4,3,5,5]
      return scaled=%3, total=%6, square=%11
    }
    "
  `);
});

test("zeros around an input become padding, a bias joins, slices merge", () => {
  const text = optimized({ x: [2, 4, 8, 8], w: [6, 4, 3, 3], b: [6, 1, 1] }, (i) => {
    const [x, w] = [get(i, "x"), get(i, "w")];
    const padded = zeroPad(x, { before: [0, 0, 1, 0], after: [0, 0, 1, 2] });
    const corner = slice(slice(x, { axis: 2, start: 1, end: 5 }), { axis: 3, start: 2 });
    return { y: add(conv(padded, w, { pads: [0, 1, 0, 0] }), get(i, "b")), corner };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,4,8,8],
      w : f32[6,4,3,3],
      b : f32[6,1,1]
    ) {
      %0 = Reshape(b) {shape=[6]} : f32[6]
      %1 = Conv(x, w, %0) {strides=[1,1], pads=[1,1,1,2], dilations=[1,1], group=1} : f32[2,6,8,9]
      %2 = Crop(x) {starts=[0,0,1,2], shape=[2,4,4,6]} : f32[2,4,4,6]
      return y=%1, corner=%2
    }
    "
  `);
});

test("the last layer of a D and the first of a G are matrix products, and so are their gradients", () => {
  const text = optimized(
    { h: [8, 16, 4, 4], w: [1, 16, 4, 4], z: [8, 10, 1, 1], v: [10, 16, 4, 4] },
    (i) => {
      const [h, w, z, v] = [get(i, "h"), get(i, "w"), get(i, "z"), get(i, "v")];
      const [gh = h, gw = w] = grad(conv(h, w), [h, w]);
      const [gz = z, gv = v] = grad(sum(mul(convTranspose(z, v), h)), [z, v]);
      return { gh, gw, gz, gv };
    },
  );
  expect(text).toMatchInlineSnapshot(`
    "graph(
      h : f32[8,16,4,4],
      w : f32[1,16,4,4],
      z : f32[8,10,1,1],
      v : f32[10,16,4,4]
    ) {
      %0 = Const(<8 values>) : f32[8,1]
      %1 = Reshape(w) {shape=[1,256]} : f32[1,256]
      %2 = MatMul(%0, %1) {transA=false, transB=false} : f32[8,256]
      %3 = Reshape(%2) {shape=[8,16,4,4]} : f32[8,16,4,4]
      %4 = Reshape(h) {shape=[8,256]} : f32[8,256]
      %5 = MatMul(%0, %4) {transA=true, transB=false} : f32[1,256]
      %6 = Reshape(%5) {shape=[1,16,4,4]} : f32[1,16,4,4]
      %7 = Reshape(v) {shape=[10,256]} : f32[10,256]
      %8 = MatMul(%4, %7) {transA=false, transB=true} : f32[8,10]
      %9 = Reshape(%8) {shape=[8,10,1,1]} : f32[8,10,1,1]
      %10 = Reshape(z) {shape=[8,10]} : f32[8,10]
      %11 = MatMul(%10, %4) {transA=true, transB=false} : f32[10,256]
      %12 = Reshape(%11) {shape=[10,16,4,4]} : f32[10,16,4,4]
      return gh=%3, gw=%6, gz=%9, gv=%12
    }
    "
  `);
});

test("the gradient of a strided convolution's weight is a product per piece of the kernel", () => {
  const text = optimized({ x: [4, 16, 8, 8], g: [4, 32, 4, 4], w: [32, 16, 4, 4] }, (i) => {
    const w = get(i, "w");
    const y = conv(get(i, "x"), w, { strides: 2, pads: 1 });
    return { gw: grad(y, [w], get(i, "g"))[0] ?? w };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[4,16,8,8],
      g : f32[4,32,4,4],
      w : f32[32,16,4,4]
    ) {
      %0 = Transpose(g) {perm=[1,0,2,3]} : f32[32,4,4,4]
      %1 = Reshape(%0) {shape=[32,64]} : f32[32,64]
      %2 = Transpose(x) {perm=[0,2,3,1]} : f32[4,8,8,16]
      %3 = Pad(%2) {before=[0,1,1,0], after=[0,1,1,0], value=0} : f32[4,10,10,16]
      %4 = Reshape(%3) {shape=[4,5,2,5,32]} : f32[4,5,2,5,32]
      %5 = Crop(%4) {starts=[0,0,0,0,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %6 = Reshape(%5) {shape=[64,32]} : f32[64,32]
      %7 = MatMul(%1, %6) {transA=false, transB=false} : f32[32,32]
      %8 = Crop(%4) {starts=[0,0,0,1,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %9 = Reshape(%8) {shape=[64,32]} : f32[64,32]
      %10 = MatMul(%1, %9) {transA=false, transB=false} : f32[32,32]
      %11 = Crop(%4) {starts=[0,0,1,0,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %12 = Reshape(%11) {shape=[64,32]} : f32[64,32]
      %13 = MatMul(%1, %12) {transA=false, transB=false} : f32[32,32]
      %14 = Crop(%4) {starts=[0,0,1,1,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %15 = Reshape(%14) {shape=[64,32]} : f32[64,32]
      %16 = MatMul(%1, %15) {transA=false, transB=false} : f32[32,32]
      %17 = Crop(%4) {starts=[0,1,0,0,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %18 = Reshape(%17) {shape=[64,32]} : f32[64,32]
      %19 = MatMul(%1, %18) {transA=false, transB=false} : f32[32,32]
      %20 = Crop(%4) {starts=[0,1,0,1,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %21 = Reshape(%20) {shape=[64,32]} : f32[64,32]
      %22 = MatMul(%1, %21) {transA=false, transB=false} : f32[32,32]
      %23 = Crop(%4) {starts=[0,1,1,0,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %24 = Reshape(%23) {shape=[64,32]} : f32[64,32]
      %25 = MatMul(%1, %24) {transA=false, transB=false} : f32[32,32]
      %26 = Crop(%4) {starts=[0,1,1,1,0], shape=[4,4,1,4,32]} : f32[4,4,1,4,32]
      %27 = Reshape(%26) {shape=[64,32]} : f32[64,32]
      %28 = MatMul(%1, %27) {transA=false, transB=false} : f32[32,32]
      %29 = Concat(%7, %10, %13, %16, %19, %22, %25, %28) {axis=1} : f32[32,256]
      %30 = Reshape(%29) {shape=[32,4,4,16]} : f32[32,4,4,16]
      %31 = Transpose(%30) {perm=[0,3,1,2]} : f32[32,16,4,4]
      return gw=%31
    }
    "
  `);
});

test("of an image's few channels it is one product per image, summed", () => {
  const text = optimized({ x: [4, 3, 8, 8], g: [4, 16, 4, 4], w: [16, 3, 4, 4] }, (i) => {
    const w = get(i, "w");
    const y = conv(get(i, "x"), w, { strides: 2, pads: 1 });
    return { gw: grad(y, [w], get(i, "g"))[0] ?? w };
  });
  expect(text).toMatchInlineSnapshot(`
    "graph(
      x : f32[4,3,8,8],
      g : f32[4,16,4,4],
      w : f32[16,3,4,4]
    ) {
      %0 = Reshape(g) {shape=[4,16,16]} : f32[4,16,16]
      %1 = Transpose(x) {perm=[0,2,3,1]} : f32[4,8,8,3]
      %2 = Pad(%1) {before=[0,1,1,0], after=[0,1,1,0], value=0} : f32[4,10,10,3]
      %3 = Reshape(%2) {shape=[4,5,2,5,6]} : f32[4,5,2,5,6]
      %4 = Crop(%3) {starts=[0,0,0,0,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %5 = Reshape(%4) {shape=[4,16,6]} : f32[4,16,6]
      %6 = Crop(%3) {starts=[0,0,0,1,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %7 = Reshape(%6) {shape=[4,16,6]} : f32[4,16,6]
      %8 = Crop(%3) {starts=[0,0,1,0,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %9 = Reshape(%8) {shape=[4,16,6]} : f32[4,16,6]
      %10 = Crop(%3) {starts=[0,0,1,1,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %11 = Reshape(%10) {shape=[4,16,6]} : f32[4,16,6]
      %12 = Crop(%3) {starts=[0,1,0,0,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %13 = Reshape(%12) {shape=[4,16,6]} : f32[4,16,6]
      %14 = Crop(%3) {starts=[0,1,0,1,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %15 = Reshape(%14) {shape=[4,16,6]} : f32[4,16,6]
      %16 = Crop(%3) {starts=[0,1,1,0,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %17 = Reshape(%16) {shape=[4,16,6]} : f32[4,16,6]
      %18 = Crop(%3) {starts=[0,1,1,1,0], shape=[4,4,1,4,6]} : f32[4,4,1,4,6]
      %19 = Reshape(%18) {shape=[4,16,6]} : f32[4,16,6]
      %20 = Concat(%5, %7, %9, %11, %13, %15, %17, %19) {axis=2} : f32[4,16,48]
      %21 = MatMul(%0, %20) {transA=false, transB=false} : f32[4,16,48]
      %22 = ReduceSum(%21) {axes=[0], keep=false} : f32[16,48]
      %23 = Reshape(%22) {shape=[16,4,4,3]} : f32[16,4,4,3]
      %24 = Transpose(%23) {perm=[0,3,1,2]} : f32[16,3,4,4]
      return gw=%24
    }
    "
  `);
});

test("a gradient penalty's second derivatives leave no weight gradient in its general form", () => {
  const text = optimized({ x: [4, 3, 8, 8], w: [16, 3, 4, 4], v: [1, 16, 4, 4] }, (i) => {
    const [x, w, v] = [get(i, "x"), get(i, "w"), get(i, "v")];
    const score = conv(exp(conv(x, w, { strides: 2, pads: 1 })), v);
    const [gx = x] = grad(score, [x]);
    const [gw = w, gv = v] = grad(sum(mul(gx, gx)), [w, v]);
    return { gw, gv };
  });
  expect(text).not.toContain("ConvWeightGrad");
  expect(text.match(/Conv|ConvTranspose/g)?.length).toMatchInlineSnapshot(`3`);
});

test("elements are repeated by a product, rows by copying them", () => {
  const text = optimized({ x: [2, 1, 4, 6] }, (i) => ({
    y: upsampleNearest(get(i, "x"), { scale: [3, 2] }),
  }));
  expect(text.replace(/Const\(.*?\)/, "Const(zeros and ones)")).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,1,4,6]
    ) {
      %0 = Reshape(x) {shape=[2,24]} : f32[2,24]
      %1 = Const(zeros and ones) : f32[24,48]
      %2 = MatMul(%0, %1) {transA=false, transB=false} : f32[2,48]
      %3 = Reshape(%2) {shape=[2,1,4,1,12]} : f32[2,1,4,1,12]
      %4 = Expand(%3) {shape=[2,1,4,3,12]} : f32[2,1,4,3,12]
      %5 = Reshape(%4) {shape=[2,1,12,12]} : f32[2,1,12,12]
      return y=%5
    }
    "
  `);
});

test("repeating by products is exact, and its gradient a sum", () => {
  const x = input("x", { shape: [2, 3, 5, 7] });
  const pooled = grad(avgPool(upsampleNearest(x, { scale: 2 }), { kernel: 2 }), [x]);
  const y = upsampleNearest(x, { scale: 2 });
  const more = expand(reshape(x, [2, 3, 5, 1, 7, 1]), [4, 2, 3, 5, 2, 7, 3]);
  const graph = { inputs: [x], outputs: { y, g: pooled[0] ?? x, more } };
  const feeds = { x: Float64Array.from({ length: x.size }, (_, i) => Math.sin(i) * 10 ** (i % 9)) };
  const after = optimize(graph);
  expect(print(after)).toContain("MatMul");
  expect(interpret(after, feeds)).toEqual(interpret(graph, feeds));
});

test("many copies and rows too short for a product are repeated as they were", () => {
  const stays = (shape: Shape, to: Shape): void => {
    const text = optimized({ x: shape }, (i) => ({ y: expand(get(i, "x"), to) }));
    expect(text).toContain("Expand");
    expect(text).not.toContain("MatMul");
  };
  stays([2, 3, 8, 1], [2, 3, 8, 9]);
  stays([2, 3, 3, 1], [2, 3, 3, 2]);
  stays([64, 32, 1], [64, 32, 2]); // each row might be a sample of a batch
});
