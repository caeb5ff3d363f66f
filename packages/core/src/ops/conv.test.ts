import fc from "fast-check";
import { expect, test } from "vitest";
import { interpret } from "../interpret.ts";
import { sizeOf, type NdArray, type Shape } from "../ir.ts";
import { lowerWeightGrads } from "../passes/weight-grad.ts";
import { uniforms } from "../testing/random.ts";
import { at } from "./conv-geometry.ts";
import { conv, convTranspose, convWeightGrad } from "./conv.ts";
import { input } from "./leaf.ts";
import { reader, tabulate } from "./nd.ts";

interface Problem {
  readonly x: Shape;
  readonly w: Shape;
  readonly attrs: { strides: number[]; pads: number[]; dilations: number[]; group: number };
  readonly seed: number;
}

/** A convolution that fits, over `rank` spatial axes. */
function problems(rank: number, o: { group: number; dilation: number; channels: number }) {
  const list = (n: number, min: number, max: number): fc.Arbitrary<number[]> =>
    fc.array(fc.integer({ min, max }), { minLength: n, maxLength: n });
  return fc
    .record({
      batch: fc.integer({ min: 1, max: 3 }),
      channels: fc.integer({ min: 1, max: o.channels }),
      out: fc.integer({ min: 1, max: 3 }),
      group: fc.integer({ min: 1, max: o.group }),
      kernel: list(rank, 1, 4),
      strides: list(rank, 1, 3),
      pads: list(2 * rank, 0, 2),
      dilations: list(rank, 1, o.dilation),
      room: list(rank, 0, 4),
      seed: fc.nat(),
    })
    .map(({ batch, channels, out, group, kernel, strides, pads, dilations, room, seed }) => {
      const extents = kernel.map((k, i) => {
        const reach = at(dilations, i) * (k - 1) + 1;
        return Math.max(1, reach - at(pads, i) - at(pads, i + rank)) + at(room, i);
      });
      return {
        x: [batch, channels * group, ...extents],
        w: [out * group, channels, ...kernel],
        attrs: { strides, pads, dilations, group },
        seed,
      };
    });
}

const anyProblem: fc.Arbitrary<Problem> = fc.oneof(
  problems(1, { group: 3, dilation: 3, channels: 3 }),
  problems(2, { group: 2, dilation: 2, channels: 2 }),
  problems(3, { group: 2, dilation: 2, channels: 1 }),
);

const draw = (shape: Shape, random: () => number): Float64Array =>
  new Float64Array(sizeOf(shape)).map(() => 2 * random() - 1);
const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((total, v, i) => total + v * at(b, i), 0);

function value(result: Record<string, NdArray>, name: string): Float64Array {
  const found = result[name];
  if (found === undefined) throw new TypeError(`no result ${name}`);
  return found.data;
}

test("conv sums what the kernel sees, place by place", () => {
  fc.assert(
    fc.property(anyProblem, ({ x, w, attrs, seed }) => {
      const random = uniforms(seed);
      const [xs, ws] = [draw(x, random), draw(w, random)];
      const [tx, tw] = [input("x", { shape: x }), input("w", { shape: w })];
      const y = conv(tx, tw, { ...attrs, groups: attrs.group });
      const found = value(interpret({ inputs: [tx, tw], outputs: { y } }, { x: xs, w: ws }), "y");
      const [readX, readW] = [reader({ shape: x, data: xs }), reader({ shape: w, data: ws })];
      const [perGroup, outPerGroup] = [at(w, 1), at(w, 0) / attrs.group];
      const stated = tabulate(y.shape, (index) => {
        const [n, o, ...place] = [...index];
        const first = Math.floor((o ?? 0) / outPerGroup) * perGroup;
        let total = 0;
        tabulate(w.slice(1), ([c = 0, ...tap]) => {
          const from = tap.map(
            (k, i) =>
              at(place, i) * at(attrs.strides, i) + k * at(attrs.dilations, i) - at(attrs.pads, i),
          );
          total += readX([n ?? 0, first + c, ...from]) * readW([o ?? 0, c, ...tap]);
          return 0;
        });
        return total;
      });
      found.forEach((v, i) => expect(v).toBeCloseTo(at(stated, i), 10));
    }),
  );
});

test("conv, convTranspose and convWeightGrad are adjoint to one another", () => {
  fc.assert(
    fc.property(anyProblem, ({ x, w, attrs, seed }) => {
      const random = uniforms(seed);
      const [tx, tw] = [input("x", { shape: x }), input("w", { shape: w })];
      const options = { ...attrs, groups: attrs.group };
      const y = conv(tx, tw, options);
      const g = input("g", { shape: y.shape });
      const outputPadding = x.slice(2).map((d, i) => {
        const padded = d + at(attrs.pads, i) + at(attrs.pads, i + x.length - 2);
        const reach = at(attrs.dilations, i) * (at(w, i + 2) - 1) + 1;
        return (padded - reach) % at(attrs.strides, i);
      });
      const outputs = {
        y,
        gx: convTranspose(g, tw, { ...options, outputPadding }),
        gw: convWeightGrad(tx, g, { ...attrs, kernel: w.slice(2) }),
      };
      const feeds = { x: draw(x, random), w: draw(w, random), g: draw(y.shape, random) };
      const found = interpret({ inputs: [tx, tw, g], outputs }, feeds);
      const stated = dot(value(found, "y"), feeds.g);
      expect(dot(value(found, "gx"), feeds.x)).toBeCloseTo(stated, 9);
      expect(dot(value(found, "gw"), feeds.w)).toBeCloseTo(stated, 9);
    }),
  );
});

test("the forms of the weight's gradient agree with its definition", () => {
  fc.assert(
    fc.property(problems(2, { group: 3, dilation: 1, channels: 33 }), ({ x, w, attrs, seed }) => {
      const random = uniforms(seed);
      const [tx, tw] = [input("x", { shape: x }), input("w", { shape: w })];
      const g = input("g", { shape: conv(tx, tw, { ...attrs, groups: attrs.group }).shape });
      const gw = convWeightGrad(tx, g, { ...attrs, kernel: w.slice(2) });
      const feeds = { x: draw(x, random), g: draw(g.shape, random) };
      const graph = { inputs: [tx, g], outputs: { gw } };
      const lowered = lowerWeightGrads(graph);
      const stays = attrs.group > 1 && at(w, 1) * at(attrs.strides, 1) < 8;
      expect(lowered.outputs["gw"]?.op.name === "ConvWeightGrad").toBe(stays);
      const stated = value(interpret(graph, feeds), "gw");
      value(interpret(lowered, feeds), "gw").forEach((v, i) =>
        expect(v).toBeCloseTo(at(stated, i), 9),
      );
    }),
  );
});

const weight = (...shape: number[]) => input("w", { shape });

function message(build: () => unknown): string {
  try {
    build();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "no error";
}

test("errors of convolutions", () => {
  const x = input("x", { shape: [2, 4, 5, 5] });
  expect(
    [
      () => conv(x, weight(3, 2, 3, 3)),
      () => conv(x, weight(3, 2, 3, 3), { groups: 2 }),
      () => conv(x, weight(3, 4, 9, 3), { pads: 1 }),
      () => conv(x, weight(3, 4, 3)),
      () => conv(x, weight(3, 4, 3, 3), { strides: 0 }),
      () => conv(x, weight(3, 4, 3, 3), { pads: [1, 1] }),
      () => conv(x, weight(3, 4, 3, 3), { groups: 0.5 }),
      () => conv(input("i", { shape: [2, 4, 5, 5], dtype: "int32" }), weight(3, 4, 3, 3)),
      () => conv(weight(4, 4), weight(3, 4, 3, 3)),
      () => convTranspose(x, weight(3, 2, 3, 3)),
      () => convTranspose(x, weight(4, 2, 3, 3), { groups: 3 }),
      () => convTranspose(x, weight(4, 2, 3, 3), { strides: 2, outputPadding: 2 }),
      () => convTranspose(x, weight(4, 2, 1, 1), { pads: 4 }),
    ].map(message),
  ).toMatchInlineSnapshot(`
    [
      "Conv: input has 4 channels, weight [3, 2, 3, 3] expects 2.",
      "Conv: 3 output channels do not split into 2 groups.",
      "Conv: kernel [9, 3] reaches over 9 places, the padded input has 7.",
      "Conv: weight has shape [3, 4, 3], expected 4 axes as the input has.",
      "Conv: strides is [0, 0], expected 2 integers of at least 1.",
      "Conv: pads is [1, 1], expected 4 integers of at least 0.",
      "Conv: groups is 0.5, expected an integer of at least 1.",
      "Conv: input is int32, expected float32.",
      "Conv: input has shape [4, 4], expected 3 to 5 axes.",
      "ConvTranspose: input has 4 channels, weight [3, 2, 3, 3] expects 3.",
      "ConvTranspose: 4 input channels do not split into 3 groups.",
      "ConvTranspose: outputPadding [2, 2] must be below the strides [2, 2].",
      "ConvTranspose: the result would have size [-3, -3].",
    ]
  `);
});
