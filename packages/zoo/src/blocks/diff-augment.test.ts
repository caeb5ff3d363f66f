import { constant, tanh, type Scope, type Tensor } from "@duelo/core";
import { describe, expect, test } from "vitest";
import { checkGrad } from "../../../core/src/testing/check-grad.ts";
import { randomArray, runLayer } from "../../../core/src/testing/run-layer.ts";
import { diffAugment } from "./diff-augment.ts";

const shape = [2, 3, 8, 8];
const x = randomArray(shape, 1);
const at = (data: ArrayLike<number>, n: number, c: number, i: number, j: number): number =>
  i < 0 || j < 0 || i > 7 || j > 7 ? 0 : (data[((n * 3 + c) * 8 + i) * 8 + j] ?? NaN);
const everywhere = (f: (n: number, c: number, i: number, j: number) => number): number[] =>
  [0, 1].flatMap((n) =>
    [0, 1, 2].flatMap((c) =>
      Array.from({ length: 64 }, (_, k) => f(n, c, Math.floor(k / 8), k % 8)),
    ),
  );
const same = (values: number) => [values, values];
/** Draws that leave colours as they are. */
const calm = {
  "noise/net.color": same(0),
  "noise/net.color.1": same(1),
  "noise/net.color.2": same(1),
};

function expectClose(got: ArrayLike<number>, want: readonly number[]): void {
  want.forEach((v, i) => expect(got[i]).toBeCloseTo(v, 9));
}

describe("diffAugment", () => {
  test("without a policy is the identity and draws nothing", () => {
    const run = runLayer(diffAugment({ policy: "none" }), [x]);
    expectClose(run.y.data, [...x.data]);
    expect(run.noise).toEqual([]);
  });

  test("adds brightness, then stretches from grey, then from the mean; a draw for each sample", () => {
    const [b, sat, con] = [
      [0.2, -0.4],
      [0.5, 1.7],
      [1.2, 0.6],
    ];
    const values = {
      "noise/net.color": b ?? [],
      "noise/net.color.1": sat ?? [],
      "noise/net.color.2": con ?? [],
    };
    const { y } = runLayer(diffAugment({ policy: "color" }), [x], { values });
    const bright = (n: number, c: number, i: number, j: number): number =>
      at(x.data, n, c, i, j) + (b?.[n] ?? 0);
    const saturated = (n: number, c: number, i: number, j: number): number => {
      const grey = (bright(n, 0, i, j) + bright(n, 1, i, j) + bright(n, 2, i, j)) / 3;
      return (bright(n, c, i, j) - grey) * (sat?.[n] ?? 0) + grey;
    };
    const level = [0, 1].map((n) => {
      const all = everywhere(saturated).slice(n * 192, (n + 1) * 192);
      return all.reduce((sum, v) => sum + v, 0) / 192;
    });
    expectClose(
      y.data,
      everywhere((n, c, i, j) => {
        const mean = level[n] ?? 0;
        return (saturated(n, c, i, j) - mean) * (con?.[n] ?? 0) + mean;
      }),
    );
  });

  test("moves each sample by whole pixels, by at most an eighth of its sides, and fills with 0", () => {
    // Draws 0, 1, 2 are shifts -1, 0, 1.
    const values = { ...calm, "noise/net.translation": [0, 2], "noise/net.translation.1": [1, 0] };
    const { y } = runLayer(diffAugment({ policy: "color+translation" }), [x], { values });
    expectClose(
      y.data,
      everywhere((n, c, i, j) =>
        n === 0 ? at(x.data, 0, c, i - 1, j) : at(x.data, 1, c, i + 1, j - 1),
      ),
    );
  });

  test("cuts a square of half the side, which may hang over the edge", () => {
    const values = {
      ...calm,
      "noise/net.translation": same(1),
      "noise/net.translation.1": same(1),
      "noise/net.cutout": [0, 8], // rows -2 to 1 and 6 to 9
      "noise/net.cutout.1": [3, 5], // columns 1 to 4 and 3 to 6
    };
    const { y } = runLayer(diffAugment({ policy: "color+translation+cutout" }), [x], { values });
    const inside = (n: number, i: number, j: number): boolean =>
      n === 0 ? i <= 1 && j >= 1 && j <= 4 : i >= 6 && j >= 3 && j <= 6;
    expectClose(
      y.data,
      everywhere((n, c, i, j) => (inside(n, i, j) ? 0 : at(x.data, n, c, i, j))),
    );
  });

  test("can be differentiated twice", () => {
    const draws = {
      uniform: [0.3, 0.8],
      ints: [0, 2],
    };
    /** A scope whose every draw is the same, so that the case has no other input than x. */
    const stand: unknown = {
      child: (_: string, f: (s: unknown) => Tensor) => f(stand),
      noise: ({ kind, shape }: { kind: "uniform" | "ints"; shape: readonly number[] }) =>
        constant(draws[kind], { shape, dtype: kind === "ints" ? "int32" : "float32" }),
    };
    const augment = diffAugment({ policy: "color+translation+cutout" });
    checkGrad({
      name: "tanh of an augmented image",
      inputs: { x: { shape: [2, 2, 4, 4] } },
      smooth: true,
      build: ({ x }) => {
        if (x === undefined) throw new TypeError("no x");
        return tanh(augment(stand as Scope, x));
      },
    });
  });
});
