import { expect, test } from "vitest";
import { drawRows, drawRowsAgain, halves } from "./draw.ts";

const draw = { of: 100, seed: 3, purpose: "test" };

test("rows drawn without return differ, and every one can come", () => {
  const rows = drawRows({ ...draw, n: 100 });
  expect(new Set(rows).size).toBe(100);
  const seen = new Map<number, number>();
  for (let counter = 0; counter < 400; counter++) {
    for (const row of drawRows({ n: 2, of: 5, seed: 1, purpose: "test", counter })) {
      seen.set(row, (seen.get(row) ?? 0) + 1);
    }
  }
  // 160 of each are expected, give or take 10.
  for (let row = 0; row < 5; row++) expect(Math.abs((seen.get(row) ?? 0) - 160)).toBeLessThan(50);
});

test("a draw follows from seed, purpose and counter", () => {
  const rows = drawRows({ ...draw, n: 10 });
  expect(drawRows({ ...draw, n: 10 })).toEqual(rows);
  expect(drawRows({ ...draw, n: 10, seed: 4 })).not.toEqual(rows);
  expect(drawRows({ ...draw, n: 10, counter: 1 })).not.toEqual(rows);
  expect(drawRows({ ...draw, n: 10, purpose: "other" })).not.toEqual(rows);
  expect(() => drawRows({ ...draw, n: 101 })).toThrow(RangeError);
});

test("rows drawn with return repeat", () => {
  const distinct = new Set(drawRowsAgain({ ...draw, of: 1000, n: 1000 })).size;
  expect(Math.abs(distinct - 632)).toBeLessThan(50); // 1000 (1 - 1 / e)
});

test("halves are disjoint and of one size", () => {
  const { first, second } = halves({ rows: 101 });
  expect([first.length, second.length]).toEqual([50, 50]);
  expect(new Set([...first, ...second]).size).toBe(100);
  expect(() => halves({ rows: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[UserError: A split into halves needs at least 2 real samples, and there is 1.]`,
  );
});
