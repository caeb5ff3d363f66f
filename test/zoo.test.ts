import {
  interpret,
  nn,
  optimize,
  print,
  scheduled,
  sgd,
  sizeOf,
  type NoiseSpec,
} from "@duelo/core";
import { openRuntime, type HostTensor, type Runtime } from "@duelo/runtime";
import { buildModel, Feeder, type Dataset } from "@duelo/train";
import {
  recipes,
  resolveOptions,
  traceFunction,
  traceStep,
  withBatch,
  type Context,
  type Recipe,
  type StepGraph,
} from "@duelo/zoo";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { uniforms } from "../packages/core/src/testing/random.ts";
import { hostTensorsOf } from "./host-tensors.ts";
import { begun, runGraph, sizes, traced, type Step, type Values } from "./step.ts";
import { factNames, factsOf, type Facts } from "./zoo/facts.ts";

/*
 * One suite for every recipe, at a width that the float64 definitions can carry. What is particular
 * to a recipe stands in zoo/<recipe>.facts.ts.
 */
const nClasses = 3;

function contextOf(
  recipe: Recipe,
  o: { options: Facts["tiny"]; shape: readonly number[]; nClasses: number },
): Context {
  const values = resolveOptions(recipe.options, o.options);
  const shape = Object.fromEntries(
    Object.entries(recipe.data).map(([name, f]) => [name, f.domain === "label" ? [] : o.shape]),
  );
  return { ...values, shape, nClasses: o.nClasses } as unknown as Context;
}

/** The net of a variable, or nothing. */
const netOf = (name: string): string => name.slice(0, name.indexOf("."));

/** Random values for one input of a graph. */
function drawNoise(spec: NoiseSpec, n: number, next: () => number): number[] {
  const one = {
    normal: () => 2 * next() - 1,
    uniform: () => (spec.kind === "uniform" ? spec.low + (spec.high - spec.low) * next() : 0),
    ints: () => Math.floor(next() * (spec.kind === "ints" ? spec.high : 0)),
    label: () => Math.floor(next() * nClasses),
  }[spec.kind];
  return Array.from({ length: n }, () => Math.fround(one()));
}

/** A batch of some fields. */
function drawFields(
  recipe: Recipe,
  names: readonly string[],
  size: Readonly<Record<string, number>>,
  next: () => number,
): Values {
  const one = {
    image: () => Math.floor(256 * next()),
    vector: () => 2 * next() - 1,
    label: () => Math.floor(nClasses * next()),
  };
  const batch = names.map((name) => [
    name,
    Float32Array.from({ length: size[name] ?? 0 }, one[recipe.data[name]?.domain ?? "vector"]),
  ]);
  return Object.fromEntries(batch) as Values;
}

/** A batch, noise and the schedules' first values; all of them float32 numbers. */
function draw(recipe: Recipe, step: StepGraph, seed: number): Values {
  const next = uniforms(seed);
  const size = sizes(step.graph);
  const feeds = drawFields(recipe, step.fields, size, next);
  for (const [name, spec] of step.noise) feeds[name] = drawNoise(spec, size[name] ?? 0, next);
  for (const [name, schedule] of step.scalars)
    feeds[name] = [Math.fround(scheduled(schedule, { step: 0, nImages: 0, progress: 0 }))];
  return feeds;
}

/** The same recipe, in which every net steps down its gradient by its learning rate. */
const plain = (recipe: Recipe): Recipe => ({
  ...recipe,
  optimizer: (c) =>
    Object.fromEntries(Object.keys(recipe.nets(c)).map((net) => [net, sgd({ lr: 1 })])),
});

/** Learning rate 1 for `net`, 0 for the others. */
const only = (net: string, feeds: Values): Values =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, v]) => [
      name,
      name.startsWith("lr/") ? [name === `lr/${net}` ? 1 : 0] : v,
    ]),
  );

/** At which standard deviation a weight is kept, where the facts say so. */
const sizeIn = (equalised: Facts["equalised"], name: string): number | undefined =>
  Object.entries(equalised ?? {}).findLast(([prefix]) => name.startsWith(prefix))?.[1];

/** The state of a run in which no weight is zero and so no rectifier at its kink, and most images are augmented. */
function scattered(step: Step, seed: number, equalised: Facts["equalised"] = {}): Values {
  const next = uniforms(seed);
  const state = begun(step, seed);
  for (const [name, { kind, shape }] of step.specs) {
    const std = sizeIn(equalised, name) ?? 1 / Math.sqrt(nn.init.fans(shape).fanIn);
    const spread = shape.length < 2 ? 0.5 : Math.sqrt(3) * std;
    if (kind === "param") {
      state[name] = Float32Array.from({ length: sizeOf(shape) }, () => spread * (2 * next() - 1));
    }
    if (name === "state.ada_p") state[name] = Float32Array.of(0.8);
  }
  return state;
}

/**
 * The state with spectral norm's u where its power iteration ends: only there does the stated gradient,
 * which holds u still, say how the loss moves with the weight.
 */
function settled(step: Step, state: Values): Values {
  const found = [...step.specs.keys()].filter((name) => name.endsWith(".weight_u"));
  const us = found.map((name) => {
    const w = state[name.slice(0, -"_u".length)] ?? [];
    const nRows = state[name]?.length ?? 1;
    const nColumns = w.length / nRows;
    let u = Array.from(state[name] ?? []);
    for (let k = 0; k < 2000; k++) {
      const v = Array.from({ length: nColumns }, (_, j) =>
        u.reduce((sum, ui, i) => sum + ui * (w[i * nColumns + j] ?? 0), 0),
      );
      u = u.map((_, i) => v.reduce((sum, vj, j) => sum + vj * (w[i * nColumns + j] ?? 0), 0));
      const length = Math.hypot(...u);
      u = u.map((ui) => ui / length);
    }
    return [name, u] as const;
  });
  return { ...state, ...Object.fromEntries(us) };
}

/** |got - want| against the largest |want|. */
function expectNear(
  got: ArrayLike<number> = [],
  want: ArrayLike<number> = [],
  name: string,
  tolerance = 1e-4,
): void {
  const wanted = Array.from(want);
  const scale = wanted.reduce((m, v) => Math.max(m, Math.abs(v)), 1e-3);
  const worst = wanted.reduce((m, v, i) => Math.max(m, Math.abs((got[i] ?? NaN) - v) / scale), 0);
  expect(worst, name).toBeLessThan(tolerance);
}

const hostState = (step: Step, state: Values): Record<string, HostTensor> =>
  Object.fromEntries(
    [...step.specs].map(([name, { shape }]) => [
      name,
      { dtype: "float32", shape, data: Float32Array.from(state[name] ?? []) },
    ]),
  );

/** Pixels, points and labels that depend on the record's number alone. */
function toyData(shape: readonly number[]): Dataset {
  const size = sizeOf(shape);
  const image = shape.length === 3;
  return {
    name: "toy",
    length: 7,
    fields: {
      x: { dtype: image ? "uint8" : "float32", shape },
      pair: { dtype: image ? "uint8" : "float32", shape },
      y: { dtype: "int32", shape: [] },
    },
    classes: ["a", "b", "c"],
    key: "toy",
    settings: {},
    skipped: [],
    read(indices, out) {
      Array.from(indices).forEach((record, i) => {
        const next = uniforms(record);
        for (const values of [out["x"], out["pair"]].flatMap((v) => v ?? []))
          for (let k = 0; k < size; k++) values[i * size + k] = image ? 256 * next() : next();
        if (out["y"]) out["y"][i] = record % nClasses;
      });
    },
    close() {},
  };
}

let runtime: Runtime;
beforeAll(async () => {
  runtime = await openRuntime({ threads: 1 });
});
afterAll(() => runtime.close());

test("there are facts about every recipe", () => {
  expect(factNames().toSorted()).toEqual(recipes.map((r) => r.name).toSorted());
});

describe.each(recipes)("$name", async (recipe) => {
  const facts = await factsOf(recipe.name);
  const { idle = [], equalised = {}, outputs: wanted = {}, tiny, shapes, parameters } = facts;
  const context = contextOf(recipe, { options: tiny, shape: shapes[0], nClasses });

  test("has the authors' number of weights at full size", () => {
    const { options = {}, nClasses: nFull = 10 } = facts.full ?? {};
    const full = contextOf(recipe, { options, shape: shapes[1], nClasses: nFull });
    const stages = recipe.stages(full).map(({ options: o }) => ({ ...full, ...o }) as Context);
    const graphs = (stages.length > 0 ? stages : [full]).flatMap((c) => traceStep(recipe, c));
    const specs = new Map(graphs.flatMap((g) => [...g.stateSpecs]));
    const counts: Record<string, number> = {};
    for (const [name, spec] of specs) {
      if (spec.kind !== "param") continue;
      counts[netOf(name)] = (counts[netOf(name)] ?? 0) + sizeOf(spec.shape);
    }
    expect(counts).toEqual(parameters);
  });

  const functions = Object.keys(recipe.functions(context));

  test("has the functions that the table states, of these shapes for any batch", () => {
    const found = (batch: number) =>
      functions.flatMap((name) => {
        const { graph } = traceFunction(recipe, withBatch(context, batch), name);
        return Object.entries(graph.outputs).map(([output, t]) => [`${name} ${output}`, t.shape]);
      });
    const samples = functions.includes("sample") ? { "sample samples": shapes[0] } : {};
    for (const batch of [2, 5]) {
      const stated = Object.entries({ ...samples, ...wanted }).map(([k, s]) => [k, [batch, ...s]]);
      expect(Object.fromEntries(found(batch))).toEqual(Object.fromEntries(stated));
    }
  });

  test.each(functions)("%s uses weights and statistics that training keeps", (name) => {
    const { specs } = traced(recipe, context);
    const { state } = traceFunction(recipe, context, name);
    expect(state.size).toBeGreaterThan(0);
    for (const entry of state.values()) expect(specs.has(entry), entry).toBe(true);
  });

  test.each(functions)("%s on ONNX Runtime is what the float64 definitions say", async (name) => {
    const f = traceFunction(recipe, context, name);
    const next = uniforms(8);
    const size = sizes(f.graph);
    const weights = scattered(traced(recipe, context), 9, equalised);
    const fed: Values = drawFields(recipe, f.fields, size, next);
    for (const [input, spec] of f.noise) fed[input] = drawNoise(spec, size[input] ?? 0, next);
    for (const input of f.takes.keys())
      fed[input] = Float32Array.from({ length: size[input] ?? 0 }, () => 2 * next() - 1);
    for (const [input, entry] of f.state) fed[input] = Float32Array.from(weights[entry] ?? []);
    const compiled = optimize(f.graph);
    const program = await runtime.compile(compiled);
    const got = await program.run(hostTensorsOf(compiled, fed));
    await program.close();
    for (const [output, { data }] of Object.entries(interpret(f.graph, fed)))
      expectNear(got[output]?.data, data, output);
  });

  test("moves only the nets that a phase names, and in a step all of their weights and statistics", () => {
    const step = traced(recipe, context);
    const moved = new Set<string>();
    // Once as a run begins, where a zero may hide a gradient, and once from weights at random.
    for (let state of [begun(step, 1), scattered(step, 1, equalised)]) {
      for (const [i, graph] of step.graphs.entries()) {
        const { after } = runGraph(graph, state, draw(recipe, graph, 10 + i));
        for (const [name, { kind }] of step.specs) {
          if (kind !== "param" && kind !== "buffer") continue;
          if (Array.from(after[name] ?? []).every((v, k) => v === state[name]?.[k])) continue;
          moved.add(name);
          if (netOf(name) !== "state") expect(graph.updates, name).toContain(netOf(name));
        }
        state = after;
      }
    }
    const trained = new Set(step.graphs.flatMap((g) => g.updates));
    for (const [name, { kind }] of step.specs) {
      if (idle.includes(name) || (kind !== "param" && kind !== "buffer")) continue;
      if (trained.has(netOf(name))) expect(moved.has(name), name).toBe(true);
    }
  });

  test("steps down the slope of its own loss", () => {
    const step = traced(plain(recipe), context);
    const state = settled(step, scattered(step, 3, equalised));
    for (const [i, graph] of step.graphs.entries()) {
      for (const net of graph.updates) {
        const feeds = only(net, draw(recipe, graph, 20 + i));
        const { after } = runGraph(graph, state, feeds);
        const names = [...step.specs].flatMap(([n, s]) =>
          s.kind === "param" && netOf(n) === net ? [n] : [],
        );
        const losses = graph.logs.filter((l) => l.startsWith("loss/"));
        const log = losses.find((l) => l.slice(5).split("+").includes(net)) ?? losses[0];
        const next = uniforms(40 + i);
        const v = Object.fromEntries(
          names.map((n) => [
            n,
            Array.from(state[n] ?? [], () => (sizeIn(equalised, n) ?? 1) * (2 * next() - 1)),
          ]),
        );
        const lossAt = (t: number): number => {
          const moved = names.map(
            (n) => [n, Array.from(state[n] ?? [], (w, k) => w + t * (v[n]?.[k] ?? 0))] as const,
          );
          const loss = graph.graph.outputs[`log:${log}`];
          if (loss === undefined) throw new TypeError(`${net} has no loss`);
          const given = { ...state, ...Object.fromEntries(moved), ...feeds };
          return (
            interpret({ inputs: graph.graph.inputs, outputs: { loss } }, given)["loss"]?.data[0] ??
            NaN
          );
        };
        const h = 1e-7;
        const numeric = (lossAt(h) - lossAt(-h)) / (2 * h);
        const stated = names.reduce(
          (sum, n) =>
            sum +
            Array.from(state[n] ?? []).reduce(
              (s, w, k) => s + (w - (after[n]?.[k] ?? NaN)) * (v[n]?.[k] ?? 0),
              0,
            ),
          0,
        );
        expect(Math.abs(numeric), `${net} ${log}`).toBeGreaterThan(1e-4);
        expect(Math.abs(stated - numeric) / Math.abs(numeric), net).toBeLessThan(1e-5);
      }
    }
  });

  test("a later phase sees what an earlier one did as given values", () => {
    const step = traced(plain(recipe), context);
    const state = scattered(step, 4, equalised);
    const phases = recipe.phases(context);
    for (const [i, { update, draw: drawn }] of phases.entries()) {
      if (drawn !== "same") continue;
      const end = phases.findIndex((p, k) => k > i && p.draw !== "same");
      const later = phases.slice(i, end < 0 ? undefined : end).flatMap((p) => p.update);
      const graph = step.graphs.find((g) => update.every((net) => g.updates.includes(net)));
      if (graph === undefined) throw new TypeError("a phase has no graph");
      const feeds = draw(recipe, graph, 5);
      const together = runGraph(graph, state, feeds).after;
      const given = Object.fromEntries(
        Object.entries(together).map(([n, v]) => [
          n,
          later.includes(netOf(n)) ? (state[n] ?? v) : v,
        ]),
      );
      const resting = Object.fromEntries(
        Object.keys(feeds).flatMap((n) =>
          n.startsWith("lr/") && !update.includes(n.slice(3)) ? [[n, [0]] as const] : [],
        ),
      );
      const apart = runGraph(graph, given, { ...feeds, ...resting }).after;
      for (const [name, { kind }] of step.specs) {
        if (kind === "param" && update.includes(netOf(name))) {
          expectNear(apart[name], together[name], name, 1e-12);
        }
      }
    }
  });

  test("gives the step of the float64 definitions on ONNX Runtime", async () => {
    const step = traced(recipe, context);
    let state = scattered(step, 2, equalised);
    const device = runtime.createState(hostState(step, state));
    for (const [i, graph] of step.graphs.entries()) {
      const feeds = draw(recipe, graph, 30 + i);
      const { outputs, after } = runGraph(graph, state, feeds);
      const compiled = optimize(graph.graph);
      const program = await runtime.compile(compiled, { state: graph.state });
      const all = hostTensorsOf(compiled, feeds);
      const fed = Object.fromEntries(
        Object.entries(all).filter(([name]) => feeds[name] !== undefined),
      );
      const got = await program.run(fed, device);
      for (const log of graph.logs) expectNear(got[`log:${log}`]?.data, outputs[`log:${log}`], log);
      await program.close();
      state = after;
    }
    for (const [name, t] of Object.entries(await device.read())) {
      if (!idle.some((bias) => name.endsWith(bias))) expectNear(t.data, state[name], name);
    }
  });

  test("gives the same bits again, and after a stop", async () => {
    const names = Object.values(recipe.data).map((field) => field.stream ?? "data");
    const streams = Object.fromEntries(names.map((name) => [name, toyData(shapes[0])]));
    const seed = 6;
    type Saved = Parameters<typeof buildModel>[0]["saved"];
    type Cursors = ConstructorParameters<typeof Feeder>[0]["cursors"];
    async function go(from: number, to: number, stop?: { saved: Saved; cursors: Cursors }) {
      const { saved, cursors } = stop ?? {};
      const model = await buildModel({ recipe, context, runtime, seed, ...(saved && { saved }) });
      const feeder = new Feeder({
        seed,
        fields: recipe.data,
        streams,
        ...(cursors && { cursors }),
      });
      const logs = [];
      for (let step = from; step < to; step++) {
        logs.push(
          await model.step(feeder, { step, nImages: step * context.batch, progress: step / 4 }),
        );
      }
      const state = await model.state.read();
      await model.close();
      return { logs, cursors: feeder.cursors, saved: structuredClone(state) };
    }
    const straight = await go(0, 4);
    const half = await go(0, 2);
    expect(half.logs).toEqual(straight.logs.slice(0, 2));
    const rest = await go(2, 4, half);
    expect(rest.logs).toEqual(straight.logs.slice(2));
    expect(rest.cursors).toEqual(straight.cursors);
    expect(rest.saved).toEqual(straight.saved);
  });

  test("compiles to the graphs that are on file", async () => {
    const step = traceStep(recipe, context).map(
      (g) => `${g.updates.join("+")}: ${print(optimize(g.graph))}`,
    );
    const asked = functions.map(
      (name) => `${name}: ${print(optimize(traceFunction(recipe, context, name).graph))}`,
    );
    await expect([...step, ...asked].join("\n")).toMatchFileSnapshot(`zoo/${recipe.name}.txt`);
  });
});
