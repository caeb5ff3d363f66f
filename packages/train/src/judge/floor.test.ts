import { describe, expect, test } from "vitest";
import type { Matrix } from "../metrics/matrix.ts";
import { around, floorOf, floorPairs } from "./floor.ts";
import type { Evidence } from "./metric.ts";

const rows = (n: number, from = 0): Matrix => ({
  rows: n,
  cols: 1,
  data: Float64Array.from({ length: n }, (_, i) => from + i),
});
const evidence = (o: { real: number; fake: number; heldOut?: number }): Evidence => {
  const heldOut = o.heldOut === undefined ? undefined : rows(o.heldOut, 1000);
  const features = { real: rows(o.real), fake: rows(o.fake, 2000), heldOut };
  return { features, seed: 0 } as unknown as Evidence;
};
const sizes = (o: Parameters<typeof evidence>[0]): number[][] => {
  const { floor, like } = floorPairs(evidence(o));
  return [floor, like].map((pair) => (pair ? [pair.real.rows, pair.fake.rows] : []));
};

describe("real against real", () => {
  test("is the reference against what is held out, where that is enough", () => {
    expect(sizes({ real: 100, fake: 60, heldOut: 60 })).toEqual([[100, 60], []]);
    expect(sizes({ real: 100, fake: 80, heldOut: 60 })).toEqual([
      [100, 60],
      [100, 60],
    ]);
  });

  test("and one half against the other where it is not", () => {
    for (const heldOut of [{ heldOut: 10 }, {}])
      expect(sizes({ real: 100, fake: 80, ...heldOut })).toEqual([
        [50, 50],
        [50, 50],
      ]);
  });

  test("samples are held against the same real ones, in the same number", () => {
    const { floor, like } = floorPairs(evidence({ real: 100, fake: 80 }));
    expect(like?.real).toBe(floor.real);
    expect(Math.min(...(like?.fake.data ?? []))).toBeGreaterThanOrEqual(2000);
  });

  test("is left out where there are too few for it", () => {
    expect(floorOf(evidence({ real: 1, fake: 9 }), () => () => 1)).toEqual({});
  });
});

test("few resamples make a wider interval, as Student's t does", () => {
  // scipy.stats.t.ppf(0.975, [5, 19, 199])
  for (const [resamples, t] of [
    [6, 2.5706],
    [20, 2.093],
    [200, 1.972],
  ] as const) {
    const [low, high] = around(10, { standardError: 1, resamples });
    expect(Math.abs(high - 10 - t)).toBeLessThan(0.03);
    expect(10 - low).toBeCloseTo(high - 10, 12);
  }
});
