import { describe, expect, test } from "vitest";
import { philox4x32 } from "./philox.ts";

const hex = (words: Uint32Array) =>
  Array.from(words, (w) => w.toString(16).padStart(8, "0")).join(" ");

describe("Philox4x32-10", () => {
  // The three known answers that Random123 publishes for philox4x32, 10 rounds.
  test.each([
    [[0, 0, 0, 0], [0, 0], "6627e8d5 e169c58d bc57ac4c 9b00dbd8"],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      "408f276d 41c83b0e a20bc7c6 6d5451fd",
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      "d16cfe09 94fdcceb 5001e420 24126ea1",
    ],
  ] as const)("counter %j, key %j", (counter, k, answer) => {
    expect(hex(philox4x32(counter, k))).toBe(answer);
  });
});
