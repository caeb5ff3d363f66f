import { cast, mean, nn, reshape, sgd, square, UserError } from "@duelo/core";
import { image, int, label, recipe } from "@duelo/zoo";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { train } from "./loop.ts";
import { translateRun, type TranslateRequest } from "./translate.ts";

const head = { about: "", paper: "", sources: [], differences: [] };
const presets = { only: { about: "", steps: 1 } };
const options = { batch: int({ default: 1, min: 1, max: 9, about: "", source: "" }) };
const size = [4, 4] as const;
/** One weight that stays. */
const times = (w: number) =>
  nn.conv({ out: 1, kernel: 1, bias: false, init: () => Float32Array.of(w) });
const still = sgd({ lr: 0 });

/** To B is the negative, to A the image itself. */
const twins = recipe({
  ...{ ...head, presets, options },
  name: "twins",
  data: {
    a: image({ range: [-1, 1], size, stream: "A" }),
    b: image({ range: [-1, 1], size, stream: "B" }),
  },
  nets: () => ({ G: times(-1), F: times(1) }),
  optimizer: () => ({ G: still, F: still }),
  noise: () => ({}),
  phases: () => [
    {
      update: ["G", "F"],
      loss: ({ G, F }, { a, b }) => ({ loss: mean(square(G(a))).add(mean(square(F(b)))) }),
    },
  ],
  sample: ({ G }, { a }) => G(a),
  functions: () => ({ toA: { about: "", call: ({ F }, { b }) => F(b) } }),
});

/** Class 0 keeps the image, class 1 gives its negative. */
const domains = recipe({
  ...{ ...head, presets, options },
  name: "domains",
  data: { x: image({ range: [-1, 1], size }), y: label() },
  nets: () => ({ G: times(1) }),
  optimizer: () => ({ G: still }),
  noise: (c) => ({ target: { kind: "label", shape: [c.batch] } }),
  phases: () => [{ update: ["G"], loss: ({ G }, { x }) => ({ loss: mean(square(G(x))) }) }],
  sample: ({ G }, { x, target }) =>
    G(x).mul(reshape(cast(target, "float32"), [-1, 1, 1, 1]).mul(-2).add(1)),
});

/** Makes pictures from noise. */
const noise = recipe({
  ...{ ...head, presets, options },
  name: "noise",
  data: { x: image({ range: [-1, 1], size }) },
  nets: () => ({ G: times(1) }),
  optimizer: () => ({ G: still }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 1, 4, 4] } }),
  phases: () => [{ update: ["G"], loss: ({ G }, { z }) => ({ loss: mean(square(G(z))) }) }],
  sample: ({ G }, { z }) => G(z),
});

const root = mkdtempSync(join(tmpdir(), "duelo-translate-"));
const place = (name: string): string => join(root, name);
afterAll(() => rmSync(root, { recursive: true }));

async function put(name: string, level: number, side = 4): Promise<void> {
  mkdirSync(dirname(place(name)), { recursive: true });
  const picture = sharp({
    create: {
      width: side,
      height: side,
      channels: 3,
      background: { r: level, g: level, b: level },
    },
  });
  writeFileSync(place(name), await picture.png().toBuffer());
}

const level = async (path: string): Promise<number | undefined> =>
  (await sharp(path).raw().toBuffer())[0];

const runs = place("runs");
beforeAll(async () => {
  for (const side of ["light", "dark"])
    for (let i = 0; i < 2; i++)
      await put(`sets/${side}/${i}.png`, 40 * i + (side === "dark" ? 0 : 150));
  await put("in/one.png", 40, 8);
  await put("in/deeper/two.webp.png", 200);
  writeFileSync(place("in/broken.jpg"), "no picture");
  writeFileSync(place("in/notes.txt"), "no picture either");
  const asked = { channels: 1, threads: 1, cacheDir: place("cache"), runs } as const;
  const [light, dark] = [place("sets/light"), place("sets/dark")];
  await train({ ...asked, recipe: twins, data: light, to: dark });
  await train({ ...asked, recipe: domains, data: place("sets") });
  await train({ ...asked, recipe: noise, data: light });
  const lab = { colour: "lab", patch: "1", widthG: 2, widthD: 2 };
  const pix2pix = { recipe: "pix2pix", data: light, derive: "grey", set: lab, height: 8 } as const;
  await train({ runs, threads: 1, cacheDir: place("cache"), ...pix2pix, budget: { steps: 1 } });
}, 120_000);

const go = (over: Partial<TranslateRequest>, notes: string[] = []) =>
  translateRun(
    { runs, run: "1", recipe: twins, input: place("in"), out: place("out"), threads: 1, ...over },
    { note: (line) => notes.push(line) },
  );

describe("a folder", () => {
  test("keeps its names, and what cannot be read is said", async () => {
    const notes: string[] = [];
    const { written, skipped } = await go({}, notes);
    expect(written).toEqual([place("out/deeper/two.webp.png"), place("out/one.png")]);
    expect(await level(place("out/one.png"))).toBe(215);
    expect(await level(place("out/deeper/two.webp.png"))).toBe(55);
    expect(skipped.map((s) => s.file)).toEqual(["notes.txt", "broken.jpg"]);
    expect(notes).toMatchInlineSnapshot(`
      [
        "Left out notes.txt: by its name it is no PNG, JPEG, WebP, GIF, AVIF, TIFF or SVG.",
        "Left out broken.jpg: not in a picture format that can be read, or cut short.",
      ]
    `);
    expect(readdirSync(place("out")).toSorted()).toEqual(["deeper", "one.png"]);
  });

  test("goes the other way, or to a domain by name", async () => {
    await go({ to: "A", out: place("back") });
    expect(await level(place("back/one.png"))).toBe(40);
    for (const [to, want] of [
      ["light", 215],
      ["dark", 40],
    ] as const) {
      await go({ run: "2", recipe: domains, to, out: place(to) });
      expect(await level(place(`${to}/one.png`))).toBe(want);
    }
  });
});

test("an animation gives its first frame, and that is said", async () => {
  const two = Buffer.concat([Buffer.alloc(8 * 8 * 3, 40), Buffer.alloc(8 * 8 * 3, 200)]);
  const raw = { width: 8, height: 16, channels: 3, pageHeight: 8 } as const;
  mkdirSync(place("moving"));
  writeFileSync(place("moving/two.gif"), await sharp(two, { raw }).gif().toBuffer());
  const notes: string[] = [];
  await go({ input: place("moving"), out: place("still") }, notes);
  expect(notes).toEqual(["two.gif has 2 frames; the first is taken."]);
  expect(await level(place("still/two.png"))).toBe(215);
});

test("one picture goes to a PNG, or into a folder", async () => {
  await go({ input: place("in/one.png"), out: place("single/a.png") });
  expect(await level(place("single/a.png"))).toBe(215);
  const { written } = await go({ input: place("in/one.png"), out: place("single") });
  expect(written).toEqual([place("single/one.png")]);
});

test("colours keep the picture's own size", async () => {
  const asked = {
    run: "4",
    colours: true,
    input: place("in/one.png"),
    out: place("c.png"),
  } as const;
  const { runs: _, ...rest } = { ...asked, runs };
  await translateRun({ runs, ...rest, threads: 1 });
  const { width, height, channels } = await sharp(place("c.png")).metadata();
  expect([width, height, channels]).toEqual([8, 8, 3]);
});

describe("refused in one sentence, with nothing written", () => {
  const refused = async (over: Partial<TranslateRequest>): Promise<string> => {
    const error: unknown = await go({ out: place("nothing"), ...over }).catch((e: unknown) => e);
    if (!(error instanceof UserError)) throw error;
    expect(existsSync(place("nothing"))).toBe(false);
    return error.message.replaceAll(root, "DIR");
  };
  test("a run that makes pictures from noise", async () => {
    expect(await refused({ run: "3", recipe: noise })).toMatchInlineSnapshot(
      `"Run 0003-noise-light (noise) makes pictures from noise and translates none. Name a run of pix2pix, cyclegan, discogan or stargan."`,
    );
  });
  test("a run that does not colour", async () => {
    expect(await refused({ colours: true })).toMatchInlineSnapshot(
      `"Run 0001-twins-light (twins) does not colour pictures. Train one with: duelo train pix2pix --derive grey --set colour=lab"`,
    );
  });
  test("a domain that is not there", async () => {
    expect(await refused({ to: "C" })).toMatchInlineSnapshot(
      `"Run 0001-twins-light goes to A or B, not to "C". Did you mean "A"?"`,
    );
    expect(await refused({ run: "2", recipe: domains })).toMatchInlineSnapshot(
      `"Say where to with --to. Domains: dark, light."`,
    );
    expect(await refused({ run: "2", recipe: domains, to: "darc" })).toMatchInlineSnapshot(
      `"There is no class "darc". Did you mean "dark"? Classes: dark, light."`,
    );
  });
  test("no pictures, or none that can be read", async () => {
    mkdirSync(place("empty"));
    expect(await refused({ input: place("empty") })).toMatchInlineSnapshot(
      `"The folder DIR/empty holds no pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG)."`,
    );
    expect(await refused({ input: place("none") })).toMatchInlineSnapshot(
      `"There is no file or folder DIR/none. Check the path."`,
    );
    expect(await refused({ input: place("in/broken.jpg") })).toMatchInlineSnapshot(
      `"broken.jpg cannot be used: not in a picture format that can be read, or cut short. Nothing was written."`,
    );
  });
  test("places that would collide", async () => {
    await put("twice/a.png", 1);
    await put("twice/a.jpg", 1);
    expect(await refused({ input: place("twice") })).toMatchInlineSnapshot(
      `"a.jpg and a.png would both be written as a.png. Rename one of them."`,
    );
    expect(await refused({ out: place("nothing.png") })).toMatchInlineSnapshot(
      `"DIR/in is a folder, so --out is one too, and DIR/nothing.png is a PNG's name."`,
    );
    expect(await refused({ out: place("in") })).toMatchInlineSnapshot(
      `"DIR/in/deeper/two.webp.png would be written over. Choose another --out."`,
    );
  });
});
