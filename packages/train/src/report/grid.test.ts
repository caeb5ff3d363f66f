import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { encodeImages, imageGrid, toBytes } from "./grid.ts";
import { emojiPixels } from "./testing.ts";

async function decode(png: Uint8Array) {
  const { data, info } = await sharp(png).raw().toBuffer({ resolveWithObject: true });
  const at = (y: number, x: number): number[] => {
    const from = (y * info.width + x) * info.channels;
    return [...data.subarray(from, from + info.channels)];
  };
  return { ...info, at };
}

describe("toBytes", () => {
  test("rounds 255 (v - low) / (high - low) and cuts what lies outside", () => {
    const values = Float32Array.of(-1, 1, 0, -0.5, 2, -7, Number.NaN, Infinity);
    expect([...toBytes(values, [-1, 1])]).toEqual([0, 255, 128, 64, 255, 0, 0, 255]);
    expect([...toBytes(Float32Array.of(0, 0.5, 1), [0, 1])]).toEqual([0, 128, 255]);
  });

  test("every byte survives the way to a range and back", () => {
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(toBytes(all, [0, 255])).toEqual(all);
    const scaled = Float32Array.from(all, (v) => v / 127.5 - 1);
    expect(toBytes(scaled, [-1, 1])).toEqual(all);
  });
});

async function gridSize(h: number, w: number): Promise<number[]> {
  const pixels = new Uint8Array(h * w);
  const png = await imageGrid({ pixels, shape: [1, 1, h, w], range: [0, 255] });
  const { width, height } = await decode(png);
  return [height, width];
}

describe("imageGrid", () => {
  test("places pictures row after row, with white between and after them", async () => {
    const pixels = Uint8Array.of(10, 20, 30); // three grey pictures of one pixel
    const options = { pixels, shape: [3, 1, 1, 1], range: [0, 255] } as const;
    const png = await imageGrid({ ...options, columns: 2, gap: 1, scale: 2 });
    expect((await sharp(png).metadata()).channels).toBe(1);
    const grid = await decode(png);
    expect([grid.width, grid.height]).toEqual([5, 5]);
    const rows = [0, 1, 2, 3, 4].map((y) => [0, 1, 2, 3, 4].map((x) => grid.at(y, x)[0]));
    expect(rows).toEqual([
      [10, 10, 255, 20, 20],
      [10, 10, 255, 20, 20],
      [255, 255, 255, 255, 255],
      [30, 30, 255, 255, 255],
      [30, 30, 255, 255, 255],
    ]);
  });

  test("planes become colours, and alpha stays alpha", async () => {
    const pixels = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8); // [1, 4, 1, 2]
    const options = { range: [0, 255], scale: 1 } as const;
    const rgba = await decode(await imageGrid({ ...options, pixels, shape: [1, 4, 1, 2] }));
    expect([rgba.at(0, 0), rgba.at(0, 1)]).toEqual([
      [1, 3, 5, 7],
      [2, 4, 6, 8],
    ]);
    const rgb = await decode(
      await imageGrid({ ...options, pixels: pixels.subarray(0, 6), shape: [2, 3, 1, 1] }),
    );
    expect([rgb.at(0, 0), rgb.at(0, 1), rgb.at(0, 3)]).toEqual([
      [1, 2, 3],
      [255, 255, 255],
      [4, 5, 6],
    ]);
    const gap = await decode(
      await imageGrid({ ...options, pixels, shape: [2, 4, 1, 1], columns: 2 }),
    );
    expect(gap.at(0, 1)).toEqual([255, 255, 255, 0]);
  });

  test("a small picture is enlarged, a large one is not; neither need be square", async () => {
    expect(await gridSize(28, 28)).toEqual([56, 56]);
    expect(await gridSize(8, 16)).toEqual([32, 64]);
    expect(await gridSize(96, 128)).toEqual([96, 128]);
  });

  test("row labels stand before their rows and leave the pictures as they are", async () => {
    const pixels = new Uint8Array(2 * 64 * 64).fill(200);
    const options = { pixels, shape: [2, 1, 64, 64], range: [0, 255], columns: 1 } as const;
    const plain = await decode(await imageGrid(options));
    const labelled = await decode(
      await imageGrid({ ...options, rowLabels: ["cat & <dog>", "a name that is far too long"] }),
    );
    const left = labelled.width - plain.width;
    expect(left).toBeGreaterThan(100);
    expect(labelled.height).toBe(plain.height);
    expect(labelled.at(32, left).slice(0, 3)).toEqual([200, 200, 200]);
    const strip = Array.from({ length: left }, (_, x) => labelled.at(33, x)[0] ?? 255);
    expect(Math.min(...strip)).toBeLessThan(128); // ink of a letter
  });

  test("names stand above their columns, beside those of rows", async () => {
    const pixels = new Uint8Array(2 * 64 * 64).fill(200);
    const options = { pixels, shape: [2, 1, 64, 64], range: [0, 255], columns: 2 } as const;
    const rows = { ...options, rowLabels: ["a"] };
    const plain = await decode(await imageGrid(rows));
    const labelled = await decode(await imageGrid({ ...rows, columnLabels: ["one", "two"] }));
    const above = labelled.height - plain.height;
    expect([labelled.width, above]).toEqual([plain.width, 20]);
    const left = plain.width - 2 * 66 + 2;
    for (const column of [0, 1]) {
      const from = left + 66 * column;
      expect(labelled.at(above, from)[0]).toBe(200);
      const strip = Array.from({ length: 64 * above }, (_, i) => {
        return labelled.at(Math.floor(i / 64), from + (i % 64))[0] ?? 255;
      });
      expect(Math.min(...strip)).toBeLessThan(128); // ink of a letter
    }
  });

  test("refuses pixels that do not fit", async () => {
    const range = [0, 255] as const;
    const pixels = new Uint8Array(5);
    await expect(
      imageGrid({ pixels, shape: [1, 3, 2, 2], range }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: 5 values do not fill the shape [1, 3, 2, 2]]`,
    );
    await expect(
      imageGrid({ pixels, shape: [1, 5, 1, 1], range }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[RangeError: pictures of shape [1, 5, 1, 1]: n, h, w from 1, c from 1 to 4]`,
    );
  });

  test("refuses more pixels than a picture may have", async () => {
    const pixels = new Uint8Array(70_000);
    await expect(
      imageGrid({ pixels, shape: [70_000, 1, 1, 1], range: [0, 255] }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: 70000 pictures side by side would be 17488 x 17488 pixels, and at most 268 million can be written. Ask for fewer at once.]`,
    );
  });
});

test("encodeImages gives real pictures that come back as they were", async () => {
  const pixels = await emojiPixels({ n: 3, size: 48 }); // [3, 3, 48, 48]
  const files = await encodeImages({ pixels, shape: [3, 3, 48, 48], range: [0, 255] });
  expect(files.length).toBe(3);
  const second = await decode(files[1] ?? new Uint8Array());
  const plane = 48 * 48;
  for (const p of [0, 1000, 1177, 2303]) {
    const wanted = [0, 1, 2].map((c) => pixels[(3 + c) * plane + p]);
    expect(second.at(Math.floor(p / 48), p % 48)).toEqual(wanted);
  }
});
