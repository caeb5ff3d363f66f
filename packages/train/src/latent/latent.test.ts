import { mean, nn, sgd, square } from "@duelo/core";
import { image, int, recipe } from "@duelo/zoo";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { train } from "../loop.ts";
import { sampleRun } from "../sample.ts";
import { affinesOf } from "./affines.ts";
import { hasWords, planeBetween } from "./attribute.ts";
import { editRun, type EditRequest } from "./edit.ts";
import { interpolateRun, type InterpolateRequest } from "./interpolate.ts";
import { readLatents } from "./latent-file.ts";
import { projectRun, type ProjectRequest } from "./project.ts";
import { openProjector, statisticsOf } from "./projector.ts";
import { restoreRun, type RestoreRequest } from "./restore.ts";
import { everyLayer, openStyleRun } from "./style-run.ts";
import { mixRun, truncateRun } from "./tables.ts";

// Two tiny generators with a W, the second with classes, and one without a W.

const root = mkdtempSync(join(tmpdir(), "duelo-latent-"));
const place = (name: string): string => join(root, name);
afterAll(() => rmSync(root, { recursive: true }));

/** A picture of one colour. */
async function put(name: string, [r, g, b]: readonly number[], side = 16): Promise<void> {
  mkdirSync(dirname(place(name)), { recursive: true });
  const background = { r: r ?? 0, g: g ?? 0, b: b ?? 0 };
  const picture = sharp({ create: { width: side, height: side, channels: 3, background } });
  writeFileSync(place(name), await picture.png().toBuffer());
}

/** Makes pictures from noise at once. */
const noiseOf = (z: { kind: "normal" } | { kind: "uniform"; low: number; high: number }) =>
  recipe({
    ...{ name: "noise", about: "", paper: "", sources: [], differences: [] },
    presets: { only: { about: "", steps: 1 } },
    options: { batch: int({ default: 1, min: 1, max: 9, about: "", source: "" }) },
    data: { x: image({ range: [-1, 1], size: [4, 4] }) },
    nets: () => ({
      G: nn.conv({ out: 1, kernel: 1, bias: false, init: () => Float32Array.of(0.5) }),
    }),
    optimizer: () => ({ G: sgd({ lr: 0 }) }),
    noise: (c) => ({ z: { ...z, shape: [c.batch, 1, 4, 4] } }),
    phases: () => [{ update: ["G"], loss: ({ G }, { z }) => ({ loss: mean(square(G(z))) }) }],
    sample: ({ G }, { z }) => G(z),
  });
const noise = noiseOf({ kind: "normal" });

const runs = place("runs");
beforeAll(async () => {
  for (let i = 0; i < 12; i++) {
    await put(`sides/light/${i}.png`, [180 + 5 * i, 200, 190]);
    await put(`sides/dark/${i}.png`, [10, 5 * i, 30]);
  }
  copyFileSync(place("sides/light/3.png"), place("light.png"));
  await put("in/one.png", [200, 120, 40]);
  await put("in/deeper/two.png", [30, 60, 200]);
  writeFileSync(place("in/broken.jpg"), "no picture");
  const set = {
    ...{ batch: 2, group: 2, zDim: 4, wDim: 5, mapLayers: 1, base: 64, maxChannels: 6 },
    augment: "none",
  };
  const asked = { threads: 1, cacheDir: place("cache"), runs, budget: { steps: 1 } } as const;
  const tiny = { ...asked, recipe: "stylegan2", set, height: 16 } as const;
  await train({ ...tiny, data: place("sides/light") });
  await train({ ...tiny, data: place("sides") });
  await train({ ...asked, recipe: noise, data: place("sides/light"), channels: 1 });
}, 120_000);

const one = { runs, run: "1", threads: 1 } as const;
const two = { runs, run: "2", threads: 1 } as const;
const three = { runs, run: "3", threads: 1, recipe: noise } as const;
const said = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "nothing was said",
    (error: unknown) => String(error).replaceAll(root, "ROOT"),
  );
const bytesOf = (name: string) => sharp(place(name)).raw().toBuffer({ resolveWithObject: true });

describe("w", () => {
  test("gives the pictures that samples are of, and truncation 1 leaves them", async () => {
    const run = await openStyleRun(two);
    const numbers = [2, 5];
    const w = await run.map({ numbers, seed: 7 });
    const made = await run.synthesize(everyLayer(w, run.nLayers), { numbers, seed: 7 });
    await run.close();
    const samples = await sampleRun({ ...two, n: 6, seed: 7 });
    const size = 3 * 16 * 16;
    const want = [...samples.pixels.slice(2 * size, 3 * size), ...samples.pixels.slice(5 * size)];
    made.pixels.forEach((v, i) => expect(v).toBeCloseTo(want[i] ?? NaN, 4));
    const truncated = await sampleRun({ ...two, n: 6, seed: 7, truncation: 1 });
    expect(truncated.labels).toEqual(samples.labels);
    truncated.pixels.forEach((v, i) => expect(v).toBeCloseTo(samples.pixels[i] ?? NaN, 4));
  });

  test("its affine maps are found in the graph, with the layers that they belong to", async () => {
    const run = await openStyleRun(one);
    const affines = affinesOf(run.trained);
    const w = await run.map({ numbers: [0] });
    // Moving a style's bias is moving the style: by one channel the same as a w that does nothing else.
    expect(affines.map((a) => [a.layer, a.ofColours, a.weight.rows, a.bias.entry])).toEqual([
      [0, false, 6, "ema/G.b4.conv1.affine.bias"],
      [1, true, 6, "ema/G.b4.torgb.affine.bias"],
      [1, false, 6, "ema/G.b8.conv0.affine.bias"],
      [2, false, 6, "ema/G.b8.conv1.affine.bias"],
      [3, true, 6, "ema/G.b8.torgb.affine.bias"],
      [3, false, 6, "ema/G.b16.conv0.affine.bias"],
      [4, false, 4, "ema/G.b16.conv1.affine.bias"],
      [5, true, 4, "ema/G.b16.torgb.affine.bias"],
    ]);
    expect([run.nLayers, w.cols]).toEqual([6, 5]);
    const { weight } = affines[0] ?? { weight: undefined };
    const trained = run.trained.state["ema/G.b4.conv1.affine.weight"]?.data ?? [];
    expect(weight?.data[3]).toBeCloseTo((trained[3] ?? 0) / Math.sqrt(5), 6);
    await run.close();
  });
});

test("stylegan has a W as well, before it is fully grown too", async () => {
  const set = { batch: 2, group: 2, zDim: 4, wDim: 5, mapLayers: 1, base: 64, maxChannels: 6 };
  const data = place("sides/light");
  const asked = { threads: 1, cacheDir: place("cache"), runs: place("grown") } as const;
  await train({ ...asked, recipe: "stylegan", set, data, height: 16, budget: { steps: 1 } });
  const choice = { runs: place("grown"), run: "1", threads: 1 };
  const run = await openStyleRun(choice);
  const affines = affinesOf(run.trained);
  await run.close();
  // Two layers of 4x4 and of 8x8, whose styles are a size and a place for each of 6 channels.
  expect(affines.map((a) => [a.layer, a.ofColours, a.weight.rows])).toEqual(
    [0, 1, 2, 3].map((layer) => [layer, false, 12]),
  );
  expect(await mixRun({ ...choice, out: place("grown.png") })).toMatchObject({
    layers: [0, 1, 2, 3],
  });
}, 60_000);

describe("interpolate", () => {
  const go = (over: Partial<InterpolateRequest>) =>
    interpolateRun({ ...one, numbers: [0, 1, 2], frames: 4, out: place("walk.webp"), ...over });

  test("makes a film that goes round, and rows of pictures that do not", async () => {
    expect(await go({})).toMatchObject({ nFrames: 12, space: "w", along: "lerp" });
    expect((await sharp(place("walk.webp")).metadata()).pages).toBe(12);
    expect(await go({ out: place("walk.gif"), space: "z" })).toMatchObject({ along: "slerp" });
    expect((await sharp(place("walk.gif")).metadata()).pages).toBe(12);
    expect(await go({ out: place("walk.png") })).toMatchObject({ nFrames: 10 });
    const z = await go({ ...three, run: "3", out: place("z.webp") });
    expect(z).toMatchObject({ nFrames: 12, space: "z", along: "slerp" });
  });

  test("goes through uniform z too, on the line", async () => {
    const flat = noiseOf({ kind: "uniform", low: -1, high: 1 });
    const asked = { ...three, recipe: flat, run: "3" } as const;
    expect(await go({ ...asked, frames: 2, out: place("flat.png") })).toMatchObject({
      along: "lerp",
    });
    const { data, info } = await bytesOf("flat.png");
    const at = (x: number): number => data[(8 * info.width + x) * info.channels] ?? -1;
    const [from, middle, to] = [at(8), at(8 + 66), at(8 + 132)];
    expect(from).not.toBe(to);
    expect(Math.abs(middle - (from + to) / 2)).toBeLessThanOrEqual(1);
    expect(await said(go({ ...asked, along: "slerp" }))).toMatchInlineSnapshot(
      `"UserError: z of noise is uniform, and an arc would leave its range. Leave out --along slerp."`,
    );
  });

  test("passes through the samples themselves", async () => {
    await go({ numbers: [1, 2], frames: 2, out: place("row.png") });
    const { data, info } = await bytesOf("row.png");
    const run = await openStyleRun(one);
    const w = await run.map({ numbers: [1] });
    const { pixels } = await run.synthesize(everyLayer(w, run.nLayers), { numbers: [1] });
    await run.close();
    const red = Math.min(255, Math.max(0, Math.round((255 * ((pixels[0] ?? 0) + 1)) / 2)));
    expect(info.width).toBe(3 * 64 + 2 * 2);
    expect(Math.abs((data[0] ?? 0) - red)).toBeLessThanOrEqual(1);
  });

  test("says what it cannot do", async () => {
    expect(await said(go({ out: place("walk.avi") }))).toMatchInlineSnapshot(
      `"UserError: ROOT/walk.avi is no name of a film. End it with .webp, .gif or .mp4, or with .png for rows of pictures."`,
    );
    expect(await said(go({ numbers: [4] }))).toMatchInlineSnapshot(
      `"UserError: One sample is no way to go. Name two numbers and more."`,
    );
    expect(await said(go({ ...three, run: "3", space: "w" }))).toMatchInlineSnapshot(
      `"UserError: Run 0003-noise-light has no W: its recipe noise has no mapping network. Name a run of a recipe that has one, such as stylegan2."`,
    );
    expect(await said(go({ ...three, run: "3", truncation: 0.5 }))).toMatchInlineSnapshot(
      `"UserError: This generator has no W, so --truncation has nothing to draw to an average."`,
    );
    expect(await said(go({ label: "light" }))).toMatchInlineSnapshot(
      `"UserError: This generator knows no classes, so --label has nothing to choose."`,
    );
    expect(await said(go({ ...two, label: "lihgt" }))).toMatchInlineSnapshot(
      `"UserError: There is no class "lihgt". Did you mean "light"? Classes: dark, light."`,
    );
    expect(await said(go({ ...three, run: "3", label: "light" }))).toMatchInlineSnapshot(
      `"UserError: This generator knows no classes, so --label has nothing to choose."`,
    );
    expect(await said(go({ latents: place("in") }))).toMatchInlineSnapshot(
      `"UserError: Samples and latents were both named. Choose which it goes through."`,
    );
    const fixed = { ...one, latents: place("in"), out: place("walk.webp") };
    expect(await said(interpolateRun({ ...fixed, truncation: 0.5 }))).toMatchInlineSnapshot(
      `"UserError: Latents of a file are as they are. Leave out --truncation."`,
    );
    const numbers = Array.from({ length: 1000 }, (_, i) => i);
    expect(await said(go({ numbers, frames: 1000 }))).toMatchInlineSnapshot(
      `"UserError: 1000000 frames of 3 x 16 x 16 would take 3 GB at once. Ask for at most 699050."`,
    );
    expect(await said(go({ numbers, frames: 100, out: place("long.png") }))).toMatchInlineSnapshot(
      `"UserError: 100899 pictures side by side would be 6664 x 65932 pixels, and at most 268 million can be written. Ask for fewer at once."`,
    );
    const path = process.env["PATH"];
    process.env["PATH"] = "";
    expect(await said(go({ out: place("walk.mp4") }))).toMatchInlineSnapshot(
      `"UserError: ROOT/walk.mp4 needs ffmpeg, which is not on the PATH. Install it, or end the name with .webp or .gif."`,
    );
    process.env["PATH"] = path;
  });
});

describe("tables", () => {
  test("mix gives the columns' w in the chosen layers, and all of it in all", async () => {
    const asked = { ...one, rows: [0, 1], columns: [2, 3, 4], out: place("mix.png") };
    expect((await mixRun({ ...asked, layers: [0, 1, 2, 3, 4, 5] })).layers).toHaveLength(6);
    const { data, info } = await bytesOf("mix.png");
    const pixel = (row: number, column: number): number => {
      const [left, top] = [info.width - 4 * 66 + 2, info.height - 3 * 66 + 2];
      return (
        data[((top + 66 * row + 30) * info.width + left + 66 * column + 30) * info.channels] ?? -1
      );
    };
    for (const column of [1, 2, 3])
      for (const row of [1, 2])
        expect(Math.abs(pixel(row, column) - pixel(0, column))).toBeLessThanOrEqual(2); // but for noise
    expect(pixel(0, 0)).toBe(255);
  });

  test("truncate draws w to its average, or z by drawing again", async () => {
    const out = place("truncated.png");
    expect(await truncateRun({ ...one, out, values: [0, 1] })).toMatchObject({ space: "w" });
    expect(await truncateRun({ ...three, out })).toMatchObject({ space: "z" });
  });

  test("say what they cannot do", async () => {
    const out = place("none.png");
    expect(await said(mixRun({ ...three, out }))).toMatchInlineSnapshot(
      `"UserError: Run 0003-noise-light has no W: its recipe noise has no mapping network. Name a run of a recipe that has one, such as stylegan2."`,
    );
    const many = Array.from({ length: 400 }, (_, i) => i);
    expect(await said(mixRun({ ...one, out, rows: many, columns: many }))).toMatchInlineSnapshot(
      `"UserError: 160801 pictures side by side would be 26464 x 26464 pixels, and at most 268 million can be written. Ask for fewer at once."`,
    );
    expect(await said(truncateRun({ ...three, out, numbers: many, values: many }))).toMatch(
      /^UserError: 160000 pictures side by side would be /,
    );
    expect(await said(mixRun({ ...one, out, layers: [0, 9] }))).toMatchInlineSnapshot(
      `"UserError: There is no layer 9: this generator has layers 0 to 5."`,
    );
    expect(await said(truncateRun({ ...three, out, values: [0.01] }))).toMatchInlineSnapshot(
      `"UserError: Truncation is 0.01; it takes a number from 0.05 up."`,
    );
    expect(await said(truncateRun({ ...one, run: "9", out }))).toMatchInlineSnapshot(
      `"UserError: There is no run 9 in ROOT/runs. The latest are 0001-stylegan2-light, 0002-stylegan2-sides, 0003-noise-light."`,
    );
    expect(existsSync(out)).toBe(false);
  });
});

describe("project", () => {
  test("recovers three known w of a tiny generator at once", async () => {
    const run = await openStyleRun(one);
    const known = await run.map({ numbers: [12, 13, 14] });
    const statistics = statisticsOf(
      await run.map({ numbers: Array.from({ length: 1000 }, (_, i) => i) }),
    );
    const ws = everyLayer(known, run.nLayers);
    const { pixels } = await run.synthesize(ws, { numbers: [0, 0, 0] });
    const { nLayers, wDim } = run;
    const how = { space: "w", features: "none", steps: 300, threads: 1 } as const;
    const o = { batch: 3, nLayers, wDim, range: run.range, statistics, ...how };
    const projector = await openProjector(run.trained, o);
    const way: Float32Array[] = [];
    await projector.run(Float32Array.from(pixels), { step: (_, d) => void way.push(d) });
    const found = await projector.latents();
    await projector.close();
    await run.close();
    for (const i of [0, 1, 2]) {
      expect((way.at(-1)?.[i] ?? NaN) / (way[0]?.[i] ?? NaN)).toBeLessThan(0.01);
      const w = known.data.subarray(i * wDim, (i + 1) * wDim);
      const far = (other: ArrayLike<number>): number =>
        Math.hypot(...Array.from(w, (v, j) => v - (other[j] ?? 0)));
      const start = i * nLayers * wDim;
      expect(far(found.subarray(start, start + wDim))).toBeLessThan(0.1 * far(statistics.mean));
    }
  });

  const go = (over: Partial<ProjectRequest> = {}, notes: string[] = []) =>
    projectRun(
      { ...one, input: place("in"), out: place("found"), steps: 20, ...over },
      { note: (line) => notes.push(line) },
    );

  test("keeps the names of a folder, leaves out nothing in silence, and one picture does not depend on others", async () => {
    const notes: string[] = [];
    const { projections, skipped } = await go({}, notes);
    expect(projections.map((p) => p.name)).toEqual(["deeper/two.png", "one.png"]);
    expect(skipped).toHaveLength(1);
    expect(notes).toHaveLength(1);
    expect(notes[0]).toMatch(/^Left out broken.jpg: not in a picture format/);
    for (const p of projections) {
      expect(p.after).toBeLessThan(p.before);
      expect((await sharp(p.film).metadata()).pages).toBe(20);
      expect(await sharp(p.picture).metadata()).toMatchObject({ width: 16, height: 16 });
    }
    await go({ input: place("in/one.png"), out: place("alone/one.png"), film: false });
    expect(existsSync(place("alone/one.webp"))).toBe(false);
    const run = await openStyleRun(one);
    const [a] = await readLatents(place("found/one.npy"), run);
    const [b] = await readLatents(place("alone/one.npy"), run);
    await run.close();
    a?.ws.data.forEach((v, i) => expect(v).toBeCloseTo(b?.ws.data[i] ?? NaN, 4));
    const card: unknown = JSON.parse(readFileSync(place("found/one.json"), "utf8"));
    expect(card).toMatchObject({ of: "one.png", recipe: "stylegan2", space: "w", step: 1 });
  });

  test("w+ comes closer than w", async () => {
    const asked = { steps: 60, film: false } as const;
    const w = await go({ ...asked, out: place("w") });
    const plus = await go({ ...asked, out: place("plus"), space: "w+" });
    plus.projections.forEach((p, i) => expect(p.after).toBeLessThan(w.projections[i]?.after ?? 0));
  });

  test("its latents can be walked through and edited, but not by another run", async () => {
    await go();
    const film = { ...one, latents: place("found"), frames: 2, out: place("found.webp") };
    expect(await interpolateRun(film)).toMatchObject({ nFrames: 4, space: "w" });
    expect(await said(interpolateRun({ ...film, ...two }))).toMatchInlineSnapshot(
      `"UserError: ROOT/found/deeper/two.npy is a latent of another run, 0001-stylegan2-light (stylegan2), not of 0002-stylegan2-sides. Project it again."`,
    );
    expect(await said(interpolateRun({ ...film, latents: place("in") }))).toMatchInlineSnapshot(
      `"UserError: The folder ROOT/in holds no latents (.npy). Make some with duelo project."`,
    );
    rmSync(place("found/deeper"), { recursive: true });
    expect(await said(interpolateRun(film))).toMatchInlineSnapshot(
      `"UserError: ROOT/found holds one latent. Name a folder with two and more."`,
    );
    const short = readFileSync(place("found/one.npy"));
    writeFileSync(
      place("found/one.npy"),
      Buffer.from(short.toString("latin1").replace("(6, 5)", "(5, 6)"), "latin1"),
    );
    expect(await said(interpolateRun(film))).toMatchInlineSnapshot(
      `"UserError: ROOT/found/one.npy has shape [5, 6], and a latent of run 0001-stylegan2-light is [6, 5]. It is of another run."`,
    );
    rmSync(place("found/one.json"));
    expect(await said(interpolateRun(film))).toMatchInlineSnapshot(
      `"UserError: ROOT/found/one.npy lies without one.json, which says what run it is of. Put that beside it, or project it again."`,
    );
    writeFileSync(place("found/one.json"), "{}");
    expect(await said(interpolateRun(film))).toMatchInlineSnapshot(
      `"UserError: ROOT/found/one.json does not say which run ROOT/found/one.npy is of. Project it again."`,
    );
  });

  test("says what it cannot do", async () => {
    expect(await said(go({ ...three, run: "3" }))).toMatchInlineSnapshot(
      `"UserError: Run 0003-noise-light has no W: its recipe noise has no mapping network. Name a run of a recipe that has one, such as stylegan2."`,
    );
    expect(await said(go({ input: place("nowhere") }))).toMatchInlineSnapshot(
      `"UserError: There is no file or folder ROOT/nowhere. Check the path."`,
    );
    expect(await said(go({ input: place("in/broken.jpg") }))).toMatchInlineSnapshot(
      `"UserError: broken.jpg cannot be used: not in a picture format that can be read, or cut short. Nothing was written."`,
    );
    expect(await said(go({ steps: 0 }))).toMatchInlineSnapshot(
      `"UserError: 0 steps lead nowhere; ask for at least 1."`,
    );
    expect(await said(go({ ...two, label: "grey" }))).toMatchInlineSnapshot(
      `"UserError: There is no class "grey". Classes: dark, light."`,
    );
    expect(await said(go({ out: place("all.png") }))).toMatchInlineSnapshot(
      `"UserError: ROOT/in is a folder, so --out is one too, and ROOT/all.png is a PNG's name."`,
    );
  });
});

describe("edit", () => {
  const sides = { data: place("sides"), between: ["light", "dark"] } as const;
  const drawn = { ...one, numbers: [0, 1], out: place("edit.png"), cacheDir: place("cache") };
  const survey = (over: Partial<EditRequest>) =>
    editRun({ ...drawn, by: "sefa", nSamples: 100, ...over });
  const go = (over: Partial<EditRequest>) => survey({ features: "pixels", nMeasured: 8, ...over });

  test("draws the first directions of a kind, or one of them with what it does", async () => {
    for (const by of ["sefa", "pca"] as const) {
      expect(await survey({ by })).toEqual({
        ...{ dir: join(runs, "0001-stylegan2-light"), out: place("edit.png") },
        ...{ direction: { name: `${by} 0 to 4` }, layers: [0, 1, 2, 3, 4, 5], effects: [] },
      });
      const { effects, direction } = await go({ by, direction: "1", layers: [0, 1] });
      expect(direction.name).toBe(`${by} 1`);
      expect(effects.map((e) => e.strength)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
      expect(effects[3]?.identity).toBeCloseTo(1, 10);
      for (const e of effects) expect(e.identity).toBeLessThanOrEqual(1 + 1e-9);
    }
  });

  test("goes along labels: more of it one way, less the other", async () => {
    const { effects, attribute, direction } = await go({ by: "labels", attribute: sides });
    expect(attribute).toMatchObject({ nPositive: 12, nNegative: 12, accuracy: 1 });
    expect(direction.plane?.accuracy).toBeGreaterThanOrEqual(0.5);
    expect(direction.plane?.nTested).toBe(6); // three of the ten on each side
    const scores = effects.map((e) => e.attribute?.score ?? NaN);
    expect(scores[4]).toBeGreaterThan(scores[3] ?? NaN); // by one deviation; nets bend further out
    expect(scores[2]).toBeLessThan(scores[3] ?? NaN);
  });

  test("tells words of captions apart", () => {
    const caption = "woman: medium-dark skin tone, red hair";
    for (const words of ["woman", "medium-dark skin tone", "Red hair", "red-hair"])
      expect([words, hasWords(caption, words)]).toEqual([words, true]);
    for (const words of ["man", "dark skin tone", "dark-skin-tone", "wom", "hair red"])
      expect([words, hasWords(caption, words)]).toEqual([words, false]);
  });

  test("tries a plane on rows of both sides, however few", () => {
    const rows = (level: number) => ({ rows: 4, cols: 1, data: new Float64Array(4).fill(level) });
    for (let seed = 0; seed < 10; seed++)
      expect(planeBetween({ positive: rows(1), negative: rows(-1), seed }).accuracy).toBe(1);
  });

  test("goes between latents, keeps attributes, and moves one channel of a style", async () => {
    for (const side of ["light", "dark"]) {
      const found = { out: place(`latents/${side}`), steps: 10, film: false } as const;
      await projectRun({ ...one, ...found, input: place(`sides/${side}`) });
    }
    const [positive, negative] = [place("latents/light"), place("latents/dark")];
    for (const attribute of [{ attribute: sides }, {}]) {
      const { effects, ...between } = await go({ by: "latents", positive, negative, ...attribute });
      const scores = effects.map((e) => e.attribute?.score ?? NaN);
      expect(scores[6]).toBeGreaterThan(scores[0] ?? NaN);
      expect(between.attribute).toMatchObject({ nPositive: 12, nNegative: 12, nTested: 8 });
      expect(between.direction.plane?.nTested).toBe(8);
    }
    const kept = await go({ by: "pca", direction: "0", keep: [sides] });
    expect(kept.direction.name).toBe("pca 0, keeping light against dark");
    const channel = await go({ by: "channel", attribute: sides, strength: 1 });
    const seen = channel.effects.map((e) => e.attribute?.score ?? NaN);
    expect(seen[6]).toBeGreaterThan(seen[0] ?? NaN); // + is towards what has it
    expect(channel.direction.name).toMatch(/^channel \d\.\d$/);
    expect(channel.effects[6]?.identity).toBeLessThan(1);
    expect((await go({ by: "channel", direction: "2.5" })).direction.name).toBe("channel 2.5");
  });

  test("says what it cannot do", async () => {
    expect(await said(survey({ ...three, run: "3" }))).toMatchInlineSnapshot(
      `"UserError: Run 0003-noise-light has no W: its recipe noise has no mapping network. Name a run of a recipe that has one, such as stylegan2."`,
    );
    expect(await said(go({ direction: "5" }))).toMatchInlineSnapshot(
      `"UserError: There is no sefa direction "5": this run has 0 to 4."`,
    );
    expect(await said(go({ by: "channel", direction: "1.77" }))).toMatchInlineSnapshot(
      `"UserError: There is no channel "1.77" in these layers. A channel is LAYER.CHANNEL: 0.0 to 0.5, 1.0 to 1.5, 2.0 to 2.5, 3.0 to 3.5, 4.0 to 4.3."`,
    );
    expect(await said(go({ by: "channel" }))).toMatchInlineSnapshot(
      `"UserError: Name a channel (--direction LAYER.CHANNEL), or an attribute, of which the channel is found that says most."`,
    );
    expect(
      await said(go({ by: "channel", direction: "0.0", keep: [sides] })),
    ).toMatchInlineSnapshot(
      `"UserError: A single channel has no part that could be taken out of it. Leave out --keep."`,
    );
    expect(
      await said(go({ by: "labels", attribute: sides, direction: "1" })),
    ).toMatchInlineSnapshot(
      `"UserError: There is one direction by labels. Leave out --direction."`,
    );
    expect(await said(go({}))).toMatchInlineSnapshot(
      `"UserError: The first directions are drawn and not measured. Leave out --features, or name a --direction."`,
    );
    expect(await said(survey({ attribute: sides }))).toMatchInlineSnapshot(
      `"UserError: Say which --direction the attribute is to be measured along."`,
    );
    expect(await said(go({ by: "labels" }))).toMatchInlineSnapshot(
      `"UserError: A direction by labels needs an attribute: data with labels, and two classes or words of captions."`,
    );
    expect(await said(go({ by: "latents" }))).toMatchInlineSnapshot(
      `"UserError: A direction between latents needs two folders of them, one for each side. Make them with duelo project."`,
    );
    expect(await said(go({ direction: "0", strength: 0 }))).toMatchInlineSnapshot(
      `"UserError: A strength of 0 is none; take a number above 0, to 1,000."`,
    );
    const same = { ...sides, between: ["dark", "dark"] } as const;
    expect(await said(go({ by: "labels", attribute: same }))).toMatchInlineSnapshot(
      `"UserError: Both sides are "dark". Name two that differ."`,
    );
    const between = ["lite", "dark"] as const;
    expect(
      await said(go({ by: "labels", attribute: { ...sides, between } })),
    ).toMatchInlineSnapshot(
      `"UserError: sides has 0 pictures of "lite", and an attribute takes 10 and more on each side. Classes: dark, light."`,
    );
    expect(await said(go({ direction: "0", features: "emoji-clasifier" }))).toMatchInlineSnapshot(
      `"UserError: There are no features "emoji-clasifier". Did you mean "emoji-classifier"? Features: pixels, fashion-classifier, emoji-classifier, nsfwjs-mobilenet-v2, nsfwjs-inception-v3, or the path of an ONNX file."`,
    );
    expect(await said(go({ by: "labels", attribute: sides, keep: [sides] }))).toMatchInlineSnapshot(
      `"UserError: The direction is the same as what is to be kept, so nothing of it is left."`,
    );
  });
});

describe("restore", () => {
  const go = (over: Partial<RestoreRequest>) =>
    restoreRun({
      ...{ ...one, input: place("light.png"), out: place("restored.png"), steps: 20 },
      ...{ degraded: "grey", ...over },
    });

  test("a grey picture keeps its lightness", async () => {
    const { restorations } = await go({ truth: place("light.png") });
    expect(restorations[0]?.truth?.given).toBeGreaterThan(10);
    const { data } = await bytesOf("restored.png");
    const [r = 0, g = 0, b = 0] = data;
    const [r0, g0, b0] = [195, 200, 190];
    const grey = 0.299 * r0 + 0.587 * g0 + 0.114 * b0;
    expect(Math.abs(0.299 * r + 0.587 * g + 0.114 * b - grey)).toBeLessThan(12);
    expect(existsSync(place("restored.npy"))).toBe(true);
  });

  test("a prior holds w to its mean, the more the higher", async () => {
    const after = async (prior: number): Promise<number> => {
      const { restorations } = await go({ prior, steps: 60 });
      return restorations[0]?.after ?? NaN;
    };
    const [free, held, fast] = [await after(0), await after(1), await after(1e4)];
    expect(free).toBeLessThan(held);
    expect(held).toBeLessThan(fast);
  });

  test("a masked picture keeps what is known", async () => {
    const mask = await sharp({
      create: { width: 16, height: 16, channels: 3, background: "black" },
    })
      .composite([
        {
          input: await sharp({ create: { width: 16, height: 8, channels: 3, background: "white" } })
            .png()
            .toBuffer(),
          left: 0,
          top: 0,
        },
      ])
      .png()
      .toBuffer();
    writeFileSync(place("mask.png"), mask);
    await go({ degraded: `mask=${place("mask.png")}` });
    const { data, info } = await bytesOf("restored.png");
    const at = (y: number): number[] =>
      Array.from(data.subarray(y * 16 * info.channels, y * 16 * info.channels + 3));
    expect(at(12)).toEqual([195, 200, 190]);
    expect(at(2)).not.toEqual([195, 200, 190]);
  });

  test("small pictures come out large", async () => {
    await put("small/a.png", [200, 100, 50], 4);
    const { restorations } = await go({
      degraded: "small",
      input: place("small"),
      out: place("large"),
    });
    expect(restorations[0]?.after).toBeLessThan(restorations[0]?.before ?? 0);
    expect(await sharp(place("large/a.png")).metadata()).toMatchObject({ width: 16, height: 16 });
    symlinkSync("nowhere", place("small/c.png"));
    expect(
      (await go({ degraded: "small", input: place("small"), out: place("large") })).skipped,
    ).toEqual([{ file: "c.png", reason: "it is a link to what is not there" }]);
    await put("small/b.png", [200, 100, 50], 8);
    expect(
      await said(go({ degraded: "small", input: place("small"), out: place("large") })),
    ).toMatchInlineSnapshot(
      `"UserError: a.png and b.png are of different sizes. Restore each size by itself."`,
    );
  });

  test("says what it cannot do", async () => {
    expect(await said(go({ degraded: "blurred" }))).toMatchInlineSnapshot(
      `"UserError: --degraded is "blurred"; it is grey, small, or mask=FILE with a picture that is white where nothing is known."`,
    );
    expect(await said(go({ degraded: "small" }))).toMatchInlineSnapshot(
      `"UserError: light.png is 16x16, and this run makes pictures of 16x16. A small one is a half of that, a third, a quarter, and so on."`,
    );
    await put("white.png", [255, 255, 255]);
    expect(await said(go({ degraded: `mask=${place("white.png")}` }))).toMatchInlineSnapshot(
      `"UserError: The mask ROOT/white.png is white all over: make it white where nothing is known and black elsewhere."`,
    );
    const wide = { create: { width: 32, height: 16, channels: 3, background: "black" } } as const;
    const left = { create: { ...wide.create, width: 8, background: "white" } } as const;
    const input = await sharp(left).png().toBuffer();
    const picture = sharp(wide).composite([{ input, left: 0, top: 0 }]);
    writeFileSync(place("wide.png"), await picture.png().toBuffer());
    expect(await said(go({ degraded: `mask=${place("wide.png")}` }))).toMatchInlineSnapshot(
      `"UserError: The mask ROOT/wide.png is black all over: make it white where nothing is known and black elsewhere."`,
    ); // a picture of that shape would be cropped there too
    expect(await said(go({ degraded: `mask=${place("nowhere.png")}` }))).toMatchInlineSnapshot(
      `"UserError: The mask ROOT/nowhere.png cannot be read: it is not there."`,
    );
    expect(await said(go({ degraded: `mask=${place("in/broken.jpg")}` }))).toMatchInlineSnapshot(
      `"UserError: The mask ROOT/in/broken.jpg cannot be read: not in a picture format that can be read, or cut short."`,
    );
    expect(await said(go({ truth: place("in") }))).toMatchInlineSnapshot(
      `"UserError: The truth ROOT/in is a folder, and ROOT/light.png is a picture. Give two pictures, or two folders with the same names."`,
    );
    const folders = { input: place("in"), out: place("restored") };
    await put("mine/light.png", [200, 200, 200]);
    for (const over of [
      { truth: place("mine/light.png"), out: place("mine") },
      { degraded: `mask=${place("mine/light.png")}`, out: place("mine/light.png") },
    ])
      expect(await said(go(over))).toBe(
        "UserError: ROOT/mine/light.png would be written over. Choose another --out.",
      );
    expect(await said(go({ ...folders, truth: place("light.png") }))).toMatchInlineSnapshot(
      `"UserError: The truth ROOT/light.png is a picture, and ROOT/in is a folder. Give two pictures, or two folders with the same names."`,
    );
    expect(await said(go({ ...three, run: "3" }))).toMatchInlineSnapshot(
      `"UserError: Run 0003-noise-light has no W: its recipe noise has no mapping network. Name a run of a recipe that has one, such as stylegan2."`,
    );
  });
});
