import { describe, expect, it } from "vitest";
import {
  add,
  at,
  concat,
  constant,
  expand,
  input,
  mean,
  mul,
  optimize,
  print,
  readMetadata,
  reshape,
  sum,
  tanh,
  toOnnx,
  transpose,
  upsampleNearest,
  type Graph,
  type Tensor,
} from "../index.ts";

const text = (file: Uint8Array): string => Buffer.from(file).toString("latin1");
const count = (whole: string, part: string): number => whole.split(part).length - 1;

function net(): Graph {
  const x = input("x", { shape: [4, 6] });
  const h = at("G.main.0", () => tanh(reshape(x, [2, 12])));
  return { inputs: [x], outputs: { y: add(h, reshape(mul(h, 3), [2, 12])) } };
}

describe("toOnnx", () => {
  it("gives equal bytes for equal graphs", () => {
    expect(toOnnx(net())).toEqual(toOnnx(net()));
  });

  it("names nodes by where they were traced", () => {
    expect(text(toOnnx(net()))).toContain("G.main.0/Tanh%1");
  });

  it("holds equal constants once", () => {
    const x = input("x", { shape: [2] });
    const twice = add(mul(x, 1.25), mul(tanh(x), 1.25));
    const number = text(new Uint8Array(Float32Array.of(1.25).buffer));
    expect(count(text(toOnnx({ inputs: [x], outputs: { twice } })), number)).toBe(1);
  });

  it("keeps metadata, in any script", () => {
    const metadata = { "duelo.recipe": "dcgan", "duelo.classes": '["gato","猫"]' };
    expect(readMetadata(toOnnx(net(), { metadata }))).toEqual(metadata);
  });

  it("puts weights inside and takes them off the inputs", () => {
    const w = input("w", { shape: [3] });
    const x = input("x", { shape: [3] });
    const graph = { inputs: [x, w], outputs: { y: mul(x, w) } };
    const values = Float32Array.of(1.5, -2.25, 3.125);
    const file = toOnnx(graph, { initializers: { w: values } });
    expect(text(file)).toContain(text(new Uint8Array(values.buffer)));
    expect(() => toOnnx(graph, { initializers: { w: values.subarray(1) } })).toThrow(
      'initializer "w" has 2 values; the graph has float32 of 3',
    );
    expect(() => toOnnx(graph, { initializers: { v: values } })).toThrow(
      'initializer "v" has 3 values; the graph has no input',
    );
  });
});

const free = (build: (batch: number) => Graph): Uint8Array =>
  toOnnx(build(5), { freeBatch: { other: build(7) } });

/** A graph of one input, z [N, 4], at any batch size. */
const of =
  (f: (z: Tensor, batch: number) => Tensor) =>
  (batch: number): Graph => {
    const z = input("z", { shape: [batch, 4] });
    return { inputs: [z], outputs: { y: at("G.last", () => f(z, batch)) } };
  };

describe("a free batch size", () => {
  it.each([
    ["before the channels", [4, 3, 2, 2], [0, 1, 2, 3]],
    ["between the channels", [4, 3, 2, 2], [1, 0, 2, 3]],
    ["in rows", [4, 3, 5], [1, 0, 2]],
  ] as const)("may be %s where pictures grow", (_, [, c, ...size], perm) => {
    const build = (batch: number): Graph => {
      const x = input("x", { shape: [batch, c, ...size] });
      const y = transpose(upsampleNearest(transpose(x, perm), { scale: 2 }), perm);
      return optimize({ inputs: [x], outputs: { y } });
    };
    expect(print(build(5))).toContain("MatMul");
    expect(() => free(build)).not.toThrow();
  });

  it("is refused where values depend on it", () => {
    const build = of((x, n) => add(x, constant(new Float32Array(n * 4), { shape: [n, 4] })));
    expect(() => free(build)).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Constant: its values depend on the batch size. At G.last. A generator is exported with a free batch size, so it must treat each sample alone.]`,
    );
    expect(() => free(of((x) => mean(x)))).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Constant: its values depend on the batch size. At G.last. A generator is exported with a free batch size, so it must treat each sample alone.]`,
    );
  });

  it("is refused where a size is no multiple of it", () => {
    const build = of((x, n) => expand(sum(x), [n + 1]));
    expect(() => free(build)).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Constant: a size is 6 at batch 5 and 8 at batch 7. At G.last. A generator is exported with a free batch size, so it must treat each sample alone.]`,
    );
  });

  it("is refused where the operations change with it", () => {
    const build = of((x, n) => (n > 5 ? tanh(x) : concat([x, x], 1)));
    expect(() => free(build)).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Concat: the operations themselves change with the batch size. At G.last/Concat%0. A generator is exported with a free batch size, so it must treat each sample alone.]`,
    );
  });

  it("needs two graphs that differ by it", () => {
    expect(() => toOnnx(net(), { freeBatch: { other: net() } })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: the two graphs do not differ by the batch size of their inputs]`,
    );
  });
});
