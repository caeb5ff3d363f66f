import { constant, interpret, type Tensor } from "@duelo/core";
import { expect, test } from "vitest";
import { bceFake, bceReal, hinge, pairing } from "./losses.ts";

const [r, f] = [
  [0.5, -2, 3],
  [-1, 0.25, 1.5],
];
const tensor = (v: readonly number[] = []): Tensor => constant([...v], { shape: [3, 1] });
const valueOf = (loss: Tensor): number =>
  interpret({ inputs: [], outputs: { loss } }, {})["loss"]?.data[0] ?? NaN;
const mean = (g: (i: number) => number): number => (g(0) + g(1) + g(2)) / 3;
const at = (v: readonly number[] | undefined, i: number): number => v?.[i] ?? NaN;
const sigmoid = (t: number): number => 1 / (1 + Math.exp(-t));

test("cross entropy, with a label for data that may be smoothed", () => {
  expect(valueOf(bceReal(tensor(r)))).toBeCloseTo(
    mean((i) => -Math.log(sigmoid(at(r, i)))),
    6,
  );
  expect(valueOf(bceFake(tensor(f)))).toBeCloseTo(
    mean((i) => -Math.log(1 - sigmoid(at(f, i)))),
    6,
  );
  const smooth = (t: number): number => -0.9 * Math.log(sigmoid(t)) - 0.1 * Math.log(sigmoid(-t));
  expect(valueOf(bceReal(tensor(r), { target: 0.9 }))).toBeCloseTo(
    mean((i) => smooth(at(r, i))),
    6,
  );
});

test("hinge is flat beyond the margin", () => {
  const want = mean((i) => Math.max(0, 1 - at(r, i)) + Math.max(0, 1 + at(f, i)));
  expect(valueOf(hinge({ real: tensor(r), fake: tensor(f) }))).toBeCloseTo(want, 6);
});

test("pairing compares sample i with sample i", () => {
  const want = mean((i) => -Math.log(sigmoid(at(r, i) - at(f, i))));
  expect(valueOf(pairing({ better: tensor(r), worse: tensor(f) }))).toBeCloseTo(want, 6);
});
