import { expect, test } from "vitest";
import { keptApart } from "./run-data.ts";

test("what is kept apart goes by what was asked for, not by a name alone", () => {
  const apart = (request: Readonly<Record<string, number | string | Record<string, string>>>) =>
    keptApart({
      ...{ number: 1, name: "0001-x", dir: "runs/0001-x" },
      options: { recipe: "dcgan", data: "fashion-mnist", dataRequest: { data: request } },
    });
  expect(apart({ spec: "fashion-mnist" })).toBe(true);
  expect(apart({ spec: "fashion-mnist", select: { split: "train" } })).toBe(false);
  expect(apart({ spec: "../sets/fashion-mnist" })).toBe(false);
  expect(apart({ spec: "../sets/fashion-mnist", holdOut: 0.1 })).toBe(true);
});
