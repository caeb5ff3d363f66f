import { describe, expect, test } from "vitest";
import { UserError } from "@duelo/core";
import { findRecipe } from "@duelo/zoo";
import { drawTrials, readRange, spaceOf, type Range } from "./space.ts";

const gan = findRecipe("gan-2d");
const space = (over: Record<string, Range>) => spaceOf(gan, over);
const draw = (over: Record<string, Range>, n: number, seed = 0) =>
  drawTrials({ space: space(over), n, seed });

describe("a space", () => {
  test("is read from text", () => {
    expect(readRange("lr", "1e-5..1e-2")).toEqual({ from: 1e-5, to: 1e-2 });
    expect(readRange("width", "16, 32,64")).toEqual(["16", "32", "64"]);
    expect(readRange("beta1", "0.1..0.5")).toEqual({ from: 0.1, to: 0.5 });
  });

  test("is logarithmic over more than a decade", () => {
    const axes = space({
      beta1: { from: 0, to: 0.9 },
      lrD: { from: 1e-4, to: 1e-3 },
      lrG: { from: 1e-4, to: 1.1e-3 },
      width: ["16", 32, "32"],
    });
    expect(axes).toEqual([
      { name: "beta1", kind: "number", from: 0, to: 0.9, log: false },
      { name: "lrD", kind: "number", from: 1e-4, to: 1e-3, log: false },
      { name: "lrG", kind: "number", from: 1e-4, to: 1.1e-3, log: true },
      { name: "width", kind: "values", values: [16, 32] },
    ]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "nothing",
      () => space({}),
      `There is nothing to search over. Give at least one range, such as --over lr=1e-5..1e-2 or --over width=16,32,64.`,
    ],
    [
      "an unknown option",
      () => space({ lrg: { from: 0, to: 1 } }),
      `There is no option "lrg". Did you mean "lrG"?`,
    ],
    [
      "a range the wrong way round",
      () => space({ lrG: { from: 0.1, to: 0.01 } }),
      `The range lrG=0.1..0.01 is empty: it has to begin below its end.`,
    ],
    [
      "a range of one number",
      () => space({ lrG: { from: 0.1, to: 0.1 } }),
      `The range lrG=0.1..0.1 is empty: it has to begin below its end.`,
    ],
    [
      "an end outside the option's own range",
      () => space({ lrG: { from: 0.1, to: 2 } }),
      `Option lrG is "2"; it takes a number from 0 to 1.`,
    ],
    [
      "an end that is not whole",
      () => space({ width: { from: 1.5, to: 4 } }),
      `Option width is "1.5"; it takes a whole number from 1 to 4096.`,
    ],
    [
      "no values",
      () => space({ width: readRange("width", "") }),
      `The range of width is empty: it has no values.`,
    ],
    [
      "one value",
      () => space({ width: ["32", 32] }),
      `The range of width has one value, which leaves nothing to search. Use --set width=32.`,
    ],
    [
      "a value that is none",
      () => space({ width: ["32", "many"] }),
      `Option width is "many"; it takes a whole number from 1 to 4096.`,
    ],
    [
      "words for numbers",
      () => readRange("lrG", "low..high"),
      `The range lrG=low..high has no numbers at its ends. Write it as lrG=1e-5..1e-2, or list values: lrG=16,32,64.`,
    ],
    [
      "numbers for words",
      () => spaceOf(findRecipe("cgan"), { rule: { from: 1, to: 2 } }),
      `Option rule takes words, not a range of numbers. List them: rule=momentum,adam.`,
    ],
  ])("of %s is refused in a sentence", (_, doing, said) => {
    expect(() => doing()).toThrow(new UserError(said));
    expect(() => doing()).toThrow(UserError);
  });
});

describe("trials", () => {
  test("follow from the seed, and more begin with the same", () => {
    const over = { lrG: { from: 1e-5, to: 1e-2 }, width: [8, 16, 32] };
    expect(draw(over, 4)).toEqual(draw(over, 9).slice(0, 4));
    expect(draw(over, 4, 1)).not.toEqual(draw(over, 4));
  });

  test("differ, and are no more than there are", () => {
    const trials = draw({ width: [8, 16], batch: { from: 3, to: 5 } }, 100);
    expect(trials.length).toBe(6);
    expect(new Set(trials.map((t) => JSON.stringify(t))).size).toBe(6);
  });

  test("are spread evenly: over decades, over numbers, over whole numbers with both ends, over values", () => {
    const n = 500;
    const share = (over: Record<string, Range>, holds: (value: number) => boolean): number =>
      draw(over, n).filter((t) => holds(Number(Object.values(t)[0]))).length / n;
    expect(share({ lrG: { from: 1e-5, to: 1e-2 } }, (v) => v < 1e-3)).toBeCloseTo(2 / 3, 1);
    expect(share({ beta1: { from: 0, to: 0.9 } }, (v) => v < 0.6)).toBeCloseTo(2 / 3, 1);
    const ends = drawTrials({
      space: space({ batch: { from: 2, to: 5 }, lrG: { from: 0, to: 1 } }),
      n,
      seed: 3,
    });
    for (const batch of [2, 3, 4, 5]) {
      expect(ends.filter((t) => t["batch"] === batch).length / n).toBeCloseTo(1 / 4, 1);
    }
    const width = draw({ width: [8, 16, 32], lrG: { from: 0, to: 1 } }, n);
    expect(width.filter((t) => t["width"] === 32).length / n).toBeCloseTo(1 / 3, 1);
  });

  test("stay in their range and have three figures", () => {
    for (const { lrG } of draw({ lrG: { from: 0.00123456, to: 0.0123466 } }, 50)) {
      expect(lrG).toBeGreaterThanOrEqual(0.00123456);
      expect(lrG).toBeLessThanOrEqual(0.0123466);
      expect(String(lrG)).toMatch(/^0\.0+\d{1,3}$/);
    }
  });
});
