import { expect, test } from "vitest";
import { walk } from "./path.ts";

test("a closed walk comes back, an open one has both stops of every leg", () => {
  const between = (a: number, b: number, t: number): number => a + t * (b - a);
  const stops = [0, 4, 10];
  expect(walk({ stops, nFrames: 2, closed: false, between })).toEqual([0, 2, 4, 4, 7, 10]);
  expect(walk({ stops, nFrames: 2, closed: true, between })).toEqual([0, 2, 4, 7, 10, 5]);
});
