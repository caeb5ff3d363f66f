import { describe, expect, test } from "vitest";
import type { Recipe } from "@duelo/zoo";
import { toys } from "../data/toy.ts";
import type { Dataset } from "../data/dataset.ts";
import { driftOf, lookAt, median } from "./look.ts";
import { openReference, type Reference } from "./reference.ts";

const n = 200;
const { means } = toys.ring8;

const modeOf = (i: number): number => Math.floor((8 * i) / n);

/** Points on a spiral at each of the eight means: no two are equal, none is far from its mean. */
const points = Float32Array.from({ length: 2 * n }, (_, at) => {
  const i = at >> 1;
  const mean = means[modeOf(i)] ?? [0, 0];
  const angle = i * 2.4;
  return (
    (mean[at % 2] ?? 0) +
    0.002 * Math.sqrt(i + 1) * (at % 2 === 0 ? Math.cos(angle) : Math.sin(angle))
  );
});

const dataset: Dataset = {
  ...{ name: "spiral", length: n, key: "", settings: {}, skipped: [] },
  fields: { x: { dtype: "float32", shape: [2] } },
  read(indices, out) {
    for (const [i, index] of Array.from(indices).entries())
      out["x"]?.set(points.subarray(2 * index, 2 * index + 2), 2 * i);
  },
  close() {},
};

const opened = openReference({ recipe: { data: {} } as unknown as Recipe, dataset, seed: 0 });
if (opened === undefined) throw new TypeError("no reference");
const reference: Reference = opened;
const rows = (chosen: readonly number[]): Float32Array =>
  Float32Array.from(chosen.flatMap((i) => Array.from(reference.points.subarray(2 * i, 2 * i + 2))));
const all = Array.from({ length: n }, (_, i) => i);

describe("what samples look like beside the data", () => {
  test("the data themselves are as varied, as near, and copies", () => {
    const look = lookAt(rows(all), reference);
    expect(look.diversity).toBeCloseTo(1, 5);
    expect(look.distance).toBeCloseTo(-2 / n, 5); // each has itself among the records
    expect(look.clusters).toBe(look.clustersReal);
    expect(look).toMatchObject({ nearness: 0, copies: 1, known: 1 });
  });

  test("records that are there twice are as good a measure", () => {
    const twice: Dataset = {
      ...dataset,
      length: 2 * n,
      read: (indices, out) =>
        dataset.read(
          Int32Array.from(indices, (i) => i >> 1),
          out,
        ),
    };
    const other = openReference({
      recipe: { data: {} } as unknown as Recipe,
      dataset: twice,
      seed: 0,
    });
    const between = rows(all).map((v, at) => v + (at % 2 === 0 ? 0.001 : 0));
    const { nearness } = lookAt(between, reference);
    expect(nearness).toBeGreaterThan(0);
    expect(other && lookAt(between, other).nearness).toBeCloseTo(nearness, 5);
  });

  test("one record over and over is one cluster, without variety, and far", () => {
    const look = lookAt(rows(Array.from({ length: 50 }, () => 3)), reference);
    expect(look.clusters).toBe(1);
    expect(look.diversity).toBe(0);
    expect(look.clustersReal).toBeGreaterThan(8);
    expect(look.distance).toBeGreaterThan(0.7);
  });

  test("half of the modes are about half of the clusters", () => {
    const look = lookAt(rows(all.filter((i) => modeOf(i) < 4)), reference);
    expect(look.clusters / look.clustersReal).toBeGreaterThan(0.3);
    expect(look.clusters / look.clustersReal).toBeLessThan(0.7);
    expect(look.distance).toBeGreaterThan(0.1);
  });

  test("points off the data by more than its own gaps are no copies", () => {
    const look = lookAt(
      rows(all).map((v) => v + 1),
      reference,
    );
    expect(look.copies).toBe(0);
    expect(look.nearness).toBeGreaterThan(10);
    expect(look.distance).toBeGreaterThan(0.2);
    expect(look.diversity).toBeCloseTo(1, 4); // moved, not changed
  });
});

test("drift is how far the same samples moved, distances of records being 1", () => {
  const before = rows(all.slice(0, 30));
  const now = before.map((v, i) => v + (i % 2 === 0 ? 3 : 4) * reference.spread);
  expect(driftOf({ before, now, reference })).toBeCloseTo(5, 4);
  expect(driftOf({ before, now: before, reference })).toBe(0);
});

test("the median is the middle, or the mean of the two in the middle", () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
});
