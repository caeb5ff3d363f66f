import { constant, interpret, type Tensor } from "@duelo/core";
import { expect, test } from "vitest";
import { minibatchStddev } from "./minibatch.ts";

const run = (data: readonly number[], shape: readonly number[], group: number) => {
  const y: Tensor = minibatchStddev(constant([...data], { shape }), { group });
  return { shape: y.shape, data: interpret({ inputs: [], outputs: { y } }, {})["y"]?.data ?? [] };
};

test("of samples that are all the same is the root of 1e-8", () => {
  const { shape, data } = run(
    Array.from({ length: 16 }, (_, i) => i % 4),
    [4, 1, 2, 2],
    4,
  );
  expect(shape).toEqual([4, 2, 2, 2]);
  expect(data[4]).toBeCloseTo(1e-4, 9);
});

test("is the deviation over a group, averaged over channels and places, for every member", () => {
  const { data } = run([0, 0, 2, 6], [4, 1, 1, 1], 2); // groups (0, 2) and (0, 6)
  expect([1, 3, 5, 7].map((i) => Number(data[i]?.toFixed(6)))).toEqual([1, 3, 1, 3]);
});
