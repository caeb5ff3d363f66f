import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mean, nn, sgd, square } from "@duelo/core";
import { openRuntime, type HostTensor } from "@duelo/runtime";
import { image, int, recipe } from "@duelo/zoo";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exportRun } from "./export.ts";
import { readCard } from "./function-card.ts";
import { train } from "./loop.ts";
import { openFunction } from "./open-function.ts";
import { besideGrid } from "./pictures.ts";
import { sampleRun } from "./sample.ts";

const head = { about: "", paper: "", sources: [], differences: [] };
const size = [6, 4] as const;

/** One weight of -1 that stays: G(x) = -x makes the negative of an image. */
const negative = recipe({
  ...head,
  name: "negative",
  data: { x: image({ range: [-1, 1], size }), target: image({ range: [-1, 1], size }) },
  options: { batch: int({ default: 2, min: 1, max: 9, about: "", source: "" }) },
  presets: { only: { about: "", steps: 2 } },
  nets: () => ({
    G: nn.conv({ out: 1, kernel: 1, bias: false, init: () => Float32Array.of(-1) }),
  }),
  optimizer: () => ({ G: sgd({ lr: 0 }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
  phases: () => [{ update: ["G"], loss: ({ G }, { x }) => ({ loss: mean(square(G(x))) }) }],
  sample: ({ G }, { x }) => G(x),
  takes: (c) => ({ w: [c.batch, 1, 2, 2] }),
  functions: () => ({
    both: { about: "two results", call: ({ G }, { w, z }) => ({ minus: G(w), noise: z.mul(1) }) },
  }),
});

let root = "";
const runs = (): string => join(root, "runs");
const data = (): string => join(root, "data.npy");
const request = () => ({ data: data(), derive: "halves", threads: 1 }) as const;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-functions-"));
  await writeFile(data(), npy([0, 60, 120, 180]));
  const cache = join(root, "cache");
  const asked = { ...request(), recipe: negative, cacheDir: cache, runs: runs() };
  await train({ ...asked, budget: { steps: 2 } });
});
afterAll(() => rm(root, { recursive: true }));

/** Grey images whose left half has one value and whose right half its negative, as a .npy file [n, 6, 8]. */
function npy(values: readonly number[]): Uint8Array {
  const what = `{'descr': '|u1', 'fortran_order': False, 'shape': (${values.length}, 6, 8), }`;
  const text = `${what.padEnd(117)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length, 0]);
  const row = (v: number) => [v, v, v, v, 255 - v, 255 - v, 255 - v, 255 - v];
  const pixels = values.flatMap((v) => Array.from({ length: 6 }, () => row(v)).flat());
  return Buffer.concat([start, Buffer.from(text), Buffer.from(pixels)]);
}

const pixels = (...values: number[]): HostTensor => ({
  dtype: "uint8",
  shape: [values.length, 1, 6, 4],
  data: Uint8Array.from(values.flatMap((v) => new Array<number>(24).fill(v))),
});

/** The value at the middle of each picture of one row of a grid, 2 pixels apart. */
async function middles(png: Uint8Array, o: { row: number; columns: number; rows: number }) {
  const { data: bytes, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const y = Math.floor(((o.row + 0.5) * (info.height + 2)) / o.rows - 1);
  return Array.from({ length: o.columns }, (_, i) => {
    const x = Math.floor(((i + 0.5) * (info.width + 2)) / o.columns - 1);
    return bytes[(y * info.width + x) * info.channels] ?? -1;
  });
}

describe("samples that are made from data", () => {
  test("stand in the grid of a run between what they are made from and its target", async () => {
    const png = await readFile(join(runs(), "0001-negative-data.npy/samples/00000002.png"));
    // Two groups of x, -x and the target in each of 8 rows; of 4 records the third begins in row 4.
    const row = await middles(png, { row: 4, columns: 6, rows: 8 });
    expect(row).toEqual([120, 135, 135, 120, 135, 135]);
  });

  test("come from the run's own data, and do not depend on how many are made", async () => {
    const asked = { runs: runs(), run: "1", recipe: negative, cacheDir: join(root, "cache") };
    const few = await sampleRun({ ...asked, n: 3 });
    const many = await sampleRun({ ...asked, n: 70 });
    expect(many.shape).toEqual([70, 1, 6, 4]);
    expect(many.pixels.subarray(0, 3 * 24)).toEqual(few.pixels);
    const from = many.before[0]?.pixels ?? [];
    many.pixels.forEach((v, i) => expect(v).toBeCloseTo(1 - (2 * (from[i] ?? 0)) / 255, 5));
    expect(new Set(from)).toEqual(new Set([0, 60, 120, 180]));
  });

  test("cannot be made when the data has changed, or is gone", async () => {
    const asked = { runs: runs(), run: "1", recipe: negative, n: 3 };
    const said = (over: object): Promise<string> =>
      sampleRun({ ...asked, ...over }).then(String, (e) => String(e).replaceAll(root, "ROOT"));
    expect(await said({})).toMatchInlineSnapshot(
      `"UserError: Run 0001-negative-data.npy needs its data again. Say where decoded data is kept (cacheDir)."`,
    );
    await writeFile(data(), npy([1, 2, 3, 4]));
    expect(await said({ cacheDir: join(root, "cache") })).toMatchInlineSnapshot(
      `"UserError: The data of run 0001-negative-data.npy, data.npy, has changed since it was trained. Bring back what was there, or train again."`,
    );
    await rm(data());
    expect(await said({ cacheDir: join(root, "cache") })).toMatchInlineSnapshot(
      `"UserError: The data of run 0001-negative-data.npy cannot be opened: There is no file or folder ROOT/data.npy. Check the path."`,
    );
  });
});

describe("a function", () => {
  const open = (name?: string) =>
    openFunction({
      ...{ runs: runs(), run: "latest", recipe: negative, threads: 1 },
      ...(name === undefined ? {} : { function: name }),
    });

  test("runs over any number of records in parts", async () => {
    const f = await open();
    const values = Array.from({ length: 130 }, (_, i) => i);
    const parts: number[] = [];
    const { samples } = await f.call({ x: pixels(...values) }, { progress: (n) => parts.push(n) });
    await f.close();
    expect(parts).toEqual([64, 128, 130]);
    expect(samples?.shape).toEqual([130, 1, 6, 4]);
    values.forEach((v, i) => expect(samples?.data[24 * i]).toBeCloseTo(1 - (2 * v) / 255, 6));
  });

  test("has several results, takes what is given, and noise from a seed", async () => {
    const f = await open("both");
    const w = {
      dtype: "float32",
      shape: [3, 1, 2, 2],
      data: new Float32Array(12).fill(4),
    } as const;
    const { minus, noise } = await f.call({ w }, { seed: 5 });
    expect(minus?.data).toEqual(new Float32Array(12).fill(-4));
    const z = { dtype: "float32", shape: [3, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6) } as const;
    expect((await f.call({ w, z })).noise?.data).toEqual(z.data);
    const one = await f.call(
      { w: { ...w, shape: [1, 1, 2, 2], data: w.data.subarray(4, 8) } },
      { seed: 5 },
    );
    expect(one["noise"]?.data).toEqual(noise?.data.slice(0, 2));
    await f.close();
  });

  test("says in one sentence what is wrong with its feeds", async () => {
    const f = await open();
    const said = (feeds: object): Promise<string> => f.call({ ...feeds }).then(String, String);
    expect(await said({})).toMatchInlineSnapshot(
      `"UserError: Function sample of negative was given nothing. It takes: x."`,
    );
    expect(await said({ y: pixels(1) })).toMatchInlineSnapshot(
      `"UserError: Function sample of negative takes no "y". It takes: x."`,
    );
    const wide = { ...pixels(1), shape: [1, 1, 4, 6] };
    expect(await said({ x: wide })).toMatchInlineSnapshot(
      `"UserError: Function sample of negative takes "x" as uint8 [1, 1, 6, 4], and was given uint8 [1, 1, 4, 6]."`,
    );
    await f.close();
    expect(await open("bot").then(String, String)).toMatchInlineSnapshot(
      `"UserError: Recipe negative has no function "bot". Did you mean "both"? Functions: sample, both."`,
    );
  });

  test("is a file that says how it is fed", async () => {
    const out = join(root, "both.onnx");
    await exportRun({ runs: runs(), run: "1", recipe: negative, function: "both", out });
    const runtime = await openRuntime({ threads: 1 });
    const program = await runtime.load(await readFile(out));
    expect(readCard(program.metadata)).toMatchInlineSnapshot(`
      {
        "classes": [],
        "function": "both",
        "inputs": [
          {
            "kind": "given",
            "name": "w",
            "shape": [
              1,
              2,
              2,
            ],
          },
          {
            "kind": "normal",
            "name": "z",
            "shape": [
              2,
            ],
          },
        ],
        "outputs": [
          {
            "name": "minus",
            "shape": [
              1,
              2,
              2,
            ],
          },
          {
            "name": "noise",
            "shape": [
              2,
            ],
          },
        ],
        "recipe": "negative",
        "step": 2,
      }
    `);
    const generator = await runtime.load(await readFile(`${runs()}/0001-negative-data.npy/G.onnx`));
    expect(readCard(generator.metadata)).toMatchInlineSnapshot(`
      {
        "classes": [],
        "function": "sample",
        "inputs": [
          {
            "kind": "image",
            "name": "x",
            "ofRecord": {
              "field": "x",
              "stream": "data",
            },
            "range": [
              -1,
              1,
            ],
            "shape": [
              1,
              6,
              4,
            ],
          },
        ],
        "outputs": [
          {
            "name": "samples",
            "range": [
              -1,
              1,
            ],
            "shape": [
              1,
              6,
              4,
            ],
          },
        ],
        "recipe": "negative",
        "step": 2,
      }
    `);
    await runtime.close();
  });
});

test("a recipe without sample trains, and draws nothing", async () => {
  const { sample: _, ...functions } = negative.functions({} as never);
  const silent = { ...negative, name: "silent", functions: () => functions };
  await writeFile(data(), npy([0, 60, 120, 180]));
  const asked = { ...request(), recipe: silent, cacheDir: join(root, "cache") };
  const { samples, dir } = await train({
    ...asked,
    runs: join(root, "silent"),
    budget: { steps: 1 },
  });
  expect(samples).toBeUndefined();
  await expect(readFile(`${dir}/G.onnx`)).rejects.toThrow("ENOENT");
  const card = await readFile(`${dir}/model-card.md`, "utf8");
  expect(card).toContain("duelo export 0001-silent-data.npy --function both");
  expect(card).not.toContain("duelo sample");
  const exported = exportRun({
    runs: join(root, "silent"),
    run: "1",
    recipe: silent,
    out: join(root, "no"),
  });
  expect(await exported.then(String, String)).toMatchInlineSnapshot(
    `"UserError: Recipe silent makes no samples. Functions: both."`,
  );
});

test("pictures of several sizes and colours stand side by side", async () => {
  const grey = { pixels: Uint8Array.of(7, 9), shape: [2, 1, 1, 1], range: [0, 255] } as const;
  const colours = Float32Array.from({ length: 24 }, (_, i) => Math.floor(i / 4) / 10);
  const coloured = { pixels: colours, shape: [2, 3, 2, 2], range: [0, 1] } as const;
  const { data: bytes, info } = await sharp(await besideGrid([grey, coloured]))
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pitch = (info.width + 2) / 4;
  const at = (i: number) => [...bytes.subarray(Math.floor((i + 0.5) * pitch) * 3).subarray(0, 3)];
  expect([0, 1, 2, 3].map(at)).toEqual([
    [7, 7, 7],
    [0, 26, 51],
    [9, 9, 9],
    [77, 102, 128],
  ]);
});
