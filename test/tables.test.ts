import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { runJobs, type Job, type Result } from "../scripts/tables/jobs.ts";
import { mixtureJobs, rows } from "../scripts/tables/mixtures.ts";
import { pageText, summary, tables, tableText } from "../scripts/tables/page.ts";

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
    "| gan | 9 steps | 2 | 7.5 ± 0.5 | 50.0 ± 0.0 | – | 6.3 ± 0.5 | 98.2 ± 0.2 | 0.45 ± 0.09 |",
    "| pacgan 2 | not run | 0 | – | – | – | 7.9 ± 0.1 | 95.6 ± 2.0 | 0.07 ± 0.03 |",
  ]);
});

test("the page holds the results that are on file", () => {
  const file = join(import.meta.dirname, "../scripts/tables/results.json");
  expect(existsSync(file)).toBe(true);
  const results = JSON.parse(readFileSync(file, "utf8")) as Result[];
  const page = readFileSync(join(import.meta.dirname, "../docs/zoo/tables.md"), "utf8");
  const bare = (text: string): string => text.replaceAll(/ +/g, " ").replaceAll(/-{3,}/g, "---");
  expect(bare(page)).toBe(bare(pageText(page, results)));
});
