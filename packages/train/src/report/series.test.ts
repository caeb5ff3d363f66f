import { describe, expect, test } from "vitest";
import { downsample, finalMean, smooth, type Series } from "./series.ts";

const seriesOf = (values: readonly number[]): Series => ({
  name: "loss/G",
  steps: values.map((_, i) => 10 * (i + 1)),
  values,
});

describe("downsample", () => {
  test("a short series stays as it is; infinity becomes a gap", () => {
    expect(downsample(seriesOf([1, Infinity, 3]), 2)).toEqual([
      { step: 10, value: 1 },
      { step: 20, value: Number.NaN },
      { step: 30, value: 3 },
    ]);
  });

  test("a long one keeps lows, highs, their order, and every gap", () => {
    const values = Array.from({ length: 100_000 }, (_, i) => Math.sin(i / 1000));
    values[30_303] = 99;
    values[70_007] = -99;
    values[50_000] = Number.NaN;
    const points = downsample(seriesOf(values), 250);
    expect(points.length).toBe(501);
    expect(points).toContainEqual({ step: 303_040, value: 99 });
    expect(points).toContainEqual({ step: 700_080, value: -99 });
    expect(points.filter(({ value }) => Number.isNaN(value))).toEqual([
      { step: 500_010, value: Number.NaN },
    ]);
    const steps = points.map(({ step }) => step);
    expect(steps).toEqual(steps.toSorted((a, b) => a - b));
  });
});

describe("smooth", () => {
  test("keeps a straight line straight and a constant exact", () => {
    const line = smooth(seriesOf(Array.from({ length: 1000 }, (_, i) => 2 * i)), 250);
    expect(line.values.length).toBe(250);
    expect(line.values[100]).toBeCloseTo(2 * 401.5, 9);
    expect(line.steps[100]).toBe(4020);
    expect(new Set(smooth(seriesOf(Array.from({ length: 640 }, () => 0.5)), 250).values)).toEqual(
      new Set([0.5]),
    );
  });

  test("a huge value does not reach beyond its surroundings, and gaps stay", () => {
    const values = Array.from({ length: 1000 }, () => 0.1);
    values[0] = 1e30;
    for (let i = 500; i < 600; i++) values[i] = Number.NaN;
    const course = smooth(seriesOf(values), 250).values;
    expect(course[100]).toBeCloseTo(0.1, 9);
    expect(course[130]).toBeNaN();
    expect(course[160]).toBeCloseTo(0.1, 9);
  });
});

test("finalMean is of the finite values of the last tenth", () => {
  expect(finalMean(seriesOf([5]))).toBe(5);
  const values = Array.from({ length: 40 }, (_, i) => i);
  expect(finalMean(seriesOf(values))).toBe(37.5);
  values[39] = Number.NaN;
  expect(finalMean(seriesOf(values))).toBe(37);
  expect(finalMean(seriesOf([1, Number.NaN]))).toBeNaN();
});
