import { mean, nn, sgd } from "@duelo/core";
import { flag, int, recipe, vector, type Context } from "@duelo/zoo";
import { expect, test } from "vitest";
import { standingState } from "./standing.ts";

const std = 3;

/** G multiplies noise by 3 and adds 5, then norms it. */
const normed = recipe({
  ...{ name: "normed", about: "", paper: "", sources: [], differences: [] },
  data: { x: vector() },
  options: {
    batch: int({ default: 64, min: 1, max: 99, about: "", source: "" }),
    average: flag({ default: false, about: "", source: "" }),
  },
  presets: { only: { about: "", steps: 1 } },
  nets: () => ({
    G: nn.chain(
      nn.linear({
        out: 2,
        init: () => Float32Array.of(std, 0, 0, std),
        biasInit: () => Float32Array.of(5, 5),
      }),
      nn.batchNorm({ affine: false }),
    ),
  }),
  optimizer: () => ({ G: sgd({ lr: 0 }) }),
  ema: (c) => (c.average ? { G: 0.5 } : {}),
  standing: 50,
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
  phases: () => [{ update: ["G"], loss: ({ G }, { z }) => ({ loss: mean(G(z)) }) }],
  sample: ({ G }, { z }) => G(z),
});

const weight = (data: readonly number[], shape = [data.length]) =>
  ({ dtype: "float32", shape, data: Float32Array.from(data) }) as const;
const state = {
  "G.0.weight": weight([std, 0, 0, std], [2, 2]),
  "G.0.bias": weight([5, 5]),
  "G.1.running_mean": weight([0, 0]),
  "G.1.running_var": weight([1, 1]),
};
const context = (average: boolean): Context =>
  ({ batch: 64, average, shape: { x: [2] }, nClasses: 0 }) as unknown as Context;
const taken = async (parts: Omit<Parameters<typeof standingState>[0], "recipe" | "context">) => {
  const found = await standingState({ recipe: normed, context: context(false), ...parts });
  return ["G.1.running_mean", "G.1.running_var"].map((name) => found[name]?.data[0] ?? NaN);
};

test("statistics stand for many batches, with nothing of those that were there", async () => {
  const [mu = NaN, variance = NaN] = await taken({ state });
  // Of 3,200 draws: 5 standard errors are 0.27 and 2.4.
  expect(Math.abs(mu - 5)).toBeLessThan(0.27);
  expect(Math.abs(variance - std ** 2)).toBeLessThan(2.4);
  const far = { ...state, "G.1.running_mean": weight([1e6, 1e6]) };
  expect((await taken({ state: far }))[0]).toBe(mu);
});

test("and for the truncation that samples will have", async () => {
  const [, variance = NaN] = await taken({ state, truncation: 0.5 });
  expect(Math.abs(variance / std ** 2 - 0.0806)).toBeLessThan(0.01); // of a normal number within half
});

test("averaged weights make them, where there are any", async () => {
  const averaged = {
    ...state,
    "ema/G.0.weight": state["G.0.weight"],
    "ema/G.0.bias": weight([-7, 5]),
  };
  const found = await standingState({ recipe: normed, context: context(true), state: averaged });
  expect(found["G.1.running_mean"]?.data[0]).toBeCloseTo(-7, 0);
});

test("other recipes keep their state as it is", async () => {
  const { standing: _, ...plain } = normed;
  expect(await standingState({ recipe: plain, context: context(false), state })).toBe(state);
});
