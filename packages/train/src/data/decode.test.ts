import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { PictureError, readHeader, resolveColour, toRecord, type Target } from "./decode.ts";

const target: Target = {
  height: 32,
  width: 48,
  channels: 3,
  fit: "stretch",
  background: "#ffffff",
};

/** 48 x 32: red, green, blue and white quarters. */
function quarters(): Buffer {
  const data = Buffer.alloc(48 * 32 * 3);
  for (let y = 0; y < 32; y++)
    for (let x = 0; x < 48; x++) {
      const colour =
        y < 16 ? (x < 24 ? [255, 0, 0] : [0, 255, 0]) : x < 24 ? [0, 0, 255] : [255, 255, 255];
      data.set(colour, (y * 48 + x) * 3);
    }
  return data;
}
const image = () => sharp(quarters(), { raw: { width: 48, height: 32, channels: 3 } });

/** A value of every channel at (x, y) of a record [C, H, W]. */
function at(record: Uint8Array, to: Target, x: number, y: number): number[] {
  return Array.from(
    { length: to.channels },
    (_, c) => record[(c * to.height + y) * to.width + x] ?? -1,
  );
}

/** Lanczos overshoots beside an edge, by less than a tenth. */
function expectNear(found: readonly number[], wanted: readonly number[], tolerance = 24): void {
  for (const [c, value] of wanted.entries())
    expect(
      Math.abs((found[c] ?? -1) - value),
      `${found.join()} is not near ${wanted.join()}`,
    ).toBeLessThanOrEqual(tolerance);
}

function expectQuarters(record: Uint8Array, tolerance: number): void {
  const wanted = {
    "5,5": [255, 0, 0],
    "40,5": [0, 255, 0],
    "5,27": [0, 0, 255],
    "40,27": [255, 255, 255],
  };
  for (const [place, colour] of Object.entries(wanted)) {
    const [x = 0, y = 0] = place.split(",").map(Number);
    expectNear(at(record, target, x, y), colour, tolerance);
  }
}

const reason = async (encoded: Uint8Array): Promise<string> => {
  const error: unknown = await toRecord({ encoded }, target).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(PictureError);
  return error instanceof Error ? error.message : "";
};

const turned = (degrees: number) => image().rotate(degrees).png().toBuffer();

describe("formats", () => {
  test.each([
    ["png", () => image().png(), 0],
    ["palette png", () => image().png({ palette: true }), 0],
    ["gif", () => image().gif(), 0],
    ["tiff", () => image().tiff({ compression: "lzw" }), 0],
    ["webp", () => image().webp({ lossless: true }), 0],
    ["lossy webp", () => image().webp({ quality: 90 }), 12],
    ["avif", () => image().avif({ quality: 80 }), 12],
    ["jpeg", () => image().jpeg({ quality: 95 }), 6],
  ] as const)("%s", async (_, encode, tolerance) => {
    expectQuarters(await toRecord({ encoded: await encode().toBuffer() }, target), tolerance);
  });

  test("CMYK JPEG becomes RGB by its profile", async () => {
    const encoded = await image()
      .toColourspace("cmyk")
      .withIccProfile("cmyk")
      .jpeg({ quality: 98 })
      .toBuffer();
    expect((await sharp(encoded).metadata()).space).toBe("cmyk");
    const record = await toRecord({ encoded }, target);
    const [r = 0, g = 0, b = 0] = at(record, target, 5, 5);
    expect(r).toBeGreaterThan(180); // pure red is outside of what ink can print
    expect(Math.max(g, b)).toBeLessThan(90);
    expect(Math.min(...at(record, target, 40, 27))).toBeGreaterThan(250);
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8] as const)(
    "EXIF orientation %i is undone",
    async (orientation) => {
      // The stored pixels are what a camera held that way would store.
      const stored = {
        1: () => turned(0),
        2: () => image().flop().png().toBuffer(),
        3: () => turned(180),
        4: () => image().flip().png().toBuffer(),
        5: async () =>
          sharp(await turned(90))
            .flop()
            .png()
            .toBuffer(), // transposed
        6: () => turned(-90),
        7: async () =>
          sharp(await turned(90))
            .flip()
            .png()
            .toBuffer(), // transposed over the other diagonal
        8: () => turned(90),
      }[orientation];
      const encoded = await sharp(await stored())
        .withMetadata({ orientation })
        .jpeg({ quality: 95 })
        .toBuffer();
      expectQuarters(await toRecord({ encoded }, target), 6);
    },
  );

  test("SVG is drawn as large as the target needs, not enlarged from its own size", async () => {
    const encoded = Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><rect width="2" height="4" fill="#f00"/></svg>',
    );
    const to: Target = { ...target, height: 64, width: 64 };
    const record = await toRecord({ encoded }, to);
    expect(at(record, to, 30, 10)).toEqual([255, 0, 0]);
    expect(at(record, to, 33, 10)).toEqual([255, 255, 255]);
  });

  test("16-bit keeps its high byte, RGB and grey", async () => {
    const ramp = Uint16Array.from({ length: 48 * 32 }, (_, i) => (i * 42) % 65536);
    const raw = { width: 48, height: 32, channels: 1 as const };
    const encoded = await sharp(ramp, { raw }).toColourspace("grey16").png().toBuffer();
    expect((await sharp(encoded).metadata()).depth).toBe("ushort");
    const grey = await toRecord({ encoded }, { ...target, channels: 1 });
    expect(Array.from(grey)).toEqual(Array.from(ramp, (v) => v >> 8));
    const rgb = await toRecord({ encoded }, target);
    expect(Array.from(rgb)).toEqual([0, 1, 2].flatMap(() => Array.from(ramp, (v) => v >> 8)));
  });

  test("an animated picture gives its first frame", async () => {
    const frames = Buffer.concat([Buffer.alloc(8 * 8 * 3, 200), Buffer.alloc(8 * 8 * 3, 20)]);
    const encoded = await sharp(frames, {
      raw: { width: 8, height: 16, channels: 3, pageHeight: 8 },
    })
      .webp({ lossless: true })
      .toBuffer();
    expect((await readHeader(encoded)).frames).toBe(2);
    const record = await toRecord({ encoded }, { ...target, height: 8, width: 8 });
    expect(new Set(record)).toEqual(new Set([200]));
  });
});

const rgba = (alpha: number) =>
  sharp({
    create: { width: 8, height: 8, channels: 4, background: { r: 200, g: 0, b: 0, alpha } },
  })
    .png()
    .toBuffer();
const small: Target = { ...target, height: 8, width: 8 };

describe("channels", () => {
  test("alpha is laid over the background", async () => {
    const encoded = await rgba(0.5);
    const over = async (background: string) =>
      at(await toRecord({ encoded }, { ...small, background }), small, 4, 4);
    expect(await over("#ffffff")).toEqual([227, 127, 127]);
    expect(await over("#000000")).toEqual([100, 0, 0]);
  });

  test("alpha is kept with two and four channels, and is whole where there was none", async () => {
    const four: Target = { ...small, channels: 4 };
    const two: Target = { ...small, channels: 2 };
    const encoded = await rgba(0.5);
    expect(at(await toRecord({ encoded }, four), four, 4, 4)).toEqual([200, 0, 0, 128]);
    expect(at(await toRecord({ encoded }, two), two, 4, 4)[1]).toBe(128);
    const opaque = await image().png().toBuffer();
    const whole: Target = { ...target, channels: 4 };
    expect(at(await toRecord({ encoded: opaque }, whole), whole, 1, 1)).toEqual([255, 0, 0, 255]);
  });

  test("grey stays exactly grey; colour becomes its luminance", async () => {
    const ramp = Buffer.from(Array.from({ length: 64 }, (_, i) => i * 4));
    const encoded = await sharp(ramp, { raw: { width: 8, height: 8, channels: 1 } })
      .png()
      .toBuffer();
    expect(Array.from(await toRecord({ encoded }, { ...small, channels: 1 }))).toEqual(
      Array.from(ramp),
    );
    const grey = { ...target, channels: 1 } as const;
    const luminance = await toRecord({ encoded: await image().png().toBuffer() }, grey);
    const [red = 0, green = 0, blue = 0] = [
      at(luminance, grey, 5, 5),
      at(luminance, grey, 40, 5),
      at(luminance, grey, 5, 27),
    ].flat();
    expect(green).toBeGreaterThan(red);
    expect(red).toBeGreaterThan(blue);
  });

  test("resizing does not bleed the colour of transparent pixels", async () => {
    const data = Buffer.alloc(64 * 64 * 4);
    for (let i = 0; i < 64 * 64; i++)
      data.set(i % 64 < 32 ? [0, 0, 255, 255] : [255, 0, 0, 0], i * 4);
    const encoded = await sharp(data, { raw: { width: 64, height: 64, channels: 4 } })
      .png()
      .toBuffer();
    const four: Target = { ...small, channels: 4 };
    const record = await toRecord({ encoded }, four);
    for (let x = 0; x < 8; x++) {
      const [r, , , a] = at(record, four, x, 4);
      if (a !== 0) expect(r).toBeLessThan(8);
    }
  });
});

const wide = () =>
  sharp(quarters(), { raw: { width: 48, height: 32, channels: 3 } })
    .png()
    .toBuffer();
const square: Target = { ...target, height: 16, width: 16 };

describe("size", () => {
  test("crop takes the middle, pad shows the background, stretch keeps the corners", async () => {
    const encoded = await wide();
    const pad: Target = { ...square, fit: "pad", background: "#102030" };
    const padded = await toRecord({ encoded }, pad);
    expect(at(padded, pad, 8, 0)).toEqual([16, 32, 48]);
    expectNear(at(padded, pad, 2, 5), [255, 0, 0]);
    const cropped = await toRecord({ encoded }, { ...square, fit: "crop" });
    expectNear(at(cropped, square, 1, 1), [255, 0, 0]);
    expectNear(at(cropped, square, 14, 14), [255, 255, 255]);
    // The seam of a centred crop stays in the middle.
    expectNear(at(cropped, square, 5, 1), [255, 0, 0]);
    expectNear(at(cropped, square, 10, 1), [0, 255, 0]);
    expectQuarters(await toRecord({ encoded }, target), 0);
  });

  test("shrinking is antialiased: one-pixel stripes become an even grey", async () => {
    const stripes = Buffer.from(Array.from({ length: 256 * 256 }, (_, i) => (i % 2) * 255));
    const encoded = await sharp(stripes, { raw: { width: 256, height: 256, channels: 1 } })
      .png()
      .toBuffer();
    const record = await toRecord({ encoded }, { ...square, channels: 1, height: 20, width: 20 });
    const inner = record.filter((_, i) => i % 20 > 1 && i % 20 < 18);
    expect(Math.min(...inner)).toBeGreaterThan(115);
    expect(Math.max(...inner)).toBeLessThan(140);
  });

  test("a JPEG is decoded whole before it shrinks", async () => {
    const noise = Buffer.from(
      Array.from({ length: 512 * 512 * 3 }, (_, i) => ((i * 7919) ^ (i >> 5)) & 255),
    );
    const encoded = await sharp(noise, { raw: { width: 512, height: 512, channels: 3 } })
      .jpeg()
      .toBuffer();
    const whole = await sharp(encoded).png().toBuffer();
    const ours = Buffer.from(await toRecord({ encoded }, square));
    expect(ours.equals(Buffer.from(await toRecord({ encoded: whole }, square)))).toBe(true);
    const shrunk = await sharp(encoded).resize(16, 16, { fit: "fill" }).raw().toBuffer();
    const planes = Buffer.from(
      await toRecord({ pixels: { data: shrunk, height: 16, width: 16, channels: 3 } }, square),
    );
    expect(ours.equals(planes)).toBe(false); // shrinking while loading would have altered the pixels
  });
});

describe("refused", () => {
  test("an empty file", async () => {
    expect(await reason(new Uint8Array(0))).toMatchInlineSnapshot(`"empty file"`);
  });

  test("text under the name of a picture", async () => {
    expect(await reason(Buffer.from("hello, this is no picture"))).toMatchInlineSnapshot(
      `"not in a picture format that can be read, or cut short"`,
    );
  });

  test("a broken SVG", async () => {
    expect(
      await reason(
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><rect wid'),
      ),
    ).toMatchInlineSnapshot(
      `"damaged or cut short (glib: XML parse error: Error domain 1 code 73 on line 1 column 68 of data: Couldn't find end of Start Tag rect line 1)"`,
    );
  });

  test.each(["png", "jpeg", "webp", "gif", "avif", "tiff"] as const)(
    "a %s cut anywhere",
    async (format) => {
      const noise = Buffer.from(
        Array.from({ length: 64 * 64 * 3 }, (_, i) => ((i * 7919) ^ (i >> 3)) & 255),
      );
      const whole = await sharp(noise, { raw: { width: 64, height: 64, channels: 3 } })
        .toFormat(format)
        .toBuffer();
      for (const share of [0.02, 0.3, 0.6, 0.9])
        expect(await reason(whole.subarray(0, Math.floor(whole.length * share)))).toMatch(
          /cut short/,
        );
    },
  );

  test("a header of 50,000 x 50,000, before anything is allocated", async () => {
    const svg =
      '<svg xmlns="http://www.w3.org/2000/svg" width="50000" height="50000"><rect width="1"/></svg>';
    expect(await reason(Buffer.from(svg))).toMatchInlineSnapshot(
      `"50000 x 50000 pixels is above the limit of 67 million"`,
    );
    const { crc32 } = await import("node:zlib");
    const png = await image().png().toBuffer();
    png.writeUInt32BE(50_000, 16);
    png.writeUInt32BE(50_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    const before = process.memoryUsage().rss;
    expect(await reason(png)).toMatchInlineSnapshot(
      `"50000 x 50000 pixels is above the limit of 67 million"`,
    );
    expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 28);
  });

  test("a background that is no colour", async () => {
    expect(await resolveColour("white")).toBe("#ffffff");
    expect(await resolveColour("#08f")).toBe("#0088ff");
    await expect(resolveColour("whitish")).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: The background "whitish" is not a colour. Write a name such as white, or #rrggbb.]`,
    );
  });
});

test("a header tells size after rotation, grey, alpha and frames", async () => {
  const turned = await image().jpeg().withMetadata({ orientation: 6 }).toBuffer();
  expect(await readHeader(turned)).toEqual({
    height: 48,
    width: 32,
    format: "jpeg",
    grey: false,
    alpha: false,
    frames: 1,
  });
  const grey = await image().toColourspace("b-w").png().toBuffer();
  expect(await readHeader(grey)).toEqual({
    height: 32,
    width: 48,
    format: "png",
    grey: true,
    alpha: false,
    frames: 1,
  });
  const clear = await image().ensureAlpha(0.5).webp().toBuffer();
  expect(await readHeader(clear)).toEqual({
    height: 32,
    width: 48,
    format: "webp",
    grey: false,
    alpha: true,
    frames: 1,
  });
});
