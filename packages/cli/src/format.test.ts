import { expect, test } from "vitest";
import { byteSize, count, duration, figures, plural, table, wrapped } from "./format.ts";

test("numbers as a person reads them", () => {
  expect([0, 999, 12345.6].map(count)).toEqual(["0", "999", "12,346"]);
  expect([1, 2000].map((n) => plural(n, "step"))).toEqual(["1 step", "2,000 steps"]);
  expect([0, 8.4, 59.6, 245, 7800, Number.NaN].map(duration)).toEqual([
    "0 s",
    "8 s",
    "1 m 00 s",
    "4 m 05 s",
    "2 h 10 m",
    "?",
  ]);
  expect([0, 512, 1500, 24e6, 1.2e9, 3e15].map(byteSize)).toEqual([
    "0 B",
    "512 B",
    "1.5 kB",
    "24 MB",
    "1.2 GB",
    "3000 TB",
  ]);
  expect([0, 0.01325, 1.2345, -13.48, 123.4, 12e6, 5.7e-4, Infinity].map(figures)).toEqual([
    "0.00",
    "0.0132",
    "1.23",
    "-13.5",
    "123",
    "1.2e+7",
    "5.7e-4",
    "Infinity",
  ]);
});

test("columns keep their place, and no line ends in a blank", () => {
  expect(
    table(
      [
        ["a", "bb", "x"],
        ["ccc", "d", ""],
      ],
      "  ",
    ),
  ).toBe("  a    bb  x\n  ccc  d\n");
  expect(table([])).toBe("");
});

test("long text is broken between words, under its first line", () => {
  expect(wrapped("one two three four", { first: "- ", width: 10 })).toBe(
    "- one two\n  three\n  four\n",
  );
  expect(wrapped("incomprehensibilities", { width: 5 })).toBe("incomprehensibilities\n");
});
