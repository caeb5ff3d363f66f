import fc from "fast-check";
import { expect, test } from "vitest";
import { print } from "../graph.ts";
import { filled, runs } from "../testing/arbitrary.ts";
import { checkGrad } from "../testing/check-grad.ts";
import { opCase } from "../testing/op-case.ts";
import { valueOf } from "../testing/run.ts";
import { mul } from "./arithmetic.ts";
import { input } from "./leaf.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { transpose, unsqueeze } from "./shape.ts";

const extents = fc.record({
  m: fc.integer({ min: 1, max: 3 }),
  k: fc.integer({ min: 1, max: 3 }),
  n: fc.integer({ min: 1, max: 3 }),
  batchA: fc.constantFrom([], [2], [1], [3, 1], [3, 2]),
  batchB: fc.constantFrom([], [2], [1], [2]),
  transA: fc.boolean(),
  transB: fc.boolean(),
});

test("a product is the sum of products, whatever is transposed or broadcast", () => {
  const operands = extents.chain((o) => {
    const a = [...o.batchA, ...(o.transA ? [o.k, o.m] : [o.m, o.k])];
    const b = [...o.batchB, ...(o.transB ? [o.n, o.k] : [o.k, o.n])];
    return fc.record({ o: fc.constant(o), a: filled(a), b: filled(b) });
  });
  fc.assert(
    fc.property(operands, ({ o, a, b }) => {
      const y = valueOf((s, t) => matmul(s, t, o), a, b);
      const wanted = valueOf(
        (s, t) => {
          const swap = (x: typeof s, yes: boolean) => {
            const axes = x.shape.map((_, i) => i);
            return yes ? transpose(x, [...axes.slice(0, -2), x.rank - 1, x.rank - 2]) : x;
          };
          const left = unsqueeze(swap(s, o.transA), -1); // [..., M, K, 1]
          const right = unsqueeze(swap(t, o.transB), -3); // [..., 1, K, N]
          return sum(mul(left, right), { axes: [-2] });
        },
        a,
        b,
      );
      expect(y.shape).toEqual(wanted.shape);
      y.data.forEach((v, i) => expect(v).toBeCloseTo(wanted.data[i] ?? NaN, 9));
    }),
    runs,
  );
});

test("gradients, whatever is transposed or broadcast", () => {
  fc.assert(
    fc.property(extents, (o) => {
      const a = { shape: [...o.batchA, ...(o.transA ? [o.k, o.m] : [o.m, o.k])] };
      const b = { shape: [...o.batchB, ...(o.transB ? [o.n, o.k] : [o.k, o.n])] };
      checkGrad(
        opCase("MatMul", { a, b }, (i) => matmul(i.a, i.b, o)),
        { directions: 1 },
      );
    }),
    runs,
  );
});

test("one matrix for a whole batch is one large product", () => {
  const a = input("a", { shape: [2, 3, 4] });
  const b = input("b", { shape: [5, 4] });
  const graph = { inputs: [a, b], outputs: { y: matmul(a, b, { transB: true }) } };
  expect(print(graph)).toMatchInlineSnapshot(`
    "graph(
      a : f32[2,3,4],
      b : f32[5,4]
    ) {
      %0 = Reshape(a) {shape=[6,4]} : f32[6,4]
      %1 = MatMul(%0, b) {transA=false, transB=true} : f32[6,5]
      %2 = Reshape(%1) {shape=[2,3,5]} : f32[2,3,5]
      return y=%2
    }
    "
  `);
});

test("errors", () => {
  const a = input("a", { shape: [2, 3] });
  expect(() => matmul(a, a)).toThrowErrorMatchingInlineSnapshot(
    `[UserError: MatMul: [2, 3] does not multiply [2, 3].]`,
  );
  expect(() => matmul(a, a, { transA: true, transB: true })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: MatMul: [2, 3] transposed does not multiply [2, 3] transposed.]`,
  );
  expect(() => matmul(a, input("v", { shape: [3] }))).toThrowErrorMatchingInlineSnapshot(
    `[UserError: MatMul: [2, 3] does not multiply [3].]`,
  );
});
