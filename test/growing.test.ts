import { interpret } from "@duelo/core";
import {
  loadCheckpoint,
  openFunction,
  train,
  type TrainRequest,
  type TrainResult,
} from "@duelo/train";
import { findRecipe, resolveOptions, traceFunction, type Context } from "@duelo/zoo";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { uniforms } from "../packages/core/src/testing/random.ts";
import { sizes } from "./step.ts";

/* Growing nets: stylegan, whose stages change the size that it works at. */

const stylegan = findRecipe("stylegan");
const narrow = { batch: 2, zDim: 3, wDim: 4, mapLayers: 1, base: 16, maxChannels: 4, group: 2 };
const contextAt = (level: number, fading: boolean): Context =>
  ({
    ...resolveOptions(stylegan.options, { ...narrow, start: 4, level, fading }),
    shape: { x: [3, 16, 16], y: [] },
    nClasses: 0,
  }) as unknown as Context;

/** Numbers that follow from a name, so that what two graphs share is fed alike. */
function numbersOf(name: string, n: number): number[] {
  const next = uniforms([...name].reduce((sum, c) => (31 * sum + c.charCodeAt(0)) % 65_521, 7));
  return Array.from({ length: n }, () => 2 * next() - 1);
}

/** The images that G makes of the same w and noise when `fade` of a size has been faded in. */
function imagesAt(o: { level: number; fading: boolean; fade?: number }): number[] {
  const { graph } = traceFunction(stylegan, contextAt(o.level, o.fading), "synthesis");
  const feeds = Object.fromEntries(
    Object.entries(sizes(graph)).map(([name, n]) => [
      name,
      name === "G.fade" ? [o.fade ?? Number.NaN] : numbersOf(name, n),
    ]),
  );
  return Array.from(interpret(graph, feeds)["synthesis"]?.data ?? []);
}

describe("a size that is faded in", () => {
  const expectAlike = (got: readonly number[], want: readonly number[]): void => {
    expect(got).toHaveLength(2 * 3 * 16 * 16);
    const worst = got.reduce((m, v, i) => Math.max(m, Math.abs(v - (want[i] ?? NaN))), 0);
    expect(worst).toBeLessThan(1e-12);
  };

  test("changes nothing at first, and in the end it is all there is", () => {
    const [before, after] = [
      imagesAt({ level: 1, fading: false }),
      imagesAt({ level: 2, fading: false }),
    ];
    expectAlike(imagesAt({ level: 2, fading: true, fade: 0 }), before);
    expectAlike(imagesAt({ level: 2, fading: true, fade: 1 }), after);
    const half = before.map((v, i) => (v + (after[i] ?? NaN)) / 2);
    expectAlike(imagesAt({ level: 2, fading: true, fade: 0.5 }), half);
    expect(before).not.toEqual(after);
  });
});

test("the paper's nets grow by the authors' schedule", () => {
  const context = {
    ...resolveOptions(stylegan.options, {}),
    shape: { x: [3, 1024, 1024], y: [] },
    nClasses: 0,
  } as unknown as Context;
  const rows = stylegan.stages(context).map(({ name, untilImages, options }) => {
    return `${name}: batch ${String(options["batch"])}, until ${untilImages}`;
  });
  expect(rows.slice(0, 5)).toEqual([
    "8x8: batch 256, until 600000",
    "16x16 fading in: batch 128, until 1200000",
    "16x16: batch 128, until 1800000",
    "32x32 fading in: batch 64, until 2400000",
    "32x32: batch 64, until 3000000",
  ]);
  expect(rows.slice(-2)).toEqual([
    "1024x1024 fading in: batch 32, until 8400000",
    "1024x1024: batch 32, until Infinity",
  ]);
});

test("a batch of any size divides into the groups that D compares", () => {
  for (const side of [24, 28, 40, 48, 56]) {
    const options = resolveOptions(stylegan.options, { batch: 16, batchSides: 256 });
    const shape = { x: [3, side, side], y: [] };
    const context = { ...options, shape, nClasses: 0 } as unknown as Context;
    const batches = stylegan.stages(context).map((s) => Number(s.options["batch"]));
    expect(batches.map((n) => n % Number(options["group"]))).toEqual(batches.map(() => 0));
  }
});

test("a run that grows, stopped in every stage and at its borders, ends as one that was not", async () => {
  const root = mkdtempSync(join(tmpdir(), "duelo-growing-"));
  const ask = (runs: string): TrainRequest => ({
    ...{ recipe: "stylegan", data: "emoji", limit: 24, height: 8, threads: 1 },
    set: { ...narrow, batchSides: 16, start: 4, stableKimg: 0.008, fadeKimg: 0.008 },
    budget: { steps: 8 },
    cacheDir: join(root, "cache"),
    runs: join(root, runs),
  });
  const kept = async ({ dir }: TrainResult) => (await loadCheckpoint({ dir }))?.tensors ?? {};

  const straight = await train(ask("straight"));
  const stages: unknown[] = [];
  // Two steps of four images at 4x4, four of two while 8x8 is faded in, two at 8x8.
  for (const stopAt of [2, 4, 6]) {
    const stop = new AbortController();
    const run = await train(ask("stopped"), {
      signal: stop.signal,
      progress: ({ step }) => step >= stopAt && stop.abort(),
    });
    stages.push((await loadCheckpoint(run))?.meta["stage"]);
    if (stopAt === 2) await expectFullSize(run);
  }
  const stopped = await train(ask("stopped"));
  stages.push((await loadCheckpoint(stopped))?.meta["stage"]);
  expect(stages).toEqual(["4x4", "8x8 fading in", "8x8 fading in", "8x8"]);
  expect(stopped.nImages).toBe(straight.nImages);
  const [a, b] = [await kept(straight), await kept(stopped)];
  expect(b).toEqual(a);
  expect(Object.keys(a)).toContain("G.b8.conv1.weight");
  expect(Object.keys(a)).not.toContain("G.b4.torgb.weight"); // no longer used
  rmSync(root, { recursive: true });
}, 240_000);

/** G at 4x4 makes images of 8x8 in which four pixels are alike. */
async function expectFullSize({ dir }: TrainResult): Promise<void> {
  const synthesis = await openFunction({ run: dir, function: "synthesis", threads: 1 });
  const w = { dtype: "float32", shape: [1, 4, 4], data: new Float32Array(16).fill(0.5) } as const;
  const { synthesis: images } = await synthesis.call({ w });
  await synthesis.close();
  expect(images?.shape).toEqual([1, 3, 8, 8]);
  const pixels = Array.from(images?.data ?? [], Number);
  expect(pixels[1]).toBe(pixels[0]);
  expect(pixels[8]).toBe(pixels[0]);
  expect(pixels[2]).not.toBe(pixels[0]);
}
