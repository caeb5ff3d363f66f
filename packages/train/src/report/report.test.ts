import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseHTML } from "linkedom";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { imageGrid } from "./grid.ts";
import { writeReport } from "./report.ts";
import { readLog, rollbacksOf } from "./run-record.ts";
import { emojiPixels } from "./testing.ts";

let root: string;
const grids: Uint8Array[] = []; // ever sharper, the last one real

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-report-"));
  const shape = [16, 3, 32, 32] as const;
  for (const blur of [8, 3, undefined]) {
    const pixels = await emojiPixels({ n: 16, size: 32, ...(blur === undefined ? {} : { blur }) });
    grids.push(await imageGrid({ pixels, shape, range: [0, 255] }));
  }
});
afterAll(() => rm(root, { recursive: true }));

const options = {
  recipe: "dcgan",
  about: "the convolutional GAN that most others start from",
  paper: "arXiv:1511.06434",
  preset: "small",
  options: { batch: 64, lr: 0.0002 },
  data: "emoji",
  select: { group: "flags" },
  dataSettings: { fit: "crop", background: "#ffffff", flip: true },
  nRecords: 3391,
  shape: [3, 32, 32],
  budget: { steps: 300 },
  seed: 7,
  device: "cpu",
  threads: 2,
};

/** A line as a DCGAN run logs it. */
const ganLine = (step: number) => ({
  step,
  nImages: 64 * step,
  timeMs: 200 * step,
  log: {
    "loss/D": 1 / step,
    "loss/G": 2,
    "D/real": 1.5,
    "D/fake": -1.5,
    "D/accuracyReal": 0.9,
    "D/accuracyFake": 0.8,
    "speed/imagesPerSecond": 320,
  },
});

const linesWith = (log: object) => [1, 2].map((step) => ({ ...ganLine(step), log }));

interface Folder {
  readonly name?: string;
  readonly options?: object;
  readonly lines?: readonly object[];
  /** What stands after the last whole line. */
  readonly tail?: string;
  readonly samples?: Readonly<Record<string, Uint8Array>>;
}
let nFolders = 0;

async function written(folder: Folder): Promise<string> {
  const dir = join(root, String(nFolders++), folder.name ?? "0001-dcgan-emoji");
  await mkdir(join(dir, "samples"), { recursive: true });
  await writeFile(join(dir, "options.json"), JSON.stringify(folder.options ?? options));
  const lines = (folder.lines ?? []).map((line) => `${JSON.stringify(line)}\n`).join("");
  await writeFile(join(dir, "stats.jsonl"), lines + (folder.tail ?? ""));
  for (const [name, bytes] of Object.entries(folder.samples ?? {})) {
    await writeFile(join(dir, "samples", name), bytes);
  }
  return dir;
}

async function report(folder: Folder) {
  const dir = await written(folder);
  const page = await readFile(await writeReport({ dir }), "utf8");
  const { document } = parseHTML(page);
  const texts = (selector: string): string[] =>
    [...document.querySelectorAll(selector)].map((e) => spaced(e.textContent ?? ""));
  return { page, document, texts, summary: texts("main > p")[0] };
}

const spaced = (text: string): string => text.replaceAll(/\s+/g, " ").trim();

describe("the report of a GAN", () => {
  const lines = [100, 200, 300].map(ganLine);
  const [early, late, real] = [0, 1, 2].map((i) => () => grids[i] ?? new Uint8Array());
  const whole = (): Folder => ({
    lines,
    samples: {
      "00000000.png": early?.() ?? new Uint8Array(),
      "00000300.png": late?.() ?? new Uint8Array(),
      "real.png": real?.() ?? new Uint8Array(),
    },
  });

  test("says what was trained, on what, how long and how well", async () => {
    const { summary, texts } = await report(whole());
    expect(summary).toMatchInlineSnapshot(
      `"dcgan, the convolutional GAN that most others start from (arXiv:1511.06434), was trained on 3,391 images of emoji at 32 × 32 pixels, RGB, preset small: 300 steps (19,200 images seen) in 1 min 0 s on cpu with 2 threads, 320 images a second. Means over the last tenth of the log: loss/D 0.00333, loss/G 2, D/real 1.5, D/fake -1.5, D/accuracyReal 0.9, D/accuracyFake 0.8."`,
    );
    expect(texts("h1")).toEqual(["dcgan on emoji"]);
    expect(texts("title")).toEqual(["dcgan on emoji, step 300 · Duelo"]);
    expect(texts("h2")).toMatchInlineSnapshot(`
      [
        "Samples beside real data",
        "Losses",
        "Telling real from generated",
        "Other numbers",
        "Samples over time",
        "Use it",
        "Options",
      ]
    `);
  });

  test("draws each number once, real and generated together", async () => {
    const { document, texts } = await report(whole());
    expect(texts(".chart figcaption")).toMatchInlineSnapshot(`
      [
        "Loss of each net loss/Dloss/G",
        "Mean output of D realgenerated",
        "Accuracy of D realgenerated",
        "speed/imagesPerSecond",
      ]
    `);
    expect(document.querySelectorAll(".chart svg").length).toBe(4);
    const paths = [...document.querySelectorAll('.chart svg [aria-label="line"] path')];
    expect(paths.map((p) => p.getAttribute("d")?.match(/[ML]/g)?.length)).toEqual(Array(7).fill(3));
  });

  test("holds the last samples, real data and the strip as pictures", async () => {
    const { document } = await report(whole());
    const pair = [...document.querySelectorAll(".pair img")].map(
      (e) => e.getAttribute("src") ?? "",
    );
    expect(pair.length).toBe(2);
    for (const [src, png] of [
      [pair[0], late?.()],
      [pair[1], real?.()],
    ] as const) {
      const bytes = Buffer.from(src?.split(",")[1] ?? "", "base64");
      expect(await meanDifference(bytes, png ?? new Uint8Array())).toBeLessThan(6);
    }
    expect(document.querySelectorAll("#film img").length).toBe(2);
    const slider = document.querySelector("#viewer input");
    expect([slider?.getAttribute("min"), slider?.getAttribute("max")]).toEqual(["0", "1"]);
    expect([...document.querySelectorAll("img")].every((e) => e.hasAttribute("alt"))).toBe(true);
  });

  test("asks nothing of any network", async () => {
    const { page, document } = await report(whole());
    const links = [...document.querySelectorAll("[src], [href]")].flatMap((e) => [
      e.getAttribute("src") ?? "data:",
      e.getAttribute("href") ?? "data:",
    ]);
    expect(links.filter((link) => !link.startsWith("data:"))).toEqual([]);
    expect(page.replaceAll("http://www.w3.org/", "")).not.toMatch(/https?:|url\(|@import|import\(/);
    const policy = document.querySelector("meta[http-equiv]")?.getAttribute("content");
    expect(policy).toContain("default-src 'none'");
  });

  test("tells how to use it, and every option", async () => {
    const { document, texts } = await report(whole());
    const commands = [...document.querySelectorAll("pre")].map((e) => e.textContent);
    expect(commands).toMatchInlineSnapshot(`
      [
        "duelo sample 0001-dcgan-emoji -n 64",
        "duelo export 0001-dcgan-emoji",
        "duelo train dcgan --data emoji \\
        --select group=flags \\
        --size 32x32 \\
        --channels 3 \\
        --fit crop \\
        --background '#ffffff' \\
        --flip \\
        --preset small \\
        --set batch=64 \\
        --set lr=0.0002 \\
        --steps 300 \\
        --seed 7 \\
        --device cpu \\
        --threads 2",
      ]
    `);
    expect(texts("tbody tr")).toMatchInlineSnapshot(`
      [
        "preset small",
        "seed 7",
        "device cpu",
        "threads 2",
        "budget: steps 300",
        "batch 64",
        "lr 0.0002",
        "data: fit crop",
        "data: background #ffffff",
        "data: flip true",
      ]
    `);
  });
});

/** Mean absolute difference of two pictures, 0 to 255. */
async function meanDifference(a: Uint8Array, b: Uint8Array): Promise<number> {
  const [x, y] = await Promise.all(
    [a, b].map((bytes) => sharp(bytes).removeAlpha().raw().toBuffer()),
  );
  if (!x || !y || x.length !== y.length) throw new Error("two sizes");
  return x.reduce((sum, v, i) => sum + Math.abs(v - (y[i] ?? 0)), 0) / x.length;
}

describe("a log that is not as it should be", () => {
  test("nothing logged, no pictures: a page all the same", async () => {
    const { summary, document } = await report({ options: { recipe: "vae", data: "digits" } });
    expect(summary).toMatchInlineSnapshot(
      `"vae, was trained on records of digits: 0 steps. Nothing was logged yet."`,
    );
    expect(document.querySelectorAll("svg, img, figure").length).toBe(0);
  });

  test("one point is a dot", async () => {
    const { document } = await report({ lines: [ganLine(10)] });
    expect(document.querySelectorAll(".chart svg circle").length).toBe(7);
  });

  test("a hundred thousand points become a small page that keeps the highest", async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => ({
      step: i + 1,
      nImages: i,
      timeMs: i,
      log: { "loss/D": i === 77_777 ? 5000 : Math.sin(i) },
    }));
    const { page, texts } = await report({ lines });
    expect(page.length).toBeLessThan(60_000);
    expect(texts(".chart svg text")).toContain("5K");
  });

  test("numbers that are none are gaps, and told of", async () => {
    const lines = [1, 2, 3, 4].map((step) => ({
      ...ganLine(step),
      log: { "loss/G": step === 2 ? null : step, "loss/D": null },
    }));
    const { document, texts, summary } = await report({ lines });
    expect(texts(".warning")).toMatchInlineSnapshot(`
      [
        "loss/G was not a number at 1 of 4 logged steps, first at step 2.",
        "loss/D was not a number at 4 of 4 logged steps, first at step 1.",
      ]
    `);
    expect(summary).toContain("loss/G 4, loss/D not a number");
    const lineG = document.querySelector('[aria-label="line"] path');
    expect(lineG?.getAttribute("d")?.match(/M/g)?.length).toBe(2);
  });

  test("a half line at the end is left out in silence, a damaged one is told of", async () => {
    const half = await report({ lines: [ganLine(1)], tail: '{"step":2,"nIm' });
    expect(half.texts(".warning")).toEqual([]);
    const damaged = await report({ lines: [ganLine(1)], tail: '{"st\0\n' });
    expect(damaged.texts(".warning")).toEqual([
      "1 line of stats.jsonl could not be read and is left out.",
    ]);
  });

  test("steps that come again after a resume replace the earlier ones", async () => {
    const lines = [10, 20, 30, 20].map(ganLine);
    const [png = new Uint8Array()] = grids;
    const { summary, document } = await report({ lines, samples: { "00000025.png": png } });
    expect(summary).toContain("20 steps (1,280 images seen) in 4 s");
    const path = document.querySelector('[aria-label="line"] path');
    expect(path?.getAttribute("d")?.match(/[ML]/g)?.length).toBe(2);
  });

  test("a WGAN has no accuracy, a VAE no D", async () => {
    const wgan = await report({
      lines: linesWith({ "loss/D": 1, "D/real": 2, "D/fake": 1, "D/distance": 1 }),
    });
    expect(wgan.texts(".chart b")).toEqual(["Loss of each net", "Mean output of D", "D/distance"]);
    const vae = await report({ lines: linesWith({ "loss/E": 1, "bound/divergence": 2 }) });
    expect(vae.texts(".chart b")).toEqual(["Loss of each net", "bound/divergence"]);
    expect(vae.texts("h2")).not.toContain("Telling real from generated");
  });

  test("a picture that was cut short is left out and told of", async () => {
    const [png = new Uint8Array()] = grids;
    const { document, texts } = await report({
      samples: { "00000001.png": png.subarray(0, 50), "00000002.png": png, "notes.txt": png },
    });
    expect(texts(".warning")).toEqual(["samples/00000001.png could not be read and is left out."]);
    expect(document.querySelectorAll("img[src]").length).toBe(1);
    expect(texts("title")).toEqual(["dcgan on emoji, step 2 · Duelo"]); // nothing was logged
  });

  test("of many sample grids, forty with the first and the last", async () => {
    const [png = new Uint8Array()] = grids;
    const small = await sharp(png).resize(8).png().toBuffer();
    const names = Array.from({ length: 101 }, (_, i) => `${String(i).padStart(8, "0")}.png`);
    const { texts } = await report({ samples: Object.fromEntries(names.map((n) => [n, small])) });
    const steps = texts("#film figcaption");
    expect([steps.length, steps[0], steps.at(-1)]).toEqual([40, "Step 0", "Step 100"]);
  });
});

test("names from outside stay text", async () => {
  const nasty = `</title></style></script><img src=x onerror="alert('1')">&amp;`;
  const { document, texts, page } = await report({
    name: "0001-<b>'",
    options: { ...options, recipe: nasty, data: nasty, about: nasty, options: { [nasty]: nasty } },
    lines: [1, 2].map((step) => ({ ...ganLine(step), log: { [nasty]: 1, [`loss/${nasty}`]: 2 } })),
  });
  expect(page).not.toContain("<img");
  expect(page).not.toContain("0001-<b>");
  expect(texts("h1")).toEqual([`${nasty} on ${nasty}`]);
  expect(document.querySelectorAll("script").length).toBe(1);
  expect(document.querySelectorAll("style").length).toBe(3); // the page's and one in each chart
  const commands = texts("pre");
  expect(commands.length).toBe(1); // it has no samples, so nothing makes any
  expect(commands[0]).toMatch(/^duelo train '<\/title>/);
});

describe("the health of a run", () => {
  const probed = (step: number, name: string, log: object = {}) => ({
    ...ganLine(step),
    log: { ...ganLine(step).log, "weight/G": 5, "health/diversity": 0.5, ...log },
    verdict: { name, since: step, text: "said then", evidence: {}, advice: "Wait." },
  });

  test("is a section of its own: the verdict, what was said over time, and its numbers", async () => {
    const lines = Array.from({ length: 30 }, (_, i) =>
      probed(10 * (i + 1), "too early", { "health/distance": 1 / (i + 1), "health/clusters": i }),
    );
    const { texts, document } = await report({ lines });
    expect(texts("h2")).toContain("Health");
    const verdict = texts("h2 + p").find((text) => text.includes("since step"));
    expect(verdict).toMatch(/^healthy, since step \d+: .+\. Let it train\.$/);
    expect(texts(".said li")).toEqual([
      expect.stringMatching(/^steps 10 to \d+: too early$/),
      expect.stringMatching(/^steps \d+ to 300: healthy$/),
    ]);
    expect(document.querySelector(".strip")?.getAttribute("aria-label")).toContain("healthy");
    const charts = texts(".chart b");
    expect(charts).toContain("distance of samples to the data; 0 is alike");
    expect(charts.filter((title) => title.startsWith("health/"))).toEqual([]); // not twice
  });

  test("a rollback takes back what came after the step that it leads to", async () => {
    const back = (step: number, from: number) => ({ step, log: {}, rollback: { from, rate: 0.5 } });
    const steps = [10, 20, 30].map((step) => probed(step, "healthy"));
    const again = [probed(30, "healthy"), back(20, 35), probed(40, "healthy")];
    const { lines } = await readLog(await written({ lines: [...steps, back(20, 33), ...again] }));
    expect(lines.map(({ step }) => step)).toEqual([10, 20, 20, 20, 40]);
    expect(rollbacksOf(lines)).toEqual([
      { to: 20, from: 33, rate: 0.5 },
      { to: 20, from: 35, rate: 0.5 },
    ]);
  });

  test("tells of returns after divergence, and says nothing where nothing was probed", async () => {
    const back = { ...probed(20, "healthy"), rollback: { from: 40, rate: 0.5 } };
    const { texts } = await report({ lines: [probed(10, "healthy"), back] });
    expect(texts(".warning")).toEqual([
      "Diverged at step 40; went back to step 20 with 0.5 of the learning rate.",
    ]);
    expect((await report({ lines: [ganLine(1)] })).texts("h2")).not.toContain("Health");
  });
});

describe("a folder that is no run", () => {
  test("without options.json", async () => {
    const error = await writeReport({ dir: "/nowhere/at/all" }).catch(String);
    expect(error).toMatchInlineSnapshot(
      `"UserError: /nowhere/at/all is not a run folder: it has no options.json. Name a folder that duelo train made."`,
    );
  });

  test("with other JSON in it", async () => {
    const dir = await mkdtemp(join(root, "other-"));
    for (const content of ["{", '{"recipe": 3}']) {
      await writeFile(join(dir, "options.json"), content);
      const error = await writeReport({ dir }).catch(String);
      expect(String(error).replace(dir, "RUN")).toMatchInlineSnapshot(
        `"UserError: RUN/options.json is not the options of a run (JSON with recipe and data). Undo what was changed in it."`,
      );
    }
  });
});
