import { expect, test } from "vitest";
import { numbers, two, twos, values } from "./parse.ts";

const said = (work: () => unknown): string => {
  try {
    return JSON.stringify(work());
  } catch (error) {
    return String(error);
  }
};

test("lists of numbers", () => {
  expect(numbers("0-3,8, 5")).toEqual([0, 1, 2, 3, 8, 5]);
  for (const text of ["", "a", "3-1", "0-99999", "-1", "1.5"])
    expect(said(() => numbers(text))).toMatch(/numbers such as 0,2,5 or 0-3/);
  expect(values("0,0.5,-1")).toEqual([0, 0.5, -1]);
  for (const text of ["", "0,,1", "x"])
    expect(said(() => values(text))).toMatch(/numbers such as 0,0.5,1/);
});

test("pairs of names", () => {
  expect(two("woman, man")).toEqual(["woman", "man"]);
  expect(twos("c,d", [["a", "b"]])).toEqual([
    ["a", "b"],
    ["c", "d"],
  ]);
  for (const text of ["woman", "a,b,c", ",b"])
    expect(said(() => two(text))).toMatch(/two, with a comma between them/);
});
