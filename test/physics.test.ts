import {
  grad,
  mean,
  nn,
  optimize,
  sgd,
  softplus,
  square,
  sum,
  type Layer,
  type Tensor,
} from "@duelo/core";
import { openRuntime } from "@duelo/runtime";
import { initialState } from "@duelo/train";
import { findRecipe, number, recipe, resolveOptions, vector, type Context } from "@duelo/zoo";
import { expect, test } from "vitest";
import { begun, runGraph, traced, type Values } from "./step.ts";

/*
 * The Dirac-GAN (Mescheder, Geiger, Nowozin 2018, Section 2): all data at 0, G(z) = theta and
 * D(x) = psi x. Gradient descent on it is a recurrence of two numbers, and for the Wasserstein game
 * one with a closed form.
 */
interface Game {
  readonly order: "simultaneous" | "alternating";
  readonly lossD: (real: Tensor, fake: Tensor) => Tensor;
  readonly lossG: (fake: Tensor) => Tensor;
  /** Weight of R1, gamma / 2 |grad D|^2 at the data. */
  readonly gamma: number;
}
const wasserstein = {
  lossD: (real: Tensor, fake: Tensor): Tensor => mean(fake).sub(mean(real)),
  lossG: (fake: Tensor): Tensor => mean(fake).mul(-1),
};
const nonSaturating = {
  lossD: (real: Tensor, fake: Tensor): Tensor =>
    mean(softplus(real.mul(-1))).add(mean(softplus(fake))),
  lossG: (fake: Tensor): Tensor => mean(softplus(fake.mul(-1))),
};

const start = { theta: 1, psi: 0.5 };
const h = 0.1;
const nSteps = 400;

function lossD(
  { lossD, gamma }: Game,
  { D, x, fake }: { D: (x: Tensor) => Tensor; x: Tensor; fake: Tensor },
): Tensor {
  const loss = lossD(D(x), D(fake));
  if (gamma === 0) return loss;
  const [g = x] = grad(D(x), [x]);
  return loss.add(mean(sum(square(g), { axes: [1] })).mul(gamma / 2));
}

const dirac = (game: Game) =>
  recipe({
    name: "dirac",
    about: "two numbers",
    paper: "arXiv:1801.04406",
    sources: [],
    differences: [],
    data: { x: vector() },
    options: { lr: number({ default: h, min: 0, max: 1, about: "", source: "" }) },
    presets: {},
    nets: () => {
      const G: Layer = (s, z) =>
        s.param("theta", { shape: [1, 1], init: nn.init.constantOf(start.theta) }).expand(z.shape);
      const D: Layer = (s, x) =>
        x.mul(s.param("psi", { shape: [1], init: nn.init.constantOf(start.psi) }));
      return { G, D };
    },
    optimizer: (c) => ({ G: sgd({ lr: c.lr }), D: sgd({ lr: c.lr }) }),
    noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 1] } }),
    phases: () =>
      game.order === "simultaneous"
        ? [
            {
              update: ["D", "G"],
              loss: ({ G, D }, { x, z }) => ({
                loss: { D: lossD(game, { D, x, fake: G(z) }), G: game.lossG(D(G(z))) },
              }),
            },
          ]
        : [
            {
              update: ["D"],
              loss: ({ G, D }, { x, z }) => ({ loss: lossD(game, { D, x, fake: G(z) }) }),
            },
            {
              update: ["G"],
              draw: "same",
              loss: ({ G, D }, { z }) => ({ loss: game.lossG(D(G(z))) }),
            },
          ],
    sample: ({ G }, { z }) => G(z),
  });

interface Point {
  readonly theta: number;
  readonly psi: number;
}
const sigmoid = (t: number): number => 1 / (1 + Math.exp(-t));

/** The recurrence written out: D descends first, G sees the old or the new D. */
function recurrence(
  o: Pick<Game, "order" | "gamma">,
  slopes: { D: (t: number) => number; G: (t: number) => number },
): Point[] {
  const points: Point[] = [];
  let { theta, psi } = start;
  for (let k = 0; k < nSteps; k++) {
    const moved = psi - h * (slopes.D(psi * theta) * theta + o.gamma * psi);
    const seen = o.order === "simultaneous" ? psi : moved;
    theta += h * slopes.G(seen * theta) * seen;
    psi = moved;
    points.push({ theta, psi });
  }
  return points;
}

/** (theta, psi) turned by the map of one step, k times: growth^k and an angle of k phi. */
function closedForm(order: Game["order"]): Point[] {
  return Array.from({ length: nSteps }, (_, i) => {
    const k = i + 1;
    if (order === "simultaneous") {
      // theta + i psi times (1 - i h) at every step.
      const [growth, phi] = [(1 + h * h) ** (k / 2), k * Math.atan(h)];
      return {
        theta: growth * (start.theta * Math.cos(phi) + start.psi * Math.sin(phi)),
        psi: growth * (start.psi * Math.cos(phi) - start.theta * Math.sin(phi)),
      };
    }
    // The step's matrix M has determinant 1 and trace 2 - h^2 = 2 cos(phi), so
    // M^k = (sin(k phi) M - sin((k - 1) phi) I) / sin(phi).
    const phi = Math.acos(1 - (h * h) / 2);
    const [a, b] = [Math.sin(k * phi) / Math.sin(phi), Math.sin((k - 1) * phi) / Math.sin(phi)];
    const psi1 = start.psi - h * start.theta;
    const theta1 = start.theta + h * psi1;
    return { theta: a * theta1 - b * start.theta, psi: a * psi1 - b * start.psi };
  });
}

const context = { lr: h, batch: 2, shape: { x: [1] }, nClasses: 0 } as unknown as Context;
const feeds = (lr: number): Values => ({ x: [0, 0], z: [0.3, -1], "lr/D": [lr], "lr/G": [lr] });

/** The trajectory of the traced step by the float64 definitions. */
function trained(game: Game): Point[] {
  const step = traced(dirac(game), context);
  let state = begun(step, 0);
  return Array.from({ length: nSteps }, () => {
    for (const graph of step.graphs) state = runGraph(graph, state, feeds(h)).after;
    return { theta: state["G.theta"]?.[0] ?? NaN, psi: state["D.psi"]?.[0] ?? NaN };
  });
}

function expectClose(got: readonly Point[], want: readonly Point[], tolerance: number): void {
  const worst = want.reduce((m, p, i) => {
    const q = got[i];
    const size = Math.hypot(p.theta, p.psi, 1e-3);
    return Math.max(m, Math.hypot((q?.theta ?? NaN) - p.theta, (q?.psi ?? NaN) - p.psi) / size);
  }, 0);
  expect(got.length).toBe(want.length);
  expect(worst).toBeLessThan(tolerance);
}
const radius = (p: Point | undefined): number => Math.hypot(p?.theta ?? NaN, p?.psi ?? NaN);

const orders = ["simultaneous", "alternating"] as const;
const games = {
  wasserstein: { losses: wasserstein, slopes: { D: () => 1, G: () => 1 } },
  nonSaturating: { losses: nonSaturating, slopes: { D: sigmoid, G: (t: number) => sigmoid(-t) } },
};

test.each(orders)("the Wasserstein game, %s, follows its closed form", (order) => {
  const got = trained({ order, ...wasserstein, gamma: 0 });
  expectClose(got, closedForm(order), 1e-10);
  // Simultaneous steps spiral outwards for ever; turns stay on an ellipse (Section 2.1).
  const last = radius(got.at(-1));
  if (order === "simultaneous") expect(last).toBeGreaterThan(5);
  else expect(got.every((p) => radius(p) > 1 && radius(p) < 1.3)).toBe(true);
});

const all = orders.flatMap((order) =>
  [0, 1].flatMap((gamma) =>
    (["wasserstein", "nonSaturating"] as const).map((name) => ({ order, gamma, name })),
  ),
);
test.each(all)(
  "the $name game, $order, R1 $gamma, follows its recurrence",
  ({ order, gamma, name }) => {
    const { losses, slopes } = games[name];
    const got = trained({ order, gamma, ...losses });
    expectClose(got, recurrence({ order, gamma }, slopes), 1e-9);
    if (gamma > 0) expect(radius(got.at(-1))).toBeLessThan(0.01); // R1 makes it converge (Section 4.1)
    else expect(radius(got.at(-1))).toBeGreaterThan(0.4); // without it, slowly or not at all
  },
);

test("ONNX Runtime stays on the trajectory to float32's accuracy", async () => {
  const game: Game = { order: "alternating", ...nonSaturating, gamma: 0.2 };
  const runtime = await openRuntime({ threads: 1 });
  const { graphs, specs } = traced(dirac(game), context);
  const state = runtime.createState(initialState(specs, 0));
  const programs = await Promise.all(
    graphs.map((g) => runtime.compile(optimize(g.graph), { state: g.state })),
  );
  const fed = {
    x: { dtype: "float32", shape: [2, 1], data: new Float32Array(2) },
    z: { dtype: "float32", shape: [2, 1], data: Float32Array.of(0.3, -1) },
    "lr/D": { dtype: "float32", shape: [], data: Float32Array.of(h) },
    "lr/G": { dtype: "float32", shape: [], data: Float32Array.of(h) },
  } as const;
  const got: Point[] = [];
  for (let k = 0; k < nSteps; k++) {
    for (const program of programs) await program.run(fed, state);
    const now = await state.read(["G.theta", "D.psi"]);
    got.push({ theta: now["G.theta"]?.data[0] ?? NaN, psi: now["D.psi"]?.data[0] ?? NaN });
  }
  expectClose(got, recurrence(game, games.nonSaturating.slopes), 1e-4);
  await runtime.close();
});

test("R1 of a linear D is gamma / 2 |w|^2", () => {
  const game: Game = { order: "simultaneous", ...wasserstein, gamma: 3 };
  const { graphs } = traced(dirac(game), context);
  const [graph] = graphs;
  if (graph === undefined) throw new TypeError("no graph");
  const { outputs } = runGraph(
    graph,
    { "G.theta": [0], "D.psi": [-2], "slot.step/G": [0], "slot.step/D": [0] },
    feeds(h),
  );
  expect(outputs["log:loss/D"]?.[0]).toBeCloseTo((3 / 2) * 4, 12);
});

test("WGAN-GP's penalty of a linear D is (|w| - 1)^2", () => {
  const wgan = findRecipe("wgan-gp-2d");
  const options = resolveOptions(wgan.options, { batch: 3, width: 2, lambda: 10 });
  const c = { ...options, shape: { x: [2] }, nClasses: 0 } as unknown as Context;
  const step = traced(wgan, c);
  const [graph] = step.graphs;
  if (graph === undefined) throw new TypeError("no graph");
  // Biases so large that no unit of D is ever off: D is the product of its matrices.
  const state: Values = {
    ...begun(step, 1),
    "D.0.weight": [1, 2, 0, -1],
    "D.0.bias": [100, 100],
    "D.2.weight": [0.5, 0, 1, 1],
    "D.2.bias": [100, 100],
    "D.4.weight": [1, 0, 0, 2],
    "D.4.bias": [100, 1000],
    "D.6.weight": [0.3, -0.2],
  };
  const given: Values = {
    x: [0.1, 0.2, -0.3, 0.4, 0.5, -0.6],
    z: [0.3, -1, 0, 2, 1, 1],
    eps: [0.2, 0.7, 1],
    "lr/D": [1e-4],
  };
  const { outputs } = runGraph(graph, state, given);
  // (0.3, -0.2) diag(1, 2) [[0.5, 0], [1, 1]] [[1, 2], [0, -1]]
  const w = [-0.25, -0.1];
  const penalty = (Math.hypot(...w) - 1) ** 2;
  expect(outputs["log:D/penalty"]?.[0]).toBeCloseTo(penalty, 9);
  const distance = (outputs["log:D/real"]?.[0] ?? NaN) - (outputs["log:D/fake"]?.[0] ?? NaN);
  expect(outputs["log:D/distance"]?.[0]).toBeCloseTo(distance, 9);
  expect(outputs["log:loss/D"]?.[0]).toBeCloseTo(10 * penalty - distance, 9);
});
