import { UserError } from "@duelo/core";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { train } from "../loop.ts";
import { upscaleRun, type UpscaleRequest } from "./upscale.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-upscale-"));
const place = (name: string): string => join(root, name);
afterAll(() => rmSync(root, { recursive: true }));

/** A picture of waves, with as many channels as are asked for; alpha falls from left to right. */
async function put(name: string, height: number, width: number, channels: 1 | 2 | 3 | 4) {
  const data = new Uint8Array(height * width * channels);
  const alpha = channels % 2 === 0;
  for (let i = 0; i < data.length; i++) {
    const [c, x] = [i % channels, Math.floor(i / channels) % width];
    const y = Math.floor(i / channels / width);
    data[i] =
      alpha && c === channels - 1
        ? Math.round(255 * (1 - x / (width - 1)))
        : 127 + 100 * Math.sin(0.9 * x + 0.4 * y * (c + 1)) + ((x * y * 7) % 25);
  }
  mkdirSync(dirname(place(name)), { recursive: true });
  let picture = sharp(data, { raw: { height, width, channels } });
  if (channels < 3) picture = picture.toColourspace("b-w");
  writeFileSync(place(name), await picture.png().toBuffer());
}

async function raw(name: string) {
  const { data, info } = await sharp(place(name)).raw().toBuffer({ resolveWithObject: true });
  return { data, shape: [info.height, info.width, info.channels] };
}

const runs = place("runs");
beforeAll(async () => {
  for (let i = 0; i < 4; i++) await put(`photos/${i}.png`, 20 + i, 24, 3);
  const asked = { runs, threads: 1, cacheDir: place("cache"), height: 16 } as const;
  const set = { widthG: 4, widthD: 2, blocks: 1, batch: 2, features: "none", pretrain: 1 };
  const parts = { ...asked, data: place("photos"), set, budget: { steps: 3 } };
  await train({ ...parts, recipe: "srgan" });
  await train({ ...parts, recipe: "srgan", channels: 1 });
  await train({ ...asked, recipe: "gan", data: place("photos"), budget: { steps: 1 } });
}, 120_000);

const go = (over: Partial<UpscaleRequest>, notes: string[] = []) =>
  upscaleRun(
    { runs, run: "1", input: place("in"), out: place("out"), threads: 1, ...over },
    { note: (line) => notes.push(line) },
  );

/** The largest difference of two pictures, in steps of brightness. */
async function furthest(a: string, b: string): Promise<number> {
  const [one, two] = [await raw(a), await raw(b)];
  expect(one.shape).toEqual(two.shape);
  return one.data.reduce((most, v, i) => Math.max(most, Math.abs(v - (two.data[i] ?? 0))), 0);
}

describe("tiles", () => {
  beforeAll(() => put("odd.png", 61, 47, 3));
  const cut = (out: string, more: Partial<UpscaleRequest>) =>
    go({ input: place("odd.png"), out: place(out), ...more });

  test("give what the whole picture gives, where the overlap is all that the network sees", async () => {
    await cut("whole.png", { tile: 100 });
    // 4 + 2 + 1 pixels to the shuffles, 1 + 1 / 2 within them, 4 / 4 after them: 10 at most.
    await cut("tiled.png", { tile: 32, overlap: 10 });
    expect((await raw("tiled.png")).shape).toEqual([244, 188, 3]);
    expect(await furthest("whole.png", "tiled.png")).toBeLessThanOrEqual(1);
  });

  test("would show without it", async () => {
    await cut("seams.png", { tile: 32, overlap: 0 });
    expect(await furthest("whole.png", "seams.png")).toBeGreaterThan(2);
  });

  test("may be smaller than what is mirrored around the picture", async () => {
    await cut("small.png", { tile: 5, overlap: 1 });
    expect((await raw("small.png")).shape).toEqual([244, 188, 3]);
  });
});

test("a plain picture stays plain to its edges, and a single pixel is one", async () => {
  const background = "#ff8800";
  for (const [name, side] of Object.entries({ plain: 40, pixel: 1 })) {
    const picture = sharp({ create: { width: side, height: side, channels: 3, background } });
    writeFileSync(place(`${name}.png`), await picture.png().toBuffer());
    await go({ input: place(`${name}.png`), out: place(`${name}-large.png`) });
  }
  const { data } = await raw("plain-large.png");
  /** In the middle: what the network makes of the colour at each of the 4x4 places of a pixel. */
  const there = (i: number, wide: number): number => {
    const [x, y] = [Math.floor(i / 3) % wide, Math.floor(i / 3 / wide)];
    return data[3 * ((80 + (y % 4)) * 160 + 80 + (x % 4)) + (i % 3)] ?? NaN;
  };
  const off = data.map((v, i) => Math.abs(v - there(i, 160)));
  expect(Math.max(...off)).toBeLessThanOrEqual(2);
  const pixel = await raw("pixel-large.png");
  const offPixel = pixel.data.map((v, i) => Math.abs(v - there(i, 4)));
  expect(Math.max(...offPixel)).toBeLessThanOrEqual(2);
});

describe("alpha", () => {
  test("is kept, enlarged by itself", async () => {
    await put("clear.png", 9, 13, 4);
    await go({ input: place("clear.png"), out: place("clear-large.png") });
    const { data, shape } = await raw("clear-large.png");
    expect(shape).toEqual([36, 52, 4]);
    const alpha = (x: number): number => data[4 * (52 * 17 + x) + 3] ?? NaN;
    expect([alpha(0), alpha(51)]).toEqual([255, 0]);
    const straight = 255 * (1 - (25.5 / 4 - 0.5) / 12); // which the filter keeps
    expect(Math.abs(alpha(25) - straight)).toBeLessThanOrEqual(1);
  });

  test("and grey stay, whether the network is of colours or grey", async () => {
    for (const run of ["1", "2"])
      for (const channels of [1, 2] as const) {
        await put("grey.png", 9, 13, channels);
        await go({ run, input: place("grey.png"), out: place("grey-large.png") });
        const { channels: got, width, height } = await sharp(place("grey-large.png")).metadata();
        expect([got, height, width]).toEqual([channels, 36, 52]);
      }
  });
});

test("a folder keeps its names, and what cannot be used is said", async () => {
  await put("in/a.png", 5, 7, 3);
  await put("in/deeper/b.png", 12, 6, 1);
  writeFileSync(place("in/broken.jpg"), "no picture");
  const notes: string[] = [];
  const { written, skipped } = await go({}, notes);
  expect(written).toEqual([place("out/a.png"), place("out/deeper/b.png")]);
  expect((await raw("out/deeper/b.png")).shape).toEqual([48, 24, 3]);
  expect(skipped.map((s) => s.file)).toEqual(["broken.jpg"]);
  expect(notes).toMatchInlineSnapshot(`
    [
      "Left out broken.jpg: not in a picture format that can be read, or cut short.",
    ]
  `);
});

describe("refused in one sentence, with nothing written", () => {
  const refused = async (over: Partial<UpscaleRequest>): Promise<string> => {
    const out = place("nothing/x.png");
    const asked = { input: place("in/a.png"), out, ...over };
    const error: unknown = await go(asked).catch((e: unknown) => e);
    if (!(error instanceof UserError)) throw error;
    expect(existsSync(place("nothing"))).toBe(false);
    return error.message.replaceAll(root, "DIR");
  };
  test("a run that makes nothing larger", async () => {
    expect(await refused({ run: "3" })).toMatchInlineSnapshot(
      `"Run 0003-gan-photos (gan) does not make pictures larger. Train one with: duelo train esrgan"`,
    );
  });
  test("another scale", async () => {
    expect(await refused({ scale: 2 })).toMatchInlineSnapshot(
      `"Run 0001-srgan-photos makes pictures 4 times as large, not 2. Leave out --scale."`,
    );
  });
  test("an overlap that leaves nothing", async () => {
    expect(await refused({ overlap: 100 })).toMatchInlineSnapshot(
      `"An overlap of 100 pixels on each side leaves nothing of a tile of 200. Choose 99 or less."`,
    );
  });
  test("colours for a grey network, and a picture that is none", async () => {
    expect(await refused({ run: "2" })).toMatchInlineSnapshot(
      `"a.png cannot be used: has colours, and the run was trained on grey pictures. Nothing was written."`,
    );
    expect(await refused({ input: place("in/broken.jpg") })).toMatchInlineSnapshot(
      `"broken.jpg cannot be used: not in a picture format that can be read, or cut short. Nothing was written."`,
    );
    expect(await refused({ input: place("none.png") })).toMatchInlineSnapshot(
      `"There is no file or folder DIR/none.png. Check the path."`,
    );
  });
});
