import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { shellWord, trainCommand } from "./commands.ts";
import type { ReportOptions } from "./run-record.ts";

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

describe("the command of a run", () => {
  const run = {
    ...{ recipe: "pix2pix", data: "photos", preset: "small", seed: 1, device: "cpu", threads: 2 },
    ...{ about: undefined, paper: undefined, nRecords: 8, classes: [], versions: {} },
    ...{ options: { batch: 4 }, budget: { steps: 5 }, evaluate: {}, onDivergence: undefined },
    ...{ dataSettings: { fit: "crop" }, select: {}, shape: [1, 32, 32] },
  };
  const spoken = (dataRequest: ReportOptions["dataRequest"]): string =>
    trainCommand({ ...run, dataRequest }).replaceAll(" \\\n ", "");

  test("names both sets, what was derived, and what was left out", () => {
    const size = { height: 32, width: 32, channels: 1 };
    const spec = "./my photos";
    expect(
      spoken({ data: { ...size, spec, flip: false, pair: { derive: "grey", channels: 3 } } }),
    ).toBe(
      "duelo train pix2pix --data './my photos' --size 32x32 --channels 1 --fit crop --no-flip --jitter 0 --to-channels 3 --derive grey --preset small --set batch=4 --steps 5 --seed 1 --device cpu --threads 2",
    );
    const [a, b] = [
      { ...size, spec: "emoji", select: { group: "flags" }, flip: true, jitter: 4, holdOut: 0.1 },
      { ...size, spec: "../b", select: { group: "objects" } },
    ];
    expect(spoken({ A: a, B: b })).toBe(
      "duelo train pix2pix --data emoji --select group=flags --size 32x32 --channels 1 --fit crop --hold-out 0.1 --flip --jitter 4 --to ../b --to-select group=objects --to-channels 1 --preset small --set batch=4 --steps 5 --seed 1 --device cpu --threads 2",
    );
  });
});

test("words that need no quotes have none", () => {
  expect(["lr=0.0002", "64x64", "./my/birds"].map(shellWord)).toEqual([
    "lr=0.0002",
    "64x64",
    "./my/birds",
  ]);
});
