import { describe, expect, test } from "vitest";
import { interpret } from "../interpret.ts";
import { grad } from "../grad.ts";
import { full, input, scalar } from "../ops/leaf.ts";
import * as optim from "./optimizer.ts";

const shape = [3];
const begin = [0.5, -1, 2];
const grads = [
  [0.1, -2, 1e-3],
  [-0.3, 1, 0],
  [0.2, 0.5, -4],
];

/** The parameters after each of three updates, by the float64 definitions. */
function run(o: optim.Optimizer, lr: number, scalars: Record<string, number> = {}): number[][] {
  const names = ["param", "grad", ...o.slots];
  const leaves = Object.fromEntries(names.map((n) => [n, input(n, { shape })]));
  const numbers = Object.fromEntries(
    ["lr", "t", ...Object.keys(scalars)].map((n) => [n, input(n, { shape: [] })]),
  );
  const { param, grad } = leaves;
  const { lr: rate, t } = numbers;
  if (!param || !grad || !rate || !t) throw new TypeError("an input is missing");
  const next = o.update({ param, grad, slots: leaves, lr: rate, t, scalars: numbers });
  expect(Object.keys(next.slots)).toEqual(o.slots);
  const graph = {
    inputs: [...Object.values(leaves), ...Object.values(numbers)],
    outputs: { ...next.slots, param: next.param },
  };
  let state: Record<string, ArrayLike<number>> = { param: begin };
  for (const slot of o.slots) state[slot] = [0, 0, 0];
  return grads.map((g, k) => {
    const out = interpret(graph, { ...state, ...fed({ lr, t: k + 1, ...scalars }), grad: g });
    state = Object.fromEntries(Object.entries(out).map(([name, v]) => [name, v.data]));
    return Array.from(state["param"] ?? []);
  });
}
const fed = (numbers: Record<string, number>) =>
  Object.fromEntries(Object.entries(numbers).map(([name, v]) => [name, [v]]));

/** The same for one number at a time: `rule` gives the change from the gradients so far. */
const byHand = (rule: (p: number, gs: readonly number[]) => number): number[][] => {
  let params = begin;
  return grads.map((_, k) => {
    params = params.map((p, i) =>
      rule(
        p,
        grads.slice(0, k + 1).map((g) => g[i] ?? NaN),
      ),
    );
    return params;
  });
};
function expectClose(got: number[][], want: number[][]): void {
  want.flat().forEach((v, i) => expect(got.flat()[i]).toBeCloseTo(v, 9));
}
const last = (gs: readonly number[]): number => gs.at(-1) ?? NaN;
/** Sum of g_k f^(n - k), as a moving sum remembers. */
const remembered = (gs: readonly number[], f: number): number => gs.reduce((m, g) => m * f + g, 0);

test("sgd steps down the gradient; weight decay joins it", () => {
  expectClose(
    run(optim.sgd({ lr: 0 }), 0.1),
    byHand((p, gs) => p - 0.1 * last(gs)),
  );
  expectClose(
    run(optim.sgd({ lr: 0, weightDecay: 0.5 }), 0.1),
    byHand((p, gs) => p - 0.1 * (last(gs) + 0.5 * p)),
  );
});

test("momentum remembers the steps, not the gradients", () => {
  const got = run(optim.momentum({ lr: 0, momentum: 0.7 }), 0.1, { momentum: 0.7 });
  expectClose(
    got,
    byHand((p, gs) => p - 0.1 * remembered(gs, 0.7)),
  );
});

test("rmsprop divides by the root of the remembered squares", () => {
  const got = run(optim.rmsprop({ lr: 0, alpha: 0.9, eps: 1e-3 }), 0.1);
  const v = (gs: readonly number[]): number =>
    0.1 *
    remembered(
      gs.map((g) => g * g),
      0.9,
    );
  expectClose(
    got,
    byHand((p, gs) => p - (0.1 * last(gs)) / (Math.sqrt(v(gs)) + 1e-3)),
  );
});

/** Algorithm 1 of Kingma and Ba, word for word. */
function adamStep(gs: readonly number[], beta1: number, beta2: number, eps: number): number {
  const m = (1 - beta1) * remembered(gs, beta1);
  const v =
    (1 - beta2) *
    remembered(
      gs.map((g) => g * g),
      beta2,
    );
  const [mHat, vHat] = [m / (1 - beta1 ** gs.length), v / (1 - beta2 ** gs.length)];
  return mHat / (Math.sqrt(vHat) + eps);
}

describe("adam", () => {
  test.each([
    [0.9, 0.999, 1e-8],
    [0.5, 0.999, 1e-8],
    [0, 0.9, 1e-2],
  ])("beta1 %d, beta2 %d, eps %d: corrected moments", (beta1, beta2, eps) => {
    const o = optim.adam({ lr: 0, beta1, beta2, eps });
    expect(o.slots).toEqual(beta1 === 0 ? ["exp_avg_sq"] : ["exp_avg", "exp_avg_sq"]);
    expectClose(
      run(o, 0.01),
      byHand((p, gs) => p - 0.01 * adamStep(gs, beta1, beta2, eps)),
    );
  });
  test("the first step has the size of the learning rate", () => {
    const [first = []] = run(optim.adam({ lr: 0 }), 0.01);
    first.forEach((p, i) => {
      const g = grads[0]?.[i] ?? NaN;
      expect(p).toBeCloseTo((begin[i] ?? NaN) - 0.01 * Math.sign(g), 6);
    });
  });
  test("weight decay joins the gradient; adamW's shrinks the weight", () => {
    const decayed = run(optim.adam({ lr: 0, weightDecay: 0.1 }), 0.01)[0];
    const first = begin.map(
      (p, i) => p - 0.01 * adamStep([(grads[0]?.[i] ?? 0) + 0.1 * p], 0.9, 0.999, 1e-8),
    );
    expectClose([decayed ?? []], [first]);
    expectClose(
      run(optim.adamW({ lr: 0, weightDecay: 0.1 }), 0.01),
      byHand((p, gs) => p * (1 - 0.001) - 0.01 * adamStep(gs, 0.9, 0.999, 1e-8)),
    );
  });
});

test("clipByNorm scales all gradients together, and only long ones", () => {
  const [a, b] = [input("a", { shape: [1] }), input("b", { shape: [2] })];
  const [ca, cb] = optim.clipByNorm([a, b], 1);
  if (ca === undefined || cb === undefined) throw new TypeError("a gradient is missing");
  const clip = (x: number, y: number[]) =>
    interpret({ inputs: [a, b], outputs: { ca, cb } }, { a: [x], b: y });
  const long = clip(3, [0, 4]);
  expect(long["ca"]?.data[0]).toBeCloseTo(0.6, 6);
  expect(long["cb"]?.data[1]).toBeCloseTo(0.8, 6);
  const short = clip(0.3, [0, 0.4]);
  expect([short["ca"]?.data[0], short["cb"]?.data[1]]).toEqual([0.3, 0.4]);
});

describe("schedules", () => {
  const at = (schedule: optim.Schedule, clock: Partial<optim.Clock>): number =>
    optim.scheduled(schedule, { step: 0, nImages: 0, progress: 0, ...clock });
  test("a number stays", () => expect(at(3, { step: 9 })).toBe(3));
  test("linearDecay falls from start to end", () => {
    const s = optim.linearDecay({ from: 2, start: 0.5 });
    expect([0, 0.5, 0.75, 1, 2].map((progress) => at(s, { progress }))).toEqual([2, 2, 1, 0, 0]);
  });
  test("cosine goes along half a wave", () => {
    const s = optim.cosine({ from: 1, to: 0.2 });
    const values = [0, 1 / 3, 0.5, 1, 1.5].map((progress) => at(s, { progress }));
    [1, 0.8, 0.6, 0.2, 0.2].forEach((v, i) => expect(values[i]).toBeCloseTo(v, 12));
  });
  test("exponentialDecay multiplies at every step, down to its floor", () => {
    const s = optim.exponentialDecay({ from: 1, factor: 0.5, floor: 0.2 });
    expect([0, 1, 2, 3].map((step) => at(s, { step }))).toEqual([1, 0.5, 0.25, 0.2]);
  });
});

test("clipWeights moves what a rule leaves outside the bound onto it", () => {
  const got = run(optim.clipWeights({ rule: optim.sgd({ lr: 0 }), bound: 0.75 }), 0.1);
  const clip = (v: number): number => Math.min(Math.max(v, -0.75), 0.75);
  expectClose(
    got,
    byHand((p, gs) => clip(p - 0.1 * last(gs))),
  );
});

test("epsRoot is added under Adam's root, and makes its step differentiable where the gradient is zero", () => {
  const rule = optim.adam({ lr: 0, epsRoot: 1e-4 });
  const [param, g] = [input("param", { shape: [1] }), input("g", { shape: [1] })];
  const slots = { exp_avg: full([1], 0), exp_avg_sq: full([1], 0) };
  const next = rule.update({ param, grad: g, slots, lr: scalar(0.1), t: scalar(1), scalars: {} });
  const [slope = g] = grad(next.param, [g]);
  const at = (value: number) =>
    interpret(
      { inputs: [param, g], outputs: { p: next.param, slope } },
      { param: [0], g: [value] },
    );
  // m = 0.1 g, v = 0.001 g^2; the corrections are 0.1 and 0.001.
  const delta = (g: number): number =>
    (0.1 * Math.sqrt(0.001) * g) / (Math.sqrt(0.001 * g * g + 1e-4) + 1e-8 * Math.sqrt(0.001));
  expect(at(0.3)["p"]?.data[0]).toBeCloseTo(-delta(0.3), 9);
  const numeric = (delta(1e-5) - delta(-1e-5)) / 2e-5;
  expect(at(0)["slope"]?.data[0]).toBeCloseTo(-numeric, 6);
});
