import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import { afterAll, beforeAll, expect, test } from "vitest";
import { compareRuns } from "./compare.ts";
import { imageGrid } from "./grid.ts";
import { emojiPixels } from "./testing.ts";

let root = "";
const nasty = `<img src=x onerror="alert('1')">`;

/** A run folder with a line of log every `every` steps and a sample grid at each of `sampled`. */
async function putRun(run: {
  name: string;
  lr: number;
  every: number;
  sampled: readonly number[];
  log?: object;
}): Promise<void> {
  const dir = join(root, run.name);
  await mkdir(join(dir, "samples"), { recursive: true });
  const options = {
    ...{ recipe: "dcgan", data: "emoji", preset: "small", seed: 0, shape: [3, 16, 16] },
    ...{
      options: { lr: run.lr, batch: 64 },
      budget: { steps: 300 },
      dataSettings: { fit: "crop" },
    },
  };
  await writeFile(join(dir, "options.json"), JSON.stringify(options));
  const lines = [1, 2, 3, 4].map((i) => {
    const step = i * run.every;
    const log = { "D/real": 1, "loss/D": run.lr * i, "metric/frechet": 100 / i, ...run.log };
    return `${JSON.stringify({ step, nImages: 64 * step, timeMs: 10 * step, log })}\n`;
  });
  await writeFile(join(dir, "stats.jsonl"), lines.join(""));
  const pixels = await emojiPixels({ n: 4, size: 16 });
  const png = await imageGrid({ pixels, shape: [4, 3, 16, 16], range: [0, 255] });
  for (const step of run.sampled)
    await writeFile(join(dir, "samples", `${String(step).padStart(8, "0")}.png`), png);
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-compare-"));
  await putRun({ name: "0001-dcgan-emoji", lr: 0.1, every: 50, sampled: [0, 100, 200] });
  const log = { [nasty]: 1, "loss/E": 2 };
  await putRun({ name: "0002-dcgan-emoji", lr: 0.2, every: 25, sampled: [0, 40, 100], log });
});
afterAll(() => rm(root, { recursive: true }));

const both = ["1", "0002-dcgan-emoji"];

test("runs are compared in numbers, and in the options that differ", async () => {
  const { runs, differences } = await compareRuns({ runs: root, compare: both });
  expect(differences).toEqual([{ option: "lr", values: ["0.1", "0.2"] }]);
  expect(runs[0]).toEqual({
    ...{ name: "0001-dcgan-emoji", recipe: "dcgan", data: "emoji" },
    ...{ step: 200, nImages: 12_800, timeMs: 2000 },
    finals: { "D/real": 1, "loss/D": 0.4, "metric/frechet": 25 },
  });
  expect(runs[1]?.finals).toMatchObject({ "loss/D": 0.8, "loss/E": 2 });
});

test("the page draws all runs over the same steps, and asks nothing of any network", async () => {
  const out = join(root, "compare.html");
  await compareRuns({ runs: root, compare: both, out });
  const page = await readFile(out, "utf8");
  const { document } = parseHTML(page);
  const texts = (selector: string): string[] =>
    [...document.querySelectorAll(selector)].map((e) =>
      (e.textContent ?? "").replaceAll(/\s+/g, " ").trim(),
    );
  expect(texts(".chart b")).toEqual(["metric/frechet", "loss/D", "loss/E", "D/real", nasty]);
  const lossD = [...document.querySelectorAll(".chart")][1];
  expect(lossD?.querySelectorAll('[aria-label="line"] path').length).toBe(2);
  const lossE = [...document.querySelectorAll(".chart")][2]; // of the second run alone: its colour
  expect(lossE?.querySelector('[aria-label="line"]')?.getAttribute("stroke")).toBe(
    "var(--series-2)",
  );
  const ticks = [...document.querySelectorAll(".chart")].map(
    (c) => [...c.querySelectorAll('[aria-label="x-axis tick label"] text')].at(-1)?.textContent,
  );
  expect(new Set(ticks)).toEqual(new Set(["200"])); // all charts end where the longest run does
  expect(texts("#moments thead th")).toEqual([
    "",
    "step 0",
    "step 40",
    "step 80",
    "step 120",
    "step 160",
    "step 200",
  ]);
  const steps = [...document.querySelectorAll("#moments tbody tr")].map((row) =>
    [...row.querySelectorAll("td")].map((cell) => cell.getAttribute("data-step")),
  );
  expect(steps).toEqual([
    ["step 0", null, "step 100", "step 100", null, "step 200"],
    ["step 0", "step 40", "step 100", "step 100", null, null],
  ]);
  expect(page).not.toContain("<img src=x");
  expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|url\(|@import|import\(/);
});

test("what eval found stands side by side, the best of equal counts marked", async () => {
  for (const [name, value] of [
    ["0001-dcgan-emoji", 3],
    ["0002-dcgan-emoji", 2],
  ] as const) {
    const side = { name, n: 100, shape: [3, 16, 16], resizer: "none", key: "0" };
    const score = { metric: "frechet", title: "Fréchet distance", value, better: "lower" };
    const judgement = {
      ...{ generated: side, reference: side, seed: 0, notes: [] },
      features: { name: "pixels-8", about: "pixels", resizer: "area", digest: "ab".repeat(32) },
      scores: [{ ...score, nGenerated: 100, nReference: 100 }],
      verdict: [`It is ${value} off.`],
    };
    await writeFile(join(root, name, "metrics.jsonl"), `${JSON.stringify(judgement)}\n`);
  }
  const out = join(root, "judged.html");
  const { runs } = await compareRuns({ runs: root, compare: both, out });
  expect(runs.map((run) => run.judgement?.verdict)).toEqual([["It is 3 off."], ["It is 2 off."]]);
  const { document } = parseHTML(await readFile(out, "utf8"));
  const row = [...document.querySelectorAll("tbody tr")].find(
    (r) => r.querySelector("th")?.textContent === "Fréchet distance (pixels-8)",
  );
  const cells = [...(row?.querySelectorAll("td") ?? [])];
  expect(cells.map((cell) => cell.querySelector("b")?.textContent)).toEqual([undefined, "2"]);
  const cellsOf = (name: string): (string | null)[] => {
    const rows = [...document.querySelectorAll("tbody tr")];
    const found = rows.find((r) => r.querySelector("th")?.textContent === name);
    return [...(found?.querySelectorAll("td") ?? [])].map((cell) => cell.textContent);
  };
  expect(cellsOf("features")).toEqual(Array(2).fill("pixels-8 (sha256 abababababab…)"));
  expect(cellsOf("resized for them")).toEqual(["area", "area"]);
  expect(cellsOf("judged against")[1]).toBe("0002-dcgan-emoji, 100, resized: none");
});

test("how each run was doing stands beside its numbers", async () => {
  const verdict = { name: "too early", since: 1, text: "", evidence: {}, advice: "" };
  const line = { step: 1, nImages: 1, timeMs: 1, log: { "weight/G": 1 }, verdict };
  await mkdir(join(root, "0003-dcgan-emoji"));
  const options = { recipe: "dcgan", data: "emoji" };
  await writeFile(join(root, "0003-dcgan-emoji", "options.json"), JSON.stringify(options));
  await writeFile(join(root, "0003-dcgan-emoji", "stats.jsonl"), `${JSON.stringify(line)}\n`);
  const out = join(root, "healthy.html");
  const { runs } = await compareRuns({ runs: root, compare: ["1", "3"], out });
  expect(runs.map((run) => run.health?.name)).toEqual([undefined, "too early"]);
  const { document } = parseHTML(await readFile(out, "utf8"));
  const row = [...document.querySelectorAll("tbody tr")].find(
    (r) => r.querySelector("th")?.textContent === "health",
  );
  const cells = [...(row?.querySelectorAll("td") ?? [])].map((cell) => cell.textContent);
  expect(cells[0]).toBe("–");
  expect(cells[1]).toMatch(/^too early, since step 1: /);
});

test("what cannot be compared is refused in one sentence", async () => {
  const ask = (...compare: string[]) => compareRuns({ runs: root, compare });
  const error = async (...compare: string[]) =>
    String(await ask(...compare).catch(String)).replaceAll(root, "RUNS");
  expect(await error("1")).toMatchInlineSnapshot(
    `"UserError: One run was named; a comparison takes 2 to 6."`,
  );
  expect(await error("1", "0001-dcgan-emoji")).toMatchInlineSnapshot(
    `"UserError: Run 0001-dcgan-emoji was named twice. Name different runs."`,
  );
  expect(await error("1", "4")).toMatchInlineSnapshot(
    `"UserError: There is no run 4 in RUNS. The latest are 0001-dcgan-emoji, 0002-dcgan-emoji, 0003-dcgan-emoji."`,
  );
});
