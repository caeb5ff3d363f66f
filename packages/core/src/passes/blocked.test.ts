import fc from "fast-check";
import { expect, test } from "vitest";
import { print, topological, verify, type Graph } from "../graph.ts";
import { interpret } from "../interpret.ts";
import type { Shape } from "../ir.ts";
import { add } from "../ops/arithmetic.ts";
import { fromBlocked, toBlocked } from "../ops/blocked.ts";
import { conv, convTranspose } from "../ops/conv.ts";
import { input } from "../ops/leaf.ts";
import { uniforms } from "../testing/random.ts";
import { useBlockedConvs } from "./blocked.ts";
import { optimize } from "./optimize.ts";

const block = 4;
const names = (graph: Graph): string[] =>
  topological(Object.values(graph.outputs)).map((n) => n.op.name);

/** Runs a graph with and without blocks; returns the largest difference. */
function difference(graph: Graph): number {
  const random = uniforms(7);
  const feeds = Object.fromEntries(
    graph.inputs.map((t) => [
      String(t.attrs["name"]),
      new Float64Array(t.size).map(() => random() - 0.5),
    ]),
  );
  const lowered = useBlockedConvs(graph, { block });
  verify(lowered);
  const [stated, found] = [interpret(graph, feeds), interpret(lowered, feeds)];
  return Math.max(
    ...Object.entries(stated).flatMap(([name, { data }]) =>
      Array.from(data, (v, i) => Math.abs(v - (found[name]?.data[i] ?? NaN))),
    ),
  );
}

const geometry = fc.record({
  kernel: fc.integer({ min: 1, max: 5 }),
  stride: fc.integer({ min: 1, max: 3 }),
  pad: fc.integer({ min: 0, max: 2 }),
  extra: fc.integer({ min: 0, max: 2 }),
  size: fc.integer({ min: 1, max: 4 }),
  channels: fc.constantFrom(4, 8, 6),
});

test("convolutions of whole blocks keep their values", () => {
  fc.assert(
    fc.property(geometry, ({ kernel, stride, pad, size, channels }) => {
      const extent = size + kernel;
      const x = input("x", { shape: [2, 8, extent, extent + 1] });
      const w = input("w", { shape: [channels, 8, kernel, 2] });
      const b = input("b", { shape: [channels, 1, 1] });
      const y = add(conv(x, w, { strides: stride, pads: pad }), b);
      const graph = optimize({ inputs: [x, w, b], outputs: { y } });
      expect(names(useBlockedConvs(graph, { block })).includes("BlockedConv")).toBe(
        channels % block === 0 && names(graph).includes("Conv"),
      );
      expect(difference(graph)).toBeLessThan(1e-9);
    }),
  );
});

test("transposed convolutions of whole blocks keep their values", () => {
  fc.assert(
    fc.property(geometry, ({ kernel, stride, pad, extra, size, channels }) => {
      const x = input("x", { shape: [2, 4, size, size + 1] });
      const w = input("w", { shape: [4, channels, kernel, kernel + 1] });
      const out = stride * (size - 1) + kernel - 2 * pad;
      fc.pre(out > 0);
      const outputPadding = Math.min(extra, stride - 1);
      const y = convTranspose(x, w, { strides: stride, pads: pad, outputPadding });
      expect(difference({ inputs: [x, w], outputs: { y } })).toBeLessThan(1e-9);
    }),
  );
});

test("a strided convolution and its transpose in blocks", () => {
  const [x, w] = [input("x", { shape: [2, 4, 8, 8] }), input("w", { shape: [8, 4, 4, 4] })];
  const options = { strides: 2, pads: 1 };
  const y = conv(x, w, options);
  const lowered = useBlockedConvs(
    { inputs: [x, w], outputs: { y, z: convTranspose(y, w, options) } },
    { block },
  );
  expect(print(lowered)).toMatchInlineSnapshot(`
    "graph(
      x : f32[2,4,8,8],
      w : f32[8,4,4,4]
    ) {
      %0 = ToBlocked(x) {block=4} : f32[2,4,8,8]
      %1 = Reshape(w) {shape=[8,4,1,16]} : f32[8,4,1,16]
      %2 = ToBlocked(%1) {block=4} : f32[8,4,1,16]
      %3 = Reshape(%2) {shape=[2,4,1,64]} : f32[2,4,1,64]
      %4 = ToBlocked(%3) {block=4} : f32[2,4,1,64]
      %5 = Reshape(%4) {shape=[8,4,4,4]} : f32[8,4,4,4]
      %6 = BlockedConv(%0, %5) {strides=[2,2], pads=[1,1,1,1], dilations=[1,1], block=4} : f32[2,8,4,4]
      %7 = FromBlocked(%6) {block=4} : f32[2,8,4,4]
      %8 = Reshape(w) {shape=[2,4,1,64]} : f32[2,4,1,64]
      %9 = ToBlocked(%8) {block=4} : f32[2,4,1,64]
      %10 = ToBlocked(%9) {block=4} : f32[2,4,1,64]
      %11 = Reshape(%10) {shape=[2,1,256]} : f32[2,1,256]
      %12 = Transpose(%11) {perm=[1,0,2]} : f32[1,2,256]
      %13 = Reshape(%12) {shape=[1,2,4,4,16]} : f32[1,2,4,4,16]
      %14 = Slice(%13) {axis=2, start=3, count=2, step=-2} : f32[1,2,2,4,16]
      %15 = Slice(%14) {axis=3, start=3, count=2, step=-2} : f32[1,2,2,2,16]
      %16 = Reshape(%15) {shape=[4,8,2,2]} : f32[4,8,2,2]
      %17 = BlockedConv(%6, %16) {strides=[1,1], pads=[1,1,0,0], dilations=[1,1], block=4} : f32[2,4,4,4]
      %18 = Reshape(%17) {shape=[2,1,4,4,1,4]} : f32[2,1,4,4,1,4]
      %19 = Slice(%14) {axis=3, start=2, count=2, step=-2} : f32[1,2,2,2,16]
      %20 = Reshape(%19) {shape=[4,8,2,2]} : f32[4,8,2,2]
      %21 = BlockedConv(%6, %20) {strides=[1,1], pads=[1,0,0,1], dilations=[1,1], block=4} : f32[2,4,4,4]
      %22 = Reshape(%21) {shape=[2,1,4,4,1,4]} : f32[2,1,4,4,1,4]
      %23 = Concat(%18, %22) {axis=4} : f32[2,1,4,4,2,4]
      %24 = Reshape(%23) {shape=[2,1,4,1,32]} : f32[2,1,4,1,32]
      %25 = Slice(%13) {axis=2, start=2, count=2, step=-2} : f32[1,2,2,4,16]
      %26 = Slice(%25) {axis=3, start=3, count=2, step=-2} : f32[1,2,2,2,16]
      %27 = Reshape(%26) {shape=[4,8,2,2]} : f32[4,8,2,2]
      %28 = BlockedConv(%6, %27) {strides=[1,1], pads=[0,1,1,0], dilations=[1,1], block=4} : f32[2,4,4,4]
      %29 = Reshape(%28) {shape=[2,1,4,4,1,4]} : f32[2,1,4,4,1,4]
      %30 = Slice(%25) {axis=3, start=2, count=2, step=-2} : f32[1,2,2,2,16]
      %31 = Reshape(%30) {shape=[4,8,2,2]} : f32[4,8,2,2]
      %32 = BlockedConv(%6, %31) {strides=[1,1], pads=[0,0,1,1], dilations=[1,1], block=4} : f32[2,4,4,4]
      %33 = Reshape(%32) {shape=[2,1,4,4,1,4]} : f32[2,1,4,4,1,4]
      %34 = Concat(%29, %33) {axis=4} : f32[2,1,4,4,2,4]
      %35 = Reshape(%34) {shape=[2,1,4,1,32]} : f32[2,1,4,1,32]
      %36 = Concat(%24, %35) {axis=3} : f32[2,1,4,2,32]
      %37 = Reshape(%36) {shape=[2,4,8,8]} : f32[2,4,8,8]
      %38 = FromBlocked(%37) {block=4} : f32[2,4,8,8]
      return y=%7, z=%38
    }
    "
  `);
});

test("what does not come in blocks stays as it is", () => {
  const shaped = (name: string, shape: Shape) => input(name, { shape });
  const [x, w, v, line] = [
    shaped("x", [2, 3, 8, 8]),
    shaped("w", [8, 3, 3, 3]),
    shaped("v", [8, 1, 3, 3]),
    shaped("line", [2, 8, 5]),
  ];
  const wide = conv(x, w);
  const outputs = {
    few: wide,
    groups: conv(wide, v, { groups: 8 }),
    line: conv(line, shaped("u", [8, 8, 3])),
    dilated: convTranspose(wide, shaped("t", [8, 8, 3, 3]), { dilations: 2, strides: 2 }),
  };
  const inputs = topological(Object.values(outputs)).filter((t) => t.op.name === "Input");
  const graph = { inputs, outputs };
  expect(useBlockedConvs(graph, { block })).toBe(graph);
});

test("blocks must divide the channels", () => {
  expect(() =>
    toBlocked(input("x", { shape: [2, 6, 8, 8] }), 4),
  ).toThrowErrorMatchingInlineSnapshot(
    `[UserError: ToBlocked: float32 [2, 6, 8, 8] has no blocks of 4 channels.]`,
  );
  expect(() => fromBlocked(input("x", { shape: [2, 8, 8] }), 4)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: FromBlocked: float32 [2, 8, 8] has no blocks of 4 channels.]`,
  );
});
