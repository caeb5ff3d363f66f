import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openData } from "../data/open.ts";
import { readField } from "../feeder.ts";
import { train } from "../loop.ts";
import { mean } from "../metrics/bootstrap.ts";
import { l1Distance, resizedBicubic } from "../metrics/pictures.ts";
import { encodeImages } from "../report/grid.ts";
import { emojiPixels } from "../report/testing.ts";
import { evaluate, type EvaluateRequest } from "./evaluate.ts";
import { readJudgements } from "./judgement.ts";
import { findMetric, metrics } from "./metric-table.ts";

let root = "";
const size = 16;
const n = 40;

/** Writes images [n, 3, 16, 16] as a folder, some in each of two classes where asked. */
async function put(
  folder: string,
  pixels: Uint8Array,
  { classes = [""], side = size }: { classes?: readonly string[]; side?: number } = {},
): Promise<void> {
  const count = pixels.length / (3 * side * side);
  const files = await encodeImages({ pixels, shape: [count, 3, side, side], range: [0, 255] });
  for (const name of classes) await mkdir(join(root, folder, name), { recursive: true });
  for (const [i, bytes] of files.entries()) {
    const name = `${String(i).padStart(3, "0")}.png`;
    await writeFile(join(root, folder, classes[i % classes.length] ?? "", name), bytes);
  }
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-judge-"));
  const all = await emojiPixels({ n: 2 * n, size });
  const half = all.length / 2;
  await put("real", all.subarray(0, half));
  await put("others", all.subarray(half));
  await put("blurred", await emojiPixels({ n, size, blur: 2 }));
  await put("copied", all.subarray(0, half));
  await put("same", new Uint8Array(20 * 3 * size * size).fill(90));
  await put("few", all.subarray(0, 5 * 3 * size * size));
  await put("larger", await emojiPixels({ n: 12, size: 20 }), { side: 20 });
  await put("mixed", all.subarray(0, 12 * 3 * size * size));
  await put("mixed", await emojiPixels({ n: 2, size: 20 }), { side: 20 });
  await put("classed", all.subarray(0, half), { classes: ["a", "b"] });
  const bright = (i: number): boolean => i % 2 === 1; // two kinds that can be told apart
  const tinted = all.map((v, at) => (bright(Math.floor(at / (3 * size * size))) ? v : v >> 1));
  await put("tinted", tinted, { classes: ["dark", "light"] });
  await put("crossed", tinted, { classes: ["light", "dark"] });
  await put(
    "small",
    new Uint8Array(20 * 3 * 64).map((_, i) => (i * 37) % 251),
    { side: 8 },
  );
  await mkdir(join(root, "grey"));
  for (let i = 0; i < 12; i++) {
    const png = await sharp({
      create: {
        width: size,
        height: size,
        channels: 3,
        background: { r: 9 * i, g: 9 * i, b: 9 * i },
      },
    })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    await writeFile(join(root, "grey", `${i}.png`), png);
  }
});
afterAll(() => rm(root, { recursive: true }));

const ask = (judged: string, over: Partial<EvaluateRequest> = {}): EvaluateRequest => ({
  ...{ runs: join(root, "runs"), cacheDir: join(root, "cache") },
  judged: join(root, judged),
  against: join(root, "real"),
  ...over,
});

async function scoresOf(judged: string, over: Partial<EvaluateRequest> = {}) {
  const { judgement, picture } = await evaluate(ask(judged, over));
  const value = (metric: string): number =>
    judgement.scores.find((s) => s.metric === metric)?.value ?? Number.NaN;
  return { judgement, picture, value };
}

describe("folders of images", () => {
  test("a blurred copy is blurrier, and further off than other real images", async () => {
    const blurred = await scoresOf("blurred");
    const others = await scoresOf("others");
    expect(blurred.value("sharpness")).toBeLessThan(0.5);
    expect(blurred.judgement.verdict.join(" ")).toMatch(/It is blurrier than the data \(sharpness/);
    expect(others.judgement.verdict.join(" ")).not.toContain("blurrier");
    expect(others.judgement.verdict.join(" ")).not.toContain("copies");
  });

  test("a copy of the data is at distance 0 and said to be one", async () => {
    const { judgement, value, picture } = await scoresOf("copied");
    expect(value("frechet")).toBeCloseTo(0, 8);
    for (const metric of ["precision", "recall", "coverage"]) expect(value(metric)).toBe(1);
    expect(value("sharpness")).toBeCloseTo(1, 12);
    expect(value("copies")).toBe(1);
    expect(judgement.verdict.at(-1)).toMatch(
      /^It copies real \(100 % of its samples are near copies/,
    );
    expect((await sharp(picture).metadata()).height).toBe(2 * 64 + 2); // generated, nearest real
  });

  test("each number comes with what it must be read with", async () => {
    const { judgement } = await scoresOf("others");
    expect(judgement).toMatchObject({
      generated: { name: "others", n, shape: [3, size, size], resizer: "crop to 16x16" },
      reference: { name: "real", n },
      features: { name: "pixels-8", resizer: "area to 8x8" },
      seed: 0,
      notes: [],
    });
    expect(judgement.scores.map((s) => s.metric)).toEqual(
      "frechet kernel precision recall density coverage ms-ssim sharpness copies".split(" "),
    );
    for (const { interval: [low, high] = [1, 0], value, floor } of judgement.scores) {
      expect(low).toBeLessThanOrEqual(value);
      expect(high).toBeGreaterThanOrEqual(value);
      expect(floor).toBeDefined();
    }
    expect((await scoresOf("others")).judgement).toEqual(judgement); // the same again
  });

  test("labels on both sides are used within classes", async () => {
    const real = { against: join(root, "classed"), metrics: ["class-fid"] };
    const { value, judgement } = await scoresOf("classed", real);
    expect(value("class-frechet")).toBeCloseTo(0, 8);
    const [score] = judgement.scores;
    expect(score?.floor).toBeGreaterThan(0);
    expect(score?.interval?.[1]).toBeGreaterThan(0);
  });

  test("labels that are right make a classifier of the other side right, crossed ones wrong", async () => {
    const asked = { against: join(root, "tinted"), metrics: ["cas"] };
    const right = await scoresOf("tinted", asked);
    const wrong = await scoresOf("crossed", asked);
    for (const name of ["classifier-score", "classifier-score-reverse"]) {
      expect(right.value(name)).toBeGreaterThan(0.9);
      expect(wrong.value(name)).toBeLessThan(0.1);
    }
    const [forth] = right.judgement.scores;
    expect(forth).toMatchObject({
      title: "Trained on generated, right on real (linear, on pixels-8)",
      ...{ nGenerated: 40, nReference: 40, better: "higher" },
    });
    expect(forth?.floor).toBeGreaterThan(0.9);
  });

  test(
    "samples that are too alike are seen by MS-SSIM and by layers of a network",
    { timeout: 300_000 },
    async () => {
      const asked = { metrics: ["ms-ssim", "lpips", "is"], features: "emoji-classifier" };
      const [same, own] = [await scoresOf("same", asked), await scoresOf("copied", asked)];
      expect(same.value("ms-ssim")).toBeCloseTo(1, 6);
      expect(same.value("perceptual")).toBeCloseTo(0, 6);
      expect(same.value("inception-score")).toBeCloseTo(1, 4);
      for (const name of ["ms-ssim", "perceptual", "inception-score"]) {
        const score = own.judgement.scores.find((s) => s.metric === name);
        expect(Math.abs((score?.value ?? Number.NaN) / (score?.floor ?? 1) - 1)).toBeLessThan(0.3);
        expect(score?.interval?.[0]).toBeLessThan(score?.value ?? Number.NaN);
        expect(score?.interval?.[1]).toBeGreaterThan(score?.value ?? Number.NaN);
      }
      expect(own.judgement.scores.map((s) => s.title)).toMatchInlineSnapshot(`
      [
        "MS-SSIM of pairs (1 of 5 scales)",
        "Perceptual distance of pairs to emoji-classifier",
        "Inception Score by emoji-classifier",
      ]
    `);
      expect(own.judgement.features.digest).toMatch(/^[0-9a-f]{64}$/);
    },
  );

  test("patches of blurred images are further off than those of the same images", async () => {
    const asked = { metrics: ["swd"] };
    const [blurred, copied] = [await scoresOf("blurred", asked), await scoresOf("copied", asked)];
    expect(blurred.value("sliced")).toBeGreaterThan(1.2 * copied.value("sliced"));
    const [score] = copied.judgement.scores;
    expect(score?.floor).toBeGreaterThan(0);
    expect(score?.interval?.[0]).toBeLessThan(score?.value ?? Number.NaN);
  });

  test("pairs are compared in the order of their names", async () => {
    const asked = { metrics: ["psnr", "ssim"] };
    const [copied, blurred] = [await scoresOf("copied", asked), await scoresOf("blurred", asked)];
    expect([copied.value("psnr"), copied.value("ssim")]).toEqual([100, 1]);
    expect(blurred.value("psnr")).toBeGreaterThan(10);
    expect(blurred.value("psnr")).toBeLessThan(40);
    expect(blurred.value("ssim")).toBeLessThan(0.95);
  });

  test("what one metric refuses is told of, and does not stop the others", async () => {
    const flat = new Uint8Array(20 * 3 * 256).map((_, at) => Math.floor(at / 768) * 9);
    await put("flat", flat);
    const { judgement } = await scoresOf("others", { against: join(root, "flat") });
    expect(judgement.notes).toEqual([
      expect.stringMatching(
        /^Left out: sharpness\. The images of .*flat are flat, without edges\.$/,
      ),
    ]);
    expect(judgement.scores.map((s) => s.metric)).toContain("frechet");
  });

  test("one image over and over is said to be that", async () => {
    const { judgement } = await scoresOf("same", { metrics: ["frechet"] });
    expect(judgement.verdict[0]).toBe(
      "All 20 samples of same are the same: it has collapsed to one.",
    );
  });

  test("what needs more samples is left out, and told of", async () => {
    const { judgement } = await scoresOf("few");
    expect(judgement.notes).toEqual([
      "Left out for want of samples: precision, recall, density, coverage.",
    ]);
  });
});

test("a set has no best checkpoint", async () => {
  await expect(evaluate(ask("others", { best: true }))).rejects.toThrow(
    "is no run, so it has no best checkpoint. Leave out --best.",
  );
});

describe("a run", () => {
  test("is judged against its own data, and keeps what was found", async () => {
    const cacheDir = join(root, "cache");
    const asked = {
      recipe: "gan-2d",
      data: "ring8",
      limit: 2000,
      set: { batch: 32, width: 16 },
      cacheDir,
    };
    const runs = join(root, "runs");
    const { dir } = await train({ ...asked, runs, budget: { steps: 5 }, holdOut: 0.1 });
    const { against: _, ...request } = ask("");
    const { judgement } = await evaluate({ ...request, judged: "latest" });
    expect(judgement.scores.map((s) => s.metric)).toEqual(["modes", "high-quality", "reverse-kl"]);
    expect(judgement.scores[0]).toMatchObject({ floor: 8, nGenerated: 2500 });
    expect(judgement.verdict[0]).toMatch(
      /^It (misses \d of|reaches all) 8 modes, and \d+ % of its/,
    );
    expect(judgement.heldOut?.split).toBe("held out");
    expect(await readJudgements(dir)).toEqual([judgement]);
    expect(await readFile(join(dir, "report.html"), "utf8")).toContain("Modes reached");
    const all = await evaluate({ ...request, judged: dir, metrics: ["memorisation"], n: 40 });
    expect(all.judgement.scores[0]).toMatchObject({ metric: "memorisation", nGenerated: 40 });
    expect((await readJudgements(dir)).length).toBe(2);
  });
});

test("of a mixture, the interval of the reverse KL holds its value", async () => {
  const request = ask("", { judged: "grid25", against: "grid25", metrics: ["reverse-kl"] });
  const [score] = (await evaluate(request)).judgement.scores;
  const [low = NaN, high = NaN] = score?.interval ?? [];
  expect(low).toBeGreaterThanOrEqual(0);
  expect(score?.value).toBeGreaterThanOrEqual(low);
  expect(score?.value).toBeLessThanOrEqual(high);
});

test("what makes pictures from others is judged against what they should be like", async () => {
  const runs = join(root, "translated");
  const set = { colour: "lab", patch: "1", widthG: 2, widthD: 2 };
  const asked = { data: join(root, "real"), derive: "grey", recipe: "pix2pix", set } as const;
  const cacheDir = join(root, "cache");
  await train({ ...asked, runs, cacheDir, threads: 1, height: size, budget: { steps: 1 } });
  const one = ask("", { runs, judged: "latest", n: 8, metrics: ["sharpness"] });
  const { judgement } = await evaluate(one);
  expect(judgement.generated.shape).toEqual([3, size, size]);
  expect(judgement.reference.shape).toEqual([3, size, size]);
  const { against: _, ...alone } = one;
  await expect(evaluate(alone)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: Run 0001-pix2pix-real makes its samples from other images, none of which were held out. Train with --hold-out 0.1, or name what they should be like with --against.]`,
  );
});

test("what makes one half of a pair from the other is judged by pairs that were held out", async () => {
  const runs = join(root, "paired");
  const cacheDir = join(root, "cache");
  const data = { data: join(root, "real"), derive: "grey", height: size, holdOut: 0.2 } as const;
  const set = { patch: "1", widthG: 2, widthD: 2 };
  const asked = { ...data, recipe: "pix2pix", set, runs, cacheDir, threads: 1, jitter: 0 };
  const { dir } = await train({ ...asked, budget: { steps: 1 } });
  const { against: _, ...request } = ask("", { runs, judged: "latest" });
  const { judgement, picture } = await evaluate(request);
  expect(judgement.scores.map((s) => s.metric)).toEqual(["l1", "psnr", "ssim"]);
  expect(judgement).toMatchObject({ pairs: true, reference: { n: 8, split: "held out" } });
  expect(judgement.features.name).toBe("none");
  expect(judgement.verdict).toEqual([expect.stringMatching(/^What it was given is nearer to the/)]);
  expect(await sharp(picture).metadata()).toMatchObject({ format: "png" });
  expect(await readFile(join(dir, "report.html"), "utf8")).toContain("<b>Pairs</b>");

  const held = await openData({
    ...{ spec: data.data, domain: "image", height: size, cacheDir, pair: { derive: "grey" } },
    ...{ holdOut: 0.2, part: "heldOut" },
  });
  const all = Int32Array.from({ length: held.length }, (_, i) => i);
  const [grey, colour] = ["x", "pair"].map((name) => readField(held, name, all).data);
  held.close();
  const far = Array.from(colour ?? [], (v, at) => {
    const [picture, place] = [Math.floor(at / (3 * size * size)), at % (size * size)];
    return Math.abs(v - (grey?.[picture * size * size + place] ?? 0)) / 255;
  });
  const mean = far.reduce((a, b) => a + b, 0) / far.length;
  expect(judgement.scores[0]?.given).toBeCloseTo(mean, 6);
  expect(judgement.scores[0]?.value).toBeGreaterThan(mean);
  expect(judgement.scores[0]?.change?.[0]).toBeGreaterThan(0);

  const few = (await evaluate({ ...request, n: 3, metrics: ["psnr", "frechet"] })).judgement;
  expect(few.scores.map((s) => s.metric)).toEqual(["psnr", "frechet"]);
  expect(few).toMatchObject({ reference: { n: 3 }, features: { name: "pixels-8" } });
  expect(few.scores[0]?.change).toBeUndefined();
  const other = { ...request, against: join(root, "others"), metrics: ["l1"] };
  await expect(evaluate(other)).rejects.toThrow("judged without --against");
});

test("what makes pictures without pairs is not judged by itself, held out or not", async () => {
  const runs = join(root, "unpaired");
  const asked = { data: join(root, "real"), to: join(root, "others"), height: size, holdOut: 0.2 };
  const set = { patch: "1", widthG: 2, widthD: 2, blocks: 1, batch: 1 };
  const where = { runs, cacheDir: join(root, "cache"), threads: 1 };
  await train({ ...asked, ...where, recipe: "cyclegan", set, budget: { steps: 1 } });
  const { against: _, ...request } = ask("", { runs, judged: "latest" });
  await expect(evaluate(request)).rejects.toThrow(
    "makes its samples from other images. Name what they should be like",
  );
});

test("what makes pictures larger is judged by pictures that were held out", async () => {
  const runs = join(root, "enlarged");
  const asked = { data: join(root, "real"), height: size, holdOut: 0.2, runs, threads: 1 };
  const set = { widthG: 2, widthD: 2, blocks: 1, batch: 2, features: "none", pretrain: 1 };
  const cacheDir = join(root, "cache");
  await train({ ...asked, recipe: "srgan", set, cacheDir, budget: { steps: 1 } });
  const { against: _, ...request } = ask("", { runs, judged: "latest" });
  const { scores, reference } = (await evaluate(request)).judgement;
  expect(scores.map((s) => s.metric)).toEqual(["l1", "psnr", "ssim"]);
  const square = { domain: "image", height: size, width: size, cacheDir } as const;
  const held = await openData({ ...square, spec: asked.data, holdOut: 0.2, part: "heldOut" });
  const x = readField(
    held,
    "x",
    Int32Array.from({ length: 8 }, (_, i) => i),
  ).data;
  const b = { shape: [8, 3, size, size], data: Uint8Array.from(x) } as const;
  const small = resizedBicubic(b, { height: size / 4, width: size / 4 });
  const a = resizedBicubic(small, { height: size, width: size });
  held.close();
  expect(scores[0]?.given).toBeCloseTo(mean(l1Distance({ a, b, range: 255 })), 9);
  expect(reference).toMatchObject({ n: 8, split: "held out", shape: [3, size, size] });
});

test.each([
  ["z", "dcgan", { batch: 4, width: 2, zDim: 4 }],
  [
    "w",
    "stylegan2",
    { batch: 2, group: 2, zDim: 4, wDim: 5, mapLayers: 1, base: 64, maxChannels: 6 },
  ],
] as const)("path lengths in %s are measured, of %s", async (space, recipe, set) => {
  const runs = join(root, "image-runs", recipe);
  const asked = { data: join(root, "real"), cacheDir: join(root, "cache"), runs, threads: 1 };
  await train({ ...asked, recipe, set, height: 16, budget: { steps: 2 }, seed: 3 });
  const { against: _, ...request } = ask("");
  const one = { ...request, runs, judged: "latest", n: 24, metrics: ["ppl"] };
  const { judgement } = await evaluate({ ...one, features: "emoji-classifier" });
  const [score] = judgement.scores;
  expect(score?.title).toBe(`Path length in ${space}, to emoji-classifier`);
  expect(score?.value).toBeGreaterThan(0);
  expect(Number.isFinite(score?.interval?.[1])).toBe(true);
  expect(score?.interval?.[0]).toBeLessThan(score?.value ?? Number.NaN);
});

test("the likelihood of an autoencoder is reported, and of no other", async () => {
  const runs = join(root, "vae-runs");
  const asked = {
    ...{
      data: join(root, "grey"),
      height: 16,
      width: 16,
      channels: 1 as const,
      cacheDir: join(root, "cache"),
    },
    ...{ runs, threads: 1, budget: { steps: 2 } },
  };
  await train({ ...asked, recipe: "vae", set: { batch: 4, width: 8, zDim: 2 } });
  const { against: _, ...request } = ask("");
  const one = { ...request, runs, judged: "latest", metrics: ["elbo"], n: 4 };
  const [bound, importance] = (await evaluate(one)).judgement.scores;
  expect(bound?.value).toBeLessThan(0);
  expect(importance?.value).toBeGreaterThan(bound?.value ?? 0);
  expect(importance).toMatchObject({ metric: "importance", nReference: 12, better: "higher" });
  await train({ ...asked, recipe: "gan", set: { batch: 4, widthG: 4, unitsD: 4 } });
  expect(String(await evaluate(one).catch(String))).toMatchInlineSnapshot(
    `"UserError: A likelihood needs an encoder E that gives mu and logVar, as the recipe vae has; this recipe has none."`,
  );
});

test("only the classic network's numbers are called FID, KID and Inception Score", async () => {
  const data = Float32Array.from({ length: 60 }, (_, i) => Math.sin(i * i));
  const rows = { rows: 30, cols: 2, data };
  const sure = { rows: 30, cols: 2, data: data.map((_, i) => (i % 3 === 0 ? 1 : 0)) };
  const shares = { ...sure, data: sure.data.map((_, i) => (i % 2 === 0 ? 0.25 : 0.75)) };
  const side = { name: "", shape: [2], n: 30, data, classes: [], key: "", resizer: "" };
  const titles = async (isClassic: boolean): Promise<string[]> => {
    const evidence = {
      ...{ generated: side, reference: side, seed: 0, brief: true },
      features: { real: rows, fake: rows },
      probabilities: { real: shares, fake: shares },
      by: { name: "net", isClassic },
    };
    const asked = ["frechet", "kernel", "inception-score"].map(findMetric);
    const scores = await Promise.all(asked.map((metric) => metric.compute(evidence)));
    return scores.flat().map((score) => score.title);
  };
  expect(await titles(true)).toEqual(["FID", "KID", "Inception Score"]);
  expect(await titles(false)).toEqual([
    "Fréchet distance",
    "Kernel distance",
    "Inception Score by net",
  ]);
});

describe("what cannot be judged is refused in one sentence", () => {
  const error = async (judged: string, over: Partial<EvaluateRequest> = {}) =>
    String(await evaluate(ask(judged, over)).catch(String)).replaceAll(root, "ROOT");

  const quick = { metrics: ["sharpness"] };

  test("images of several sizes, of another size, grey against colour", async () => {
    expect(await error("mixed")).toMatchInlineSnapshot(
      `"UserError: The pictures of mixed differ in size (000.png is 20 x 20, 002.png is 16 x 16). Give one size for all, such as --size 64."`,
    );
    expect(await error("larger")).toMatchInlineSnapshot(
      `"UserError: The two sides do not fit each other: those of larger are 20 x 20 pixels, RGB, those of real are 16 x 16 pixels, RGB. Bring both to one size, such as --size 16x16."`,
    );
    expect(await error("grey")).toMatchInlineSnapshot(
      `"UserError: The two sides do not fit each other: those of grey are 16 x 16 pixels, grey, those of real are 16 x 16 pixels, RGB. Bring both to one kind, such as --channels 3."`,
    );
    expect(
      (await scoresOf("larger", { ...quick, height: 16, width: 16 })).judgement.generated.n,
    ).toBe(12);
    expect((await scoresOf("grey", { ...quick, channels: 3 })).judgement.generated.n).toBe(12);
  });

  test("too few, and all the same", async () => {
    expect(await error("few", { metrics: ["precision"] })).toMatchInlineSnapshot(
      `"UserError: Metric precision needs 12 samples on each side, and few has 5. Give it more."`,
    );
    expect(await error("others", { against: join(root, "same") })).toMatchInlineSnapshot(
      `"UserError: All 20 records of same are the same, so nothing can be held against them. Name a set of records that differ."`,
    );
  });

  test("images that are too small, and sets that are no pairs", async () => {
    const small = { against: join(root, "small") };
    expect(await error("small", { ...small, metrics: ["swd"] })).toMatchInlineSnapshot(
      `"UserError: Metric sliced needs images of at least 16 pixels a side, and these have 8 x 8. Leave it out."`,
    );
    expect((await scoresOf("small", small)).judgement.notes).toEqual([
      "Left out for want of pixels: ms-ssim.",
    ]);
    expect(await error("few", { metrics: ["psnr"] })).toMatchInlineSnapshot(
      `"UserError: Metric psnr needs two folders of equally many images, which are compared in the order of their names, or a run of pairs some of which were held out, judged without --against."`,
    );
  });

  test("the first pictures of a larger folder are no pairs either", async () => {
    const five = { against: join(root, "few"), metrics: ["psnr"], n: 5 };
    expect(await error("real", five)).toContain("needs two folders of equally many images");
  });

  test("a classifier, layers or a generator that are not there", async () => {
    expect(await error("others", { metrics: ["is"] })).toMatchInlineSnapshot(
      `"UserError: Metric inception-score needs features of a classifier: --features fashion-classifier or emoji-classifier."`,
    );
    expect(await error("others", { metrics: ["lpips"] })).toMatchInlineSnapshot(
      `"UserError: Metric perceptual needs features with layers: --features fashion-classifier or emoji-classifier."`,
    );
    const asked = { metrics: ["ppl"], features: "emoji-classifier" };
    expect(await error("others", asked)).toMatchInlineSnapshot(
      `"UserError: Metric path-length needs a run that makes its samples of noise."`,
    );
  });

  test("labels, held-out data or a mixture that are not there", async () => {
    expect(await error("others", { metrics: ["class-frechet"] })).toMatchInlineSnapshot(
      `"UserError: Metric class-frechet needs labels on both sides: class folders, or a generator that takes classes."`,
    );
    expect(await error("others", { metrics: ["memorisation"] })).toMatchInlineSnapshot(
      `"UserError: Metric memorisation needs samples made of noise and data held out from training: train with --hold-out 0.1."`,
    );
    expect(await error("others", { metrics: ["modes"] })).toMatchInlineSnapshot(
      `"UserError: Metric modes needs points of a known mixture, ring8 or grid25."`,
    );
  });

  test("principal components and networks are features too", async () => {
    const metrics = ["kernel"];
    const own = await scoresOf("real", { features: "pca", metrics });
    const others = await scoresOf("blurred", { features: "pca", metrics });
    expect(own.judgement.features.name).toBe("pca");
    expect(others.value("kernel")).toBeGreaterThan(own.value("kernel"));
  });

  test("unknown metric, unknown features, nothing to compare with, nothing there", async () => {
    expect(await error("others", { metrics: ["frechett"] })).toMatchInlineSnapshot(
      `"UserError: There is no metric "frechett". Did you mean "frechet"? Metrics: modes, high-quality, reverse-kl, frechet, kernel, precision, recall, density, coverage, inception-score, ms-ssim, sharpness, copies, memorisation, class-frechet, classifier-score, sliced, perceptual, path-length, elbo, l1, psnr, ssim."`,
    );
    expect(await error("others", { features: "pixel-8" })).toMatchInlineSnapshot(
      `"UserError: There are no features "pixel-8". Did you mean "pixels-8"? Features: pixels-8, raw, pca, pixels, fashion-classifier, emoji-classifier, nsfwjs-mobilenet-v2, nsfwjs-inception-v3, or the path of an ONNX file."`,
    );
    expect(await error("others", { features: "fashion-classifier" })).toMatchInlineSnapshot(
      `"UserError: fashion-classifier takes images of 1 channel, and these have 3 channels. Choose another network, or give the data as 1 channel."`,
    );
    expect(await error("others", { features: "raw" })).toMatchInlineSnapshot(
      `"UserError: Features raw are not for images. Leave --features out."`,
    );
    const { against: _, ...alone } = ask("others");
    expect(
      String(await evaluate(alone).catch(String)).replaceAll(root, "ROOT"),
    ).toMatchInlineSnapshot(
      `"UserError: ROOT/others is no run, so it is not known what to hold it against. Name the real data with --against."`,
    );
    expect(await error("nowhere")).toMatchInlineSnapshot(
      `"UserError: There is no run ROOT/nowhere in ROOT/runs. The latest are 0001-gan-2d-ring8. Nor is there a folder or file of that name."`,
    );
  });
});

test("every metric says what it is, under a name of its own", () => {
  const names = metrics.flatMap((m) => [m.name, ...(m.aliases ?? [])]);
  expect(new Set(names).size).toBe(names.length);
  for (const { about, title } of metrics) {
    expect(about).toMatch(/[.?]$/);
    expect(title).not.toBe("");
  }
});
