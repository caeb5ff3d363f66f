import {
  adam,
  interpret,
  mean,
  momentum,
  nn,
  sgd,
  type Layer,
  type Optimizer,
  type Tensor,
} from "@duelo/core";
import { describe, expect, test } from "vitest";
import { int } from "./options.ts";
import { image, label, recipe, vector, type Context, type Phase } from "./recipe.ts";
import { traceFunction, traceStep, type StepGraph } from "./trace.ts";

// A game of two numbers: G gives g for every z, D(x) is the mean of d x.
const one = nn.init.ones;
const G: Layer = (s, z) => s.param("g", { shape: [1], init: one }).mul(z);
const D: Layer = (s, x) => x.mul(s.param("d", { shape: [1], init: one }));

type Nets = { readonly G: (z: Tensor) => Tensor; readonly D: (x: Tensor) => Tensor };
type Inputs = { readonly x: Tensor; readonly z: Tensor };
const phaseD: Phase<Nets, Inputs> = {
  update: ["D"],
  loss: ({ G, D }, { x, z }) => ({
    loss: mean(D(G(z))).sub(mean(D(x))),
    log: { real: mean(D(x)) },
  }),
};
const phaseG: Phase<Nets, Inputs> = {
  update: ["G"],
  loss: ({ G, D }, { z }) => ({ loss: mean(D(G(z))).mul(-1) }),
};

const head = { name: "game", about: "", paper: "", sources: [], differences: [], presets: {} };
interface Changes {
  readonly phases?: readonly Phase<Nets, Inputs>[];
  readonly rule?: Optimizer;
  readonly D?: Layer;
  readonly ema?: number;
}
const game = (o: Changes = {}) =>
  recipe({
    ...head,
    data: { x: vector() },
    options: { batch: int({ default: 2, min: 1, max: 9, about: "", source: "" }) },
    nets: () => ({ G, D: o.D ?? D }),
    optimizer: () => ({ G: o.rule ?? sgd({ lr: 0.5 }), D: o.rule ?? sgd({ lr: 0.25 }) }),
    ema: () => ({ G: o.ema }),
    noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 1] } }),
    phases: () => o.phases ?? [phaseD, phaseG],
    sample: ({ G }, { z }) => G(z),
  });
const context = { batch: 2, shape: { x: [1] }, nClasses: 0 } as unknown as Context;
const step = (o?: Changes): StepGraph[] => traceStep(game(o), context);

function run({ graph }: StepGraph, feeds: Record<string, number[]>): Record<string, number[]> {
  const out = interpret(graph, feeds);
  return Object.fromEntries(Object.entries(out).map(([name, v]) => [name, [...v.data]]));
}
const x = [1, 3];
const z = [2, 4];
const first = {
  x,
  z,
  "D.d": [1],
  "G.g": [1],
  "slot.step/D": [0],
  "slot.step/G": [0],
  "lr/D": [0.25],
  "lr/G": [0.5],
};

describe("phases", () => {
  test("draw afresh and are graphs of their own, each with what it needs", () => {
    const [d, g] = step();
    expect(d).toMatchObject({ updates: ["D"], fields: ["x"], logs: ["loss/D", "real"] });
    expect(g).toMatchObject({ updates: ["G"], fields: [], logs: ["loss/G"] });
    expect([...(g?.noise.keys() ?? [])]).toEqual(["z"]);
    expect(Object.keys(d?.state ?? {})).toEqual(["slot.step/D", "D.d"]);
  });

  test("with the same draws are one graph, in which the second sees the first's update", () => {
    const [both, ...more] = step({ phases: [phaseD, { ...phaseG, draw: "same" }] });
    if (both === undefined) throw new TypeError("no graph");
    expect(more).toEqual([]);
    expect(both.updates).toEqual(["D", "G"]);
    const out = run(both, first);
    // loss D = d g 3 - d 2: d becomes 1 - 0.25 (3 - 2); loss G = -d g 3: g becomes 1 + 0.5 0.75 3.
    expect(out).toMatchObject({ "log:loss/D": [1], "log:real": [2], "next:D.d": [0.75] });
    expect(out).toMatchObject({ "log:loss/G": [-2.25], "next:G.g": [2.125] });
    expect(out).toMatchObject({ "next:slot.step/D": [1], "next:slot.step/G": [1] });
  });

  test("that train several nets move them all from the same forward pass", () => {
    const together: Phase<Nets, Inputs> = {
      update: ["D", "G"],
      loss: (nets, inputs) => ({
        loss: {
          D: phaseD.loss(nets, inputs, undefined as never, undefined as never).loss as Tensor,
          G: phaseG.loss(nets, inputs, undefined as never, undefined as never).loss as Tensor,
        },
      }),
    };
    const [both] = step({ phases: [together] });
    if (both === undefined) throw new TypeError("no graph");
    expect(run(both, first)).toMatchObject({ "next:D.d": [0.75], "next:G.g": [2.5] });
  });

  test("count: how often comes from the first of a graph", () => {
    const [d, g] = step({ phases: [{ ...phaseD, times: 5 }, phaseG] });
    expect([d?.times, g?.times]).toEqual([5, undefined]);
  });

  test("keep values of their own", () => {
    const counting: Phase<Nets, Inputs> = {
      update: ["G"],
      loss(nets, inputs, state) {
        const n = state.buffer("n", { shape: [], init: nn.init.zeros });
        state.setBuffer("n", n.add(1));
        return phaseG.loss(nets, inputs, state, undefined as never);
      },
    };
    const [g] = step({ phases: [counting] });
    if (g === undefined) throw new TypeError("no graph");
    expect(run(g, { ...first, "state.n": [6] })).toMatchObject({ "next:state.n": [7] });
  });
});

describe("nets", () => {
  const counted: Layer = (s, v) => {
    s.setBuffer("calls", s.buffer("calls", { shape: [], init: nn.init.zeros }).add(1));
    return D(s, v);
  };
  test("keep their buffers only in a phase that trains them, one count for each call", () => {
    const [d, g] = step({ D: counted });
    if (d === undefined || g === undefined) throw new TypeError("two graphs");
    expect(run(d, { ...first, "D.calls": [10] })).toMatchObject({ "next:D.calls": [12] });
    expect(g.state["D.calls"]).toBeUndefined();
  });
  test("are evaluated once for the same inputs and weights, random numbers included", () => {
    const noisy: Layer = nn.compose(D, nn.dropout({ p: 0.5 }));
    const [d] = step({ D: noisy });
    expect([...(d?.noise.keys() ?? [])].toSorted()).toEqual(["noise/D", "noise/D.1", "z"]);
    const [both] = step({ D: noisy, phases: [phaseD, { ...phaseG, draw: "same" }] });
    expect(both?.noise.has("noise/D.2")).toBe(true); // D has changed in between
  });
});

describe("optimisers", () => {
  test("keep slots by parameter and take their numbers from outside", () => {
    const [d] = step({ rule: momentum({ lr: 0.1, momentum: 0.9 }) });
    expect(Object.keys(d?.state ?? {})).toContain("slot.momentum_buffer/D.d");
    expect([...(d?.scalars.keys() ?? [])]).toEqual(["lr/D", "momentum/D"]);
    expect(d?.stateSpecs.get("slot.momentum_buffer/D.d")).toEqual({
      kind: "slot",
      shape: [1],
      init: "zeros",
    });
  });
  test("clip the gradients of a net together", () => {
    const [d] = step({ rule: sgd({ lr: 1, clipNorm: 0.1 }) });
    if (d === undefined) throw new TypeError("no graph");
    expect(run(d, { ...first, "lr/D": [1] })["next:D.d"]?.[0]).toBeCloseTo(0.9, 5);
  });
  test("count updates over the phases of one net", () => {
    const again: Phase<Nets, Inputs> = { ...phaseG, draw: "same" };
    const [g] = step({ rule: adam({ lr: 0.1 }), phases: [phaseG, again] });
    if (g === undefined) throw new TypeError("no graph");
    const slots = { "slot.exp_avg/G.g": [0], "slot.exp_avg_sq/G.g": [0] };
    const out = run(g, { ...first, ...slots, "lr/G": [0.1] });
    expect(out["next:slot.step/G"]).toEqual([2]);
    expect(out["next:G.g"]?.[0]).toBeCloseTo(1.2, 6); // two steps of one gradient, each of size lr
  });
});

describe("looking ahead", () => {
  // lossD = d g 3 - d 2, so each update of D by 0.25 gives d - 0.25 (3 g - 2), and G's loss -3 g d.
  const ahead = (steps: number): Phase<Nets, Inputs> => ({
    update: ["D", "G"],
    loss({ G, D }, { x, z }, _, lookAhead) {
      const lossD = () => mean(D(G(z))).sub(mean(D(x)));
      const lossG = () => mean(D(G(z))).mul(-1);
      return {
        loss: { D: lossD(), G: lookAhead({ net: "D", steps, loss: lossD, after: lossG }) },
        log: { later: lookAhead({ net: "D", steps, loss: lossD, after: () => mean(D(x)) }) },
      };
    },
  });
  test.each([0, 1, 3])("differentiates through %i updates and keeps none of them", (steps) => {
    const [both] = step({ phases: [ahead(steps)] });
    if (both === undefined) throw new TypeError("no graph");
    expect(Object.keys(both.state).toSorted()).toEqual(
      ["D.d", "G.g", "slot.step/D", "slot.step/G"].toSorted(),
    );
    const out = run(both, first);
    const d = (g: number): number => 1 - 0.25 * steps * (3 * g - 2);
    const slope = -3 * d(1) + 3 * 0.25 * steps * 3; // d/dg of -3 g d(g) at g = 1
    expect(out["log:loss/G"]?.[0]).toBeCloseTo(-3 * d(1), 12);
    expect(out["log:later"]?.[0]).toBeCloseTo(2 * d(1), 12);
    expect(out["next:G.g"]?.[0]).toBeCloseTo(1 - 0.5 * slope, 12);
    expect(out).toMatchObject({ "next:D.d": [0.75], "next:slot.step/D": [1] });
  });
  test("keeps no buffer of the net", () => {
    const counted: Layer = (s, v) => {
      s.setBuffer("calls", s.buffer("calls", { shape: [], init: nn.init.zeros }).add(1));
      return D(s, v);
    };
    const before = ahead(3);
    const phase: typeof before = {
      ...before,
      loss(nets, inputs, state, lookAhead) {
        const { loss } = before.loss(nets, inputs, state, lookAhead);
        return {
          loss,
          log: { real: mean(nets.D(inputs.x)), fake: mean(nets.D(nets.G(inputs.z))) },
        };
      },
    };
    const [both] = step({ phases: [phase], D: counted });
    if (both === undefined) throw new TypeError("no graph");
    // Two calls before looking ahead; those after it are the same two again, in another order.
    expect(run(both, { ...first, "D.calls": [10] })).toMatchObject({ "next:D.calls": [12] });
  });
  test("goes on from the slots that there are, and puts them back", () => {
    const [both] = step({ phases: [ahead(2)], rule: momentum({ lr: 0.1, momentum: 0.5 }) });
    if (both === undefined) throw new TypeError("no graph");
    const numbers = { "momentum/D": [0.5], "momentum/G": [0.5], "lr/D": [0.1], "lr/G": [0] };
    const slots = { "slot.momentum_buffer/D.d": [0.2], "slot.momentum_buffer/G.g": [0] };
    const out = run(both, { ...first, ...numbers, ...slots });
    const [b1, b2] = [0.5 * 0.2 - 0.1, 0.5 * (0.5 * 0.2 - 0.1) - 0.1]; // the gradient is 1
    expect(out["log:later"]?.[0]).toBeCloseTo(2 * (1 + b1 + b2), 12);
    expect(out["next:slot.momentum_buffer/D.d"]?.[0]).toBeCloseTo(b1, 12);
  });
});

describe("averages", () => {
  test("begin as the weights and feed the samples", () => {
    const [, g] = step({ ema: 0.9 });
    if (g === undefined) throw new TypeError("no graph");
    expect(g.stateSpecs.get("ema/G.g")).toMatchObject({ kind: "ema", init: { copy: "G.g" } });
    const out = run(g, { ...first, "ema/G": [0.9], "ema/G.g": [3] });
    expect(out["next:ema/G.g"]?.[0]).toBeCloseTo(0.9 * 3 + 0.1 * 2.5, 12); // g becomes 1 + 0.5 1 3
    expect([...traceFunction(game({ ema: 0.9 }), context).state]).toEqual([["G.g", "ema/G.g"]]);
    expect([...traceFunction(game(), context).state]).toEqual([["G.g", "G.g"]]);
  });
  test("halve what they were after log(1/2) / log(decay) steps", () => {
    const [, g] = step({ ema: 0.9 });
    if (g === undefined) throw new TypeError("no graph");
    let average = 1;
    const still = { ...first, "lr/G": [0], "ema/G": [0.5 ** (1 / 20)], "G.g": [0] };
    for (let k = 0; k < 20; k++)
      average = run(g, { ...still, "ema/G.g": [average] })["next:ema/G.g"]?.[0] ?? NaN;
    expect(average).toBeCloseTo(0.5, 12);
  });
});

test("pixels come as bytes and reach the range, labels as whole numbers", () => {
  const seen = recipe({
    ...head,
    data: { x: image({ range: [-1, 1], size: [1, 2] }), y: label() },
    options: {},
    nets: () => ({ D }),
    optimizer: () => ({ D: sgd({ lr: 1 }) }),
    noise: () => ({}),
    phases: () => [
      {
        update: ["D"],
        loss: ({ D }, { x, y }) => ({
          loss: mean(D(x)),
          log: { low: x.amin(), high: x.amax(), y: y.cast("float32").sum() },
        }),
      },
    ],
    sample: ({ D }, { x }) => D(x),
  });
  const [g] = traceStep(seen, {
    batch: 1,
    shape: { x: [1, 1, 2], y: [] },
    nClasses: 3,
  } as unknown as Context);
  if (g === undefined) throw new TypeError("no graph");
  expect(g.graph.inputs.map((t) => `${String(t.attrs["name"])} ${t.dtype}`)).toEqual(
    expect.arrayContaining(["x uint8", "y int32"]),
  );
  const out = run(g, { x: [0, 255], y: [2], "D.d": [1], "lr/D": [0], "slot.step/D": [0] });
  expect(out).toMatchObject({ "log:low": [-1], "log:high": [1], "log:y": [2] });
});

describe("what is refused", () => {
  test("a count beside shared draws", () => {
    const phases = [phaseD, { ...phaseG, draw: "same", times: 2 } as const];
    expect(() => step({ phases })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: phases: the phase that trains G has both draw: "same" and times. It runs as often as the phase before it; leave times out, or draw afresh.]`,
    );
  });
  test("a log of many numbers", () => {
    const each: Phase<Nets, Inputs> = {
      update: ["D"],
      loss: ({ D }, { x }) => ({ loss: mean(D(x)), log: { each: x } }),
    };
    expect(() => step({ phases: [each] })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: log: "each" has shape [2, 1], and only one number can be written down. Take its mean or its sum.]`,
    );
  });
  test("a net without a loss", () => {
    const forgotten: Phase<Nets, Inputs> = {
      update: ["D", "G"],
      loss: ({ D }, { x }) => ({ loss: { D: mean(D(x)) } }),
    };
    expect(() => step({ phases: [forgotten] })).toThrowErrorMatchingInlineSnapshot(
      `[UserError: phases: net "G" is trained and is given no loss.]`,
    );
  });
  test("a net without an optimiser", () => {
    const bare = { ...game(), optimizer: () => ({}) };
    expect(() => traceStep(bare, context)).toThrowErrorMatchingInlineSnapshot(
      `[UserError: phases: net "D" is trained and has no optimiser.]`,
    );
  });
});
