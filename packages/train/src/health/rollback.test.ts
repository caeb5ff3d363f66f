import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { mean, nn, sgd } from "@duelo/core";
import { int, number, recipe, vector, type Recipe } from "@duelo/zoo";
import { openRuntime } from "@duelo/runtime";
import { Feeder } from "../feeder.ts";
import { train } from "../loop.ts";
import { buildModel } from "../model.ts";
import { loadCheckpoint } from "../run/checkpoint.ts";
import { contextFor, openFor, resolveRequest, type TrainRequest } from "../request.ts";
import { examineRun } from "./doctor.ts";

vi.setConfig({ testTimeout: 300_000 });

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-rollback-"));
});
afterAll(() => rm(root, { recursive: true }));

/** Gradient descent on a parabola: its error grows at each step while lr is above a bound near 2. */
const steep: Recipe = recipe({
  name: "steep",
  about: "",
  paper: "",
  sources: [],
  differences: [],
  data: { x: vector() },
  options: {
    batch: int({ default: 64, min: 1, max: 64, about: "", source: "" }),
    lr: number({ default: 4, min: 0, max: 1e9, about: "", source: "" }),
  },
  presets: { only: { about: "", steps: 40 } },
  nets: () => ({ G: nn.linear({ out: 2 }) }),
  optimizer: (c) => ({ G: sgd({ lr: c.lr }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
  phases: () => [
    {
      update: ["G"],
      loss: ({ G }, { x, z }) => ({ loss: mean(G(z).sub(z).sub(x.mul(0.1)).square()) }),
    },
  ],
  sample: ({ G }, { z }) => G(z),
});

const request = (over: Partial<TrainRequest>): TrainRequest => ({
  recipe: steep,
  data: "ring8",
  cacheDir: join(root, "cache"),
  threads: 1,
  ...over,
});

/** Trains to the end, stopping after each of these steps of a sitting's own counting. */
async function trained(over: Partial<TrainRequest>, stops: readonly number[] = []) {
  const notes: string[] = [];
  for (const nSteps of stops) {
    const stop = new AbortController();
    let n = 0;
    const progress = (): void => void (++n >= nSteps && stop.abort());
    const note = (line: string): void => void notes.push(line);
    await train(request(over), { signal: stop.signal, progress, note });
  }
  const result = await train(request(over), { note: (line) => void notes.push(line) });
  const saved = await loadCheckpoint({ dir: result.dir });
  return { result, saved, notes };
}

/** Without the size of the growth, which follows from random numbers. */
const unsized = (line: string): string => line.replace(/[\d,]+ times as/, "N times as");

describe("a run that diverges", () => {
  test("goes back to its safe point with a lower rate, says so, and finishes", async () => {
    const runs = join(root, "straight");
    const { result, saved, notes } = await trained({ runs, onDivergence: "rollback" });
    expect(result.finished).toBe(true);
    expect(saved?.meta["rollbacks"]).toMatchInlineSnapshot(`
      [
        {
          "from": 10,
          "to": 0,
        },
      ]
    `);
    expect(notes.filter((line) => line.includes("Back")).map(unsized)).toMatchInlineSnapshot(`
      [
        "Step 10: the weights of G have become N times as large within 8 probes. Back to step 0 with 0.25 of the learning rate (time 1 of at most 3).",
      ]
    `);
    const { rollbacks, timeline } = await examineRun({ runs, run: "latest" });
    expect(rollbacks).toMatchInlineSnapshot(`
      [
        {
          "from": 10,
          "rate": 0.25,
          "to": 0,
        },
      ]
    `);
    expect(timeline.map(({ name }) => name)).not.toContain("divergence");
  });

  test("stopped at any point, around a rollback too, ends as one that was not", async () => {
    const ask = { onDivergence: "rollback" } as const;
    const straight = await trained({ ...ask, runs: join(root, "straight") });
    const stopped = await trained({ ...ask, runs: join(root, "stopped") }, [4, 15]);
    expect(stopped.saved?.tensors).toEqual(straight.saved?.tensors);
    expect(stopped.saved?.meta["rollbacks"]).toEqual(straight.saved?.meta["rollbacks"]);
    expect(stopped.saved?.meta["cursors"]).toEqual(straight.saved?.meta["cursors"]);
  });

  test("ends after three rollbacks that did not help", async () => {
    const runs = join(root, "hopeless");
    const hopeless = train(request({ runs, onDivergence: "rollback", set: { lr: 1e4 } }));
    const message = await hopeless.catch((error: unknown) => String(error));
    expect(String(message).replace(runs, "runs")).toMatchInlineSnapshot(
      `"FailureError: Step 10: loss/G became Infinity. The last good checkpoint is that of step 0, in runs/0001-steep-ring8. It went back 3 times, to 0.015625 of the learning rate; begin with a lower one."`,
    );
  });

  test("ends at once unless it may go back, and its last line says why", async () => {
    const runs = join(root, "stop");
    const message = await train(request({ runs })).catch((error: unknown) => String(error));
    expect(unsized(String(message))).toMatchInlineSnapshot(
      `"FailureError: Step 10: the weights of G have become N times as large within 8 probes. No checkpoint had been written yet. Try a lower learning rate, or --on-divergence rollback."`,
    );
    const { verdict } = await examineRun({ runs, run: "latest" });
    expect(verdict).toMatchObject({ name: "divergence" });
  });
});

describe("probes", () => {
  test("change nothing that is trained, nor do the norms of gradients", async () => {
    const set = { batch: 32, zDim: 8, width: 16 };
    const ask = { recipe: "gan-2d", set, budget: { steps: 30 } };
    const seen = await trained({ ...ask, runs: join(root, "seen"), probeShare: 1 });
    const blind = await trained({ ...ask, runs: join(root, "blind"), probeShare: 0 });
    expect(seen.result.verdict?.evidence).toEqual({ looks: 4 });
    expect(blind.result.verdict?.evidence).toEqual({ looks: 0 });
    expect(seen.saved?.tensors).toEqual(blind.saved?.tensors);
    expect(await stateAfter(3, true)).toEqual(await stateAfter(3, false));
  });
});

/** The state of a small GAN after so many steps, in whose graphs norms are written down or not. */
async function stateAfter(nSteps: number, norms: boolean) {
  const resolved = resolveRequest(request({ recipe: "gan-2d", set: { batch: 16, width: 16 } }));
  const streams = await openFor(resolved, {});
  const runtime = await openRuntime({ threads: 1 });
  const { recipe: traced } = resolved;
  const context = contextFor(resolved, streams);
  const model = await buildModel({ recipe: traced, context, runtime, seed: 0, norms });
  const feeder = new Feeder({ seed: 0, fields: traced.data, streams });
  for (let step = 0; step < nSteps; step++) {
    const log = await model.step(feeder, { step, nImages: 0, progress: 0 });
    expect(Object.keys(log).includes("grad/G")).toBe(norms);
  }
  const state = structuredClone(await model.state.read());
  await runtime.close();
  return state;
}
