import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { train } from "./loop.ts";
import type { TrainRequest } from "./request.ts";
import { loadCheckpoint } from "./run/checkpoint.ts";
import { parseStats } from "./run/stats-log.ts";
import { sampleRun } from "./sample.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-evaluation-"));
});
afterAll(() => rm(root, { recursive: true }));

const request = (over: Partial<TrainRequest> = {}): TrainRequest => ({
  ...{ recipe: "gan-2d", data: "ring8", set: { batch: 32, zDim: 8, width: 16 }, limit: 500 },
  ...{ budget: { steps: 24 }, cacheDir: join(root, "cache"), evaluate: { every: 6 } },
  ...over,
});

/** The numbers of `metric/…` in the log, by step. */
async function measured(dir: string): Promise<Record<string, unknown>> {
  const lines = parseStats(await readFile(`${dir}/stats.jsonl`, "utf8"));
  const found = lines.map(({ step, log }) => {
    const own = Object.entries(log as object).filter(([name]) => name.startsWith("metric/"));
    return [String(step), Object.fromEntries(own)] as const;
  });
  return Object.fromEntries(found.filter(([, own]) => Object.keys(own).length > 0));
}

const best = (dir: string) => loadCheckpoint({ dir: `${dir}/best` });

describe("a run that is judged while it is trained", () => {
  let straight = "";
  beforeAll(async () => {
    straight = (await train(request({ runs: join(root, "straight") }))).dir;
  }, 60_000);

  test("is trained to the bit like one that is not", async () => {
    const { evaluate: _, ...plain } = request({ runs: join(root, "plain") });
    const { dir } = await train(plain);
    const [a, b] = [await loadCheckpoint({ dir: straight }), await loadCheckpoint({ dir })];
    expect(a?.tensors).toEqual(b?.tensors);
    expect(a?.meta["cursors"]).toEqual(b?.meta["cursors"]);
    expect(await best(dir)).toBeUndefined();
  });

  test("writes down its numbers, also where nothing else is logged, and keeps the best", async () => {
    const numbers = await measured(straight);
    expect(Object.keys(numbers)).toEqual(["6", "12", "18", "24"]);
    expect(Object.keys(numbers["6"] ?? {})).toEqual([
      "metric/modes",
      "metric/high-quality",
      "metric/reverse-kl",
    ]);
    const rank = Object.entries(numbers as Record<string, Record<string, number>>).map(
      ([step, m]) => ({
        step,
        rank: (m["metric/modes"] ?? 0) + (m["metric/high-quality"] ?? 0) / 2,
      }),
    );
    const first = rank.toSorted((x, y) => y.rank - x.rank)[0]; // stable: the earliest of equals
    expect((await best(straight))?.meta.step).toBe(Number(first?.step));
    expect(await readFile(`${straight}/report.html`, "utf8")).toContain("metric/modes");
  });

  test("stopped in between, it ends with the same numbers and the same best", async () => {
    const runs = join(root, "stopped");
    for (const stopAt of [5, 6, 13]) {
      const stop = new AbortController();
      await train(request({ runs }), {
        signal: stop.signal,
        progress: ({ step }) => step >= stopAt && stop.abort(),
      });
    }
    const { dir } = await train(request({ runs }));
    expect(await measured(dir)).toEqual(await measured(straight));
    expect((await best(dir))?.tensors).toEqual((await best(straight))?.tensors);
    const last = await loadCheckpoint({ dir });
    expect(last?.meta["evaluation"]).toEqual(
      (await loadCheckpoint({ dir: straight }))?.meta["evaluation"],
    );
  });

  test("samples of the best are those of its own checkpoint", async () => {
    const evaluate = { every: 1, metric: "reverse-kl", patience: 1 };
    const runs = join(root, "best");
    const result = await train(request({ runs, evaluate }));
    const ask = { runs, run: result.dir, n: 4 };
    const [last, top] = [await sampleRun(ask), await sampleRun({ ...ask, best: true })];
    expect(top.pixels).not.toEqual(last.pixels);
  });
});

test("images are judged anew each time by the network of their kind, from reals that are kept", async () => {
  const set = { width: 2, zDim: 4, batch: 8 };
  const { dir } = await train({
    ...{ recipe: "dcgan", data: "emoji", set, limit: 40, height: 16, width: 16, threads: 1 },
    ...{ cacheDir: join(root, "cache"), runs: join(root, "images"), budget: { steps: 2 } },
    evaluate: { every: 1 },
  });
  const numbers = Object.values(await measured(dir)) as Record<string, number>[];
  const values = numbers.map((m) => m["metric/frechet"] ?? Number.NaN);
  expect(values.every((v) => v > 0)).toBe(true);
  expect(values[0]).not.toBe(values[1]);
  expect(await readdir(join(root, "cache", "features"))).toHaveLength(1); // of the reals alone
});

describe("patience", () => {
  test("ends a run that no longer gets better, with the reason, also when asked again", async () => {
    const evaluate = { every: 1, metric: "frechet", patience: 2 };
    const asked = request({ runs: join(root, "patience"), evaluate, budget: { steps: 400 } });
    const notes: string[] = [];
    const result = await train(asked, { note: (line) => notes.push(line) });
    expect(result.finished).toBe(true);
    expect(result.step).toBeLessThan(400);
    const top = (await best(result.dir))?.meta.step ?? 0;
    expect(result.step).toBe(top + 2);
    expect(result.stopped).toMatch(
      /^No better frechet in 2 evaluations: the best was \S+ at step \d+, which --best takes\.$/,
    );
    expect(notes).toContain(result.stopped);
    const again = await train(asked);
    expect([again.step, again.stopped]).toEqual([result.step, result.stopped]);
  });
});

describe("what cannot decide is refused in one sentence", () => {
  const error = async (metric: string) =>
    String(
      await train(request({ runs: join(root, "refused"), evaluate: { every: 2, metric } })).catch(
        String,
      ),
    );

  test("an unknown metric, one that does not fit, one without a better end", async () => {
    expect(await error("frchet")).toMatchInlineSnapshot(
      `"UserError: There is no metric "frchet". Did you mean "frechet"? Metrics: modes, high-quality, reverse-kl, frechet, kernel, precision, recall, density, coverage, inception-score, ms-ssim, sharpness, copies, memorisation, class-frechet, classifier-score, sliced, perceptual, path-length, elbo, l1, psnr, ssim."`,
    );
    expect(await error("sharpness")).toMatchInlineSnapshot(
      `"UserError: Metric sharpness needs images."`,
    );
    expect(await error("copies")).toMatchInlineSnapshot(
      `"UserError: Metric copies has no better end, so it cannot choose a checkpoint."`,
    );
  });

  test("the best of a run that kept none", async () => {
    const { evaluate: _, ...plain } = request({ runs: join(root, "none"), budget: { steps: 1 } });
    const { dir } = await train(plain);
    const asked = sampleRun({ runs: join(root, "none"), run: dir, n: 1, best: true });
    await expect(asked).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Run 0001-gan-2d-ring8 has no best checkpoint: train with --eval-every STEPS to keep one, or leave out --best.]`,
    );
  });
});
