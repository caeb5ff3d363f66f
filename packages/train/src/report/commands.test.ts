import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { shellWord } from "./commands.ts";

test("a shell gives every word back as it was", () => {
  const words = [
    "plain-1.0",
    "two words",
    "it's",
    '$HOME `id` "x"',
    "a\\b",
    "é ✓",
    "",
    "new\nline\t'\\",
  ];
  const out = execFileSync("bash", ["-c", `printf '%s\\0' ${words.map(shellWord).join(" ")}`]);
  expect(out.toString("utf8").split("\0").slice(0, -1)).toEqual(words);
});

test("words that need no quotes have none", () => {
  expect(["lr=0.0002", "64x64", "./my/birds"].map(shellWord)).toEqual([
    "lr=0.0002",
    "64x64",
    "./my/birds",
  ]);
});
