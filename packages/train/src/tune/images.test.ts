import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tune } from "./tune.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-tune-images-"));
});
afterAll(() => rm(root, { recursive: true }));

test("a search over images scores them by the features of `eval`, and shows the winner's", async () => {
  const { trials, winner, metric, better, page } = await tune({
    ...{ recipe: "dcgan", data: "phosphor", limit: 60, height: 16, width: 16, channels: 1 },
    ...{ set: { batch: 8, zDim: 4 }, over: { width: [2, 3] }, trials: 2, firstSteps: 1 },
    ...{ cacheDir: join(root, "cache"), tunes: join(root, "tunes"), threads: 1 },
  });
  expect([metric, better]).toEqual(["frechet", "lower"]);
  const values = trials.map((trial) => trial.results[0]?.value ?? Number.NaN);
  expect(values.every((value) => value > 0)).toBe(true);
  expect(values[0]).toBeLessThanOrEqual(values[1] ?? Number.NaN); // from the best to the worst
  expect(winner?.command).toMatch(/--set width=[23]/);
  const html = await readFile(page, "utf8");
  expect(html).toContain("data:image/webp"); // the winner's samples
  expect(html).toContain("frechet");
});
