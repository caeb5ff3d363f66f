import { describe, expect, test } from "vitest";
import type { Score } from "./metric.ts";
import { verdict } from "./verdict.ts";

const score = (metric: string, over: Partial<Score>): Score => ({
  ...{ metric, title: metric, value: 0, better: "lower", nGenerated: 1000, nReference: 1000 },
  ...over,
});
const reference = { name: "emoji", n: 1000 };
const said = (score: Score, over: object = {}): string =>
  verdict([score], { ...reference, ...over }).join(" ");

describe("a distance is held against the floor", () => {
  const far = { value: 11, floor: 13, nFloor: 450 };

  test("of as many samples", () => {
    expect(said(score("frechet", { ...far, likeFloor: 50 }))).toMatch(
      /^It is clearly off the data/,
    );
    expect(said(score("frechet", { ...far, likeFloor: 14 }))).toMatch(/^By these features it can/);
  });

  test("and not where that is of too few", () => {
    const few = { ...far, nFloor: 20, likeFloor: 14 };
    expect(said(score("frechet", few))).toMatch(/^There are too few real samples to say/);
  });

  test("so are coverage and recall", () => {
    const cover = { value: 0.2, floor: 0.4, likeFloor: 0.1, nFloor: 100 };
    expect(said(score("coverage", cover))).toMatch(/^It misses most kinds .*coverage 0\.1, real/);
    const recall = score("recall", { value: 0.9, floor: 0.8 });
    expect(verdict([recall, score("coverage", cover)], reference)).toEqual([
      "It misses most kinds of the data (coverage 0.1, real data 0.4 from 100 samples; recall 0.9, real data 0.8).",
    ]); // what decides comes first
  });
});

describe("near copies", () => {
  const copies = (value: number, nReference = 1000): Score =>
    score("copies", { value, nReference, interval: [value - 0.02, value + 0.02] });

  test("of data that was trained on are memorised", () => {
    expect(said(copies(0.5), { trainedOn: true })).toMatch(/^It memorises \(50 % .* training data/);
    expect(said(copies(0.05), { trainedOn: true })).toMatch(/^It does not memorise/);
  });

  test("cannot be missed where most of the data was not looked at", () => {
    expect(said(copies(0.13), { trainedOn: true, of: 60_000 })).toMatch(
      /^Whether it memorises cannot be seen from 1,000 of 60,000 training records/,
    );
    expect(said(copies(0.5), { trainedOn: true, of: 60_000 })).toMatch(/^It memorises/);
  });

  test("of other data are copies, and nothing is said of training", () => {
    expect(said(copies(0.5))).toMatch(/^It copies emoji \(50 % .* near copies of emoji/);
    expect(said(copies(0.05))).toBe("");
  });
});

describe("pictures that a run makes are held against those that it was given", () => {
  const l1 = (low: number, high: number): Score =>
    score("l1", { title: "L1", value: 0.2 + (low + high) / 2, change: [low, high], given: 0.2 });
  const ssim = (low: number, high: number): Score =>
    score("ssim", { ...l1(low, high), metric: "ssim", title: "SSIM", better: "higher" });
  const both = (a: Score, b: Score): string => verdict([a, b], reference).join(" ");

  test("and what is sure is said", () => {
    expect(both(l1(-0.1, -0.06), ssim(-0.1, 0.2))).toBe(
      "It brings pictures nearer to what they should be (L1 0.12, as given 0.2; SSIM 0.25, as given 0.2).",
    );
    expect(both(l1(0.1, 0.2), ssim(-0.1, 0.2))).toMatch(
      /^What it was given is nearer to the truth/,
    );
    expect(both(l1(-0.1, -0.06), ssim(-0.1, -0.02))).toMatch(
      /^By L1 it brings pictures nearer to what they should be, by SSIM further from it/,
    );
    expect(both(l1(-0.1, 0.1), ssim(-0.1, 0.1))).toMatch(/cannot be said from 1,000 of them/);
    expect(said(score("l1", { title: "L1", value: 0.1, given: 0.2 }))).toMatch(/cannot be said/);
  });

  test("and to be like the truth is no copying", () => {
    const copies = score("copies", { value: 0.9, interval: [0.8, 1] });
    expect(said(copies)).toMatch(/^It copies emoji/);
    expect(said(copies, { pairs: true })).toBe("");
  });
});
