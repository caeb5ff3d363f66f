import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, mean, nn } from "@duelo/core";
import { int, recipe, vector, type Recipe } from "@duelo/zoo";
import { loadCheckpoint } from "./run/checkpoint.ts";
import { parseStats } from "./run/stats-log.ts";
import { readFunction } from "./export.ts";
import { sampleRun } from "./sample.ts";
import { train } from "./loop.ts";
import type { TrainResult } from "./session.ts";
import type { TrainRequest } from "./request.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-loop-"));
});

const set = { batch: 32, zDim: 8, width: 16 };
const request = (over: Partial<TrainRequest> = {}): TrainRequest => ({
  recipe: "gan-2d",
  data: "ring8",
  set,
  budget: { steps: 24 },
  cacheDir: join(root, "cache"),
  runs: join(root, "straight"),
  ...over,
});

/** Everything of a run that must not depend on how often it was stopped. */
async function essence({ dir }: TrainResult) {
  const saved = await loadCheckpoint({ dir });
  const pictures = (await readdir(`${dir}/samples`)).toSorted();
  return {
    tensors: saved?.tensors,
    cursors: saved?.meta["cursors"],
    step: saved?.meta.step,
    pictures,
    last: await readFile(`${dir}/samples/${pictures.at(-2)}`),
  };
}

describe("a run", () => {
  test("leaves everything that its folder promises", async () => {
    const result = await train(request());
    expect(result.finished).toBe(true);
    expect(result.step).toBe(24);
    expect(result.nImages).toBe(24 * 32);
    const files = await readdir(result.dir);
    for (const name of [
      "G.onnx",
      "checkpoint.safetensors",
      "model-card.md",
      "options.json",
      "report.html",
      "samples",
      "stats.jsonl",
    ]) {
      expect(files).toContain(name);
    }
    const lines = parseStats(await readFile(`${result.dir}/stats.jsonl`, "utf8"));
    expect(lines.map((l) => l["step"])).toEqual([1, 10, 20, 24]);
  });

  test("stopped three times ends as one that was not", async () => {
    const straight = await essence(await train(request({ runs: join(root, "one") })));
    const runs = join(root, "many");
    for (const stopAt of [5, 11, 12]) {
      const stop = new AbortController();
      const result = await train(request({ runs }), {
        signal: stop.signal,
        progress: ({ step }) => step >= stopAt && stop.abort(),
      });
      expect(result.finished).toBe(false);
      expect(result.step).toBe(stopAt);
    }
    const last = await train(request({ runs }));
    expect(last.finished).toBe(true);
    const { pictures, ...stopped } = await essence(last);
    const { pictures: all, ...whole } = straight;
    expect(stopped).toEqual(whole);
    expect(pictures).toEqual(expect.arrayContaining(all));
  });

  test("has its last line and picture, also where a checkpoint is due at its end", async () => {
    const runs = join(root, "due");
    const result = await train(request({ runs, checkpointSeconds: 1e-6, budget: { steps: 55 } }));
    expect(existsSync(result.samples ?? "")).toBe(true);
    const lines = parseStats(await readFile(`${result.dir}/stats.jsonl`, "utf8"));
    expect(lines.at(-1)?.["step"]).toBe(55);
  });

  test("with another seed ends elsewhere", async () => {
    const one = await essence(await train(request({ runs: join(root, "seeds") })));
    const two = await essence(await train(request({ runs: join(root, "seeds"), seed: 1 })));
    expect(two.tensors?.["G.0.weight"]).not.toEqual(one.tensors?.["G.0.weight"]);
  });

  test("asked for again is not trained again, unless afresh", async () => {
    const runs = join(root, "again");
    const first = await train(request({ runs }));
    const second = await train(request({ runs }));
    expect(second.dir).toBe(first.dir);
    const third = await train(request({ runs, fresh: true }));
    expect(third.dir).not.toBe(first.dir);
    expect((await essence(third)).tensors).toEqual((await essence(first)).tensors);
  });

  test("that diverges stops with the step, the tensor and the last checkpoint", async () => {
    const exploding: Recipe = recipe({
      name: "exploding",
      about: "",
      paper: "",
      sources: [],
      differences: [],
      data: { x: vector() },
      options: { batch: int({ default: 8, min: 1, max: 64, about: "", source: "" }) },
      presets: { only: { about: "", steps: 200 } },
      nets: () => ({ G: nn.linear({ out: 2, init: nn.init.constantOf(1e10) }) }),
      optimizer: () => ({ G: adam({ lr: 1e30 }) }),
      noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
      phases: () => [
        { update: ["G"], loss: ({ G }, { x, z }) => ({ loss: mean(G(z).mul(x).square()) }) },
      ],
      sample: ({ G }, { z }) => G(z),
    });
    const { set: _, ...rest } = request({ recipe: exploding, runs: join(root, "wild") });
    await expect(train(rest)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[FailureError: Step 2: loss/G became Infinity. The first tensor with such a value is slot.exp_avg_sq/G.weight. No checkpoint had been written yet. Try a lower learning rate, or --on-divergence rollback.]`,
    );
  });
});

/** Two stages: the second has a layer more, and keeps the first one's by name. */
const growing: Recipe = recipe({
  name: "growing",
  about: "",
  paper: "",
  sources: [],
  differences: [],
  data: { x: vector() },
  options: {
    batch: int({ default: 8, min: 1, max: 64, about: "", source: "" }),
    level: int({ default: 0, min: 0, max: 1, about: "", source: "" }),
  },
  presets: { only: { about: "", steps: 12 } },
  stages: () => [
    { name: "one layer", untilImages: 40, options: { level: 0 } },
    { name: "two layers", untilImages: 1000, options: { level: 1 }, resetSlots: true },
  ],
  nets: (c) => ({
    G: nn.named({
      first: nn.linear({ out: 2 }),
      ...(c.level > 0 ? { second: nn.linear({ out: 2 }) } : {}),
    }),
  }),
  optimizer: () => ({ G: adam({ lr: 1e-2 }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
  phases: () => [
    { update: ["G"], loss: ({ G }, { x, z }) => ({ loss: mean(G(z).sub(x).square()) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});

describe("a recipe with stages", () => {
  const ask = (runs: string): TrainRequest => {
    const {
      set: _set,
      budget: _budget,
      ...rest
    } = request({ recipe: growing, runs: join(root, runs) });
    return rest;
  };

  test("goes on with the weights of the stage before, and begins its slots anew", async () => {
    const { dir, nImages } = await train(ask("stages"));
    expect(nImages).toBe(96);
    const saved = await loadCheckpoint({ dir });
    expect(Object.keys(saved?.tensors ?? {})).toContain("G.second.weight");
    expect(saved?.tensors["slot.step/G"]?.data).toEqual(Float32Array.of(7)); // of 12 steps, 5 came before
    const { bytes } = await readFunction({
      runs: join(root, "stages"),
      run: dir,
      recipe: growing,
    });
    expect(Buffer.from(bytes).equals(await readFile(`${dir}/G.onnx`))).toBe(true); // of its last stage
  });

  test("stopped on either side of the border ends as one that was not", async () => {
    const straight = await essence(await train(ask("stages-straight")));
    for (const stopAt of [3, 5, 8]) {
      const stop = new AbortController();
      await train(ask("stages-stopped"), {
        signal: stop.signal,
        progress: ({ step }) => step >= stopAt && stop.abort(),
      });
    }
    const stopped = await essence(await train(ask("stages-stopped")));
    expect(stopped.tensors).toEqual(straight.tensors);
  });
});

describe("samples", () => {
  test("do not depend on how many are made", async () => {
    const { dir } = await train(request({ runs: join(root, "samples") }));
    const runs = join(root, "samples");
    const few = await sampleRun({ runs, run: dir, n: 3, seed: 5 });
    const many = await sampleRun({ runs, run: "latest", n: 70, seed: 5 });
    expect(few.shape).toEqual([3, 2]);
    expect(many.pixels.slice(0, 6)).toEqual(few.pixels);
    const narrow = await sampleRun({ runs, run: "1", n: 70, seed: 5, truncation: 0.1 });
    const spread = (s: Float32Array): number => Math.max(...s) - Math.min(...s);
    expect(spread(narrow.pixels)).toBeLessThan(spread(many.pixels));
  });

  test("that cannot be made are refused in one sentence", async () => {
    const runs = join(root, "samples");
    const ask = (over: object) => sampleRun({ runs, run: "1", n: 2, ...over });
    await expect(ask({ label: "cat" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: This generator knows no classes, so --label has nothing to choose.]`,
    );
    await expect(ask({ truncation: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Truncation is 0; it takes a number from 0.05 up.]`,
    );
    await expect(ask({ n: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: 0 samples are none; ask for at least 1.]`,
    );
  });

  test("are no longer made once that is asked for", async () => {
    const asked = { runs: join(root, "samples"), run: "1", n: 2, signal: AbortSignal.abort() };
    await expect(sampleRun(asked)).rejects.toHaveProperty("name", "AbortError");
  });
});
