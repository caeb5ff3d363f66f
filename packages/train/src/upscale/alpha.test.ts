import { expect, test } from "vitest";
import { spreadColours } from "./alpha.ts";

test("colours spread into what cannot be seen, as far as is asked", () => {
  const alpha = { data: Uint8Array.of(255, 0, 0, 0, 9), height: 1, width: 5 };
  const colours = Uint8Array.of(100, 7, 7, 7, 50, 30, 7, 7, 7, 40); // two channels
  const near = colours.slice();
  spreadColours(near, alpha, { passes: 1 });
  expect(Array.from(near)).toEqual([100, 100, 7, 50, 50, 30, 30, 7, 40, 40]);
  spreadColours(colours, alpha, { passes: 9 });
  expect(Array.from(colours)).toEqual([100, 100, 75, 50, 50, 30, 30, 35, 40, 40]);
});
