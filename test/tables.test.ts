import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { fashionJobs } from "../scripts/tables/fashion.ts";
import { healthText } from "../scripts/tables/health/page.ts";
import type { HealthResult } from "../scripts/tables/health/results.ts";
import { setups } from "../scripts/tables/health/setups.ts";
import { runJobs, type Job, type Result } from "../scripts/tables/jobs.ts";
import { mixtureJobs, rows } from "../scripts/tables/mixtures.ts";
import { marked, pageText, summary, tables, tableText } from "../scripts/tables/page.ts";
import { stackedJobs } from "../scripts/tables/stacked.ts";
import { translationJobs } from "../scripts/tables/translation.ts";
import { upscalingJobs } from "../scripts/tables/upscaling.ts";
import { generatorJobs } from "../scripts/tables/generators.ts";

const home = mkdtempSync(join(tmpdir(), "tables-"));
afterAll(() => rmSync(home, { recursive: true }));
const say = (): void => {};

test("every row of the mixtures trains and is judged, in two steps", async () => {
  const jobs = mixtureJobs({ seeds: 1, steps: 2, runs: join(home, "runs") });
  expect(jobs.length).toBe(2 * rows.length);
  const ring = jobs.filter((job) => job.data === "ring8");
  const results = await runJobs(ring, { file: join(home, "mixtures.jsonl"), say });
  expect(results.map((r) => r.row)).toEqual(rows.map((r) => r.name));
  for (const { scores } of results) {
    expect(scores["modes"]).toBeLessThanOrEqual(8);
    expect(scores["highQuality"]).toBeLessThanOrEqual(1);
  }
}, 300_000);

const hasFashion = existsSync("/usr/share/datasets/fashion-mnist");
test.skipIf(!hasFashion)(
  "rows of pictures train and are judged, in two steps",
  async () => {
    const plan = { seeds: 1, budget: { seconds: 1, steps: 2 }, runs: join(home, "runs") };
    const places = { ...plan, nSamples: 300, cacheDir: join(home, "cache") };
    const file = join(home, "pictures.jsonl");
    const first = (jobs: readonly Job[]): Job[] => jobs.slice(0, 1);
    const [stacked] = await runJobs(first(stackedJobs(places)), { file, say });
    expect(stacked?.judge).toBe("fashion-classifier");
    expect(stacked?.scores["modes"]).toBeLessThanOrEqual(300);
    const [fashion] = await runJobs(first(fashionJobs(places)), { file, say });
    expect(fashion?.scores).toMatchObject({ steps: 2, recall: expect.any(Number) as number });
    const garments = generatorJobs(places).filter((job) => job.data === "fashion-mnist");
    const [generator] = await runJobs(first(garments), { file, say });
    const { frechet = 0, frechetLow, frechetHigh } = generator?.scores ?? {};
    expect(frechetLow).toBeLessThan(frechet);
    expect(frechetHigh).toBeGreaterThan(frechet);
  },
  300_000,
);

test("rows that are held against the truth are judged on what was kept apart", async () => {
  const plan = { seeds: 1, budget: { seconds: 1, steps: 2 }, runs: join(home, "runs") };
  const places = { ...plan, nSamples: 20, cacheDir: join(home, "cache") };
  const file = join(home, "truth.jsonl");
  const chosen = (jobs: readonly Job[], ...names: string[]): Job[] =>
    jobs.filter((job) => names.includes(job.row));
  const of = (data: string, jobs: readonly Job[]): Job[] => jobs.filter((j) => j.data === data);
  const phosphor = of("phosphor", translationJobs(places));
  const icons = await runJobs(chosen(phosphor, "identity", "pix2pix"), { file, say });
  expect(icons.map((r) => r.scores["steps"])).toEqual([undefined, 2]);
  for (const { scores } of icons) expect(scores["ssimLow"]).toBeLessThan(scores["ssimHigh"] ?? 0);
  const emoji = of("emoji", upscalingJobs(places));
  const large = await runJobs(chosen(emoji, "bicubic", "esrgan-slim"), { file, say });
  for (const { scores } of large) expect(scores["psnr"]).toBeGreaterThan(18);
}, 300_000);

test("a finished job is not run again, also after a line that was cut short", async () => {
  let nRuns = 0;
  const job: Job = {
    ...{ table: "t", row: "r", data: "d", seed: 1, budget: "1 step" },
    run: async () => ({ judge: "j", scores: { a: ++nRuns } }),
  };
  const file = join(home, "jobs.jsonl");
  writeFileSync(file, '{"table": "t", "row": "r", "da');
  const results = await runJobs([job], { file, say });
  expect(await runJobs([job], { file, say })).toEqual(results);
  expect(await runJobs([{ ...job, seed: 2 }], { file, say })).toHaveLength(1);
  expect(nRuns).toBe(2);
});

test("a table shows mean and standard error, and says what was not run", () => {
  expect(summary([1, 2, 3], 2)).toBe("2.00 ± 0.58");
  expect(summary([4], 1)).toBe("4.0");
  const one = tables.find((t) => t.data === "ring8");
  if (one === undefined) throw new TypeError("no ring8");
  const results = [7, 8].map((modes, i): Result => ({
    ...{ table: "mixtures", row: "gan", data: "ring8", seed: i, budget: "9 steps", judge: "raw" },
    ...{ cpuSeconds: 1, scores: { modes, highQuality: 0.5 } },
  }));
  const lines = tableText({ ...one, rows: one.rows.slice(0, 2) }, results).split("\n");
  expect(lines.slice(2)).toEqual([
    "| gan | 9 steps | 1 | 2 | 7.5 ± 0.5 | 50.0 ± 0.0 | – | 6.3 ± 0.5 | 98.2 ± 0.2 | 0.45 ± 0.09 |",
    "| pacgan 2 | not run | – | 0 | – | – | – | 7.9 ± 0.1 | 95.6 ± 2.0 | 0.07 ± 0.03 |",
  ]);
});

const page = (path: string): string =>
  readFileSync(join(import.meta.dirname, "../docs", path), "utf8");
const onFile = (name: string): unknown =>
  JSON.parse(readFileSync(join(import.meta.dirname, "../scripts/tables", name), "utf8"));
const bare = (text: string): string => text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");

test("the pages hold the results that are on file", () => {
  const text = page("zoo/tables.md");
  expect(bare(text)).toBe(bare(pageText(text, onFile("results.json") as Result[])));
  const health = page("guide/health.md");
  const said = healthText(setups, onFile("health.json") as HealthResult[]);
  expect(bare(health)).toBe(bare(marked(health, "verdicts", said)));
});

test("a verdict is right by its last name when a run is broken, by all of them when it is not", () => {
  const [good, broken] = [setups[0], setups.find((s) => s.broken !== undefined)];
  if (good === undefined || broken === undefined) throw new TypeError("no set-ups");
  const said = (row: string, ...names: string[]): HealthResult => ({
    ...{ row, seed: 3, cpuSeconds: 1, said: names.at(-1) ?? "", distance: 0 },
    timeline: names.map((name, from) => ({ name, from })),
  });
  const text = (...results: HealthResult[]): string => healthText([good, broken], results);
  const right = broken.right[0] ?? "";
  expect(
    text(said(good.name, "stalled", "healthy"), said(broken.name, "healthy", right)),
  ).toContain(
    "1 of 1 broken runs are called by the right name in the end, and 1 of 1 healthy ones raise",
  );
  expect(text(said(good.name, "healthy"), said(broken.name, right, "healthy"))).toContain(
    "0 of 1 broken runs are called by the right name in the end, and 0 of 1 healthy ones raise",
  );
});
