import { expect, test } from "vitest";
import { firstStepsFor, ranked, roundsOf, stepsOfAll } from "./halving.ts";

test("each round has a third of the trials and three times the steps", () => {
  expect(roundsOf({ nTrials: 9, firstSteps: 100 })).toEqual([
    { nTrials: 9, steps: 100 },
    { nTrials: 3, steps: 300 },
    { nTrials: 1, steps: 900 },
  ]);
  expect(roundsOf({ nTrials: 17, firstSteps: 1 }).map((r) => r.nTrials)).toEqual([17, 5, 1]);
  expect(roundsOf({ nTrials: 2, firstSteps: 1 }).map((r) => r.nTrials)).toEqual([2, 1]);
  expect(roundsOf({ nTrials: 1, firstSteps: 5 })).toEqual([{ nTrials: 1, steps: 5 }]);
});

test("steps of all rounds count what goes on from where it stood once", () => {
  expect(stepsOfAll(roundsOf({ nTrials: 9, firstSteps: 100 }))).toBe(900 + 3 * 200 + 600);
});

test("the first steps are such that the last round reaches the steps wanted", () => {
  expect(firstStepsFor({ nTrials: 9, lastSteps: 900 })).toBe(100);
  expect(firstStepsFor({ nTrials: 9, lastSteps: 901 })).toBe(101);
  expect(firstStepsFor({ nTrials: 1, lastSteps: 7 })).toBe(7);
});

test("the best comes first, failures last, equals by number", () => {
  const scored = [
    { trial: 1, value: 2 },
    { trial: 2, value: undefined },
    { trial: 3, value: 1 },
    { trial: 4, value: Number.NaN },
    { trial: 5, value: 2 },
  ];
  const order = (better: "higher" | "lower") => ranked(scored, better).map((s) => s.trial);
  expect(order("lower")).toEqual([3, 1, 5, 2, 4]);
  expect(order("higher")).toEqual([1, 5, 3, 2, 4]);
});
