import fc from "fast-check";
import { sizeOf, type Shape } from "../ir.ts";
import type { Given } from "./run.ts";

/** Settings of property tests: few runs, the same ones each time. */
export const runs = { numRuns: 40, seed: 20_260 };

/** Shapes of small tensors. */
export const shapes = (o: { minRank?: number; maxRank?: number } = {}): fc.Arbitrary<Shape> =>
  fc.array(fc.integer({ min: 1, max: 4 }), {
    minLength: o.minRank ?? 0,
    maxLength: o.maxRank ?? 4,
  });

/** Float32 values of a shape. */
export const filled = (shape: Shape): fc.Arbitrary<Given> =>
  fc
    .array(fc.integer({ min: -1000, max: 1000 }), {
      minLength: sizeOf(shape),
      maxLength: sizeOf(shape),
    })
    .map((data) => ({ shape, data: data.map((v) => v / 256) }));

/** Small tensors. */
export const arrays = (o: { minRank?: number; maxRank?: number } = {}): fc.Arbitrary<Given> =>
  shapes(o).chain(filled);

/** A tensor with one of its axes. */
export const withAxis = (o: { maxRank?: number } = {}): fc.Arbitrary<{ x: Given; axis: number }> =>
  arrays({ ...o, minRank: 1 }).chain((x) =>
    fc.record({ x: fc.constant(x), axis: fc.nat({ max: x.shape.length - 1 }) }),
  );
