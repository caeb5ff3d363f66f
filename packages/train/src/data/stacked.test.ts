import { expect, test } from "vitest";
import type { PictureSource } from "./source.ts";
import { stackPictures } from "./stacked.ts";

/** Eight grey pictures of 1 x 2 pixels, [10 i, i], of two classes in turn. */
const base: PictureSource = {
  kind: "pictures",
  name: "tiny",
  layout: "made up",
  length: 8,
  uniform: { height: 1, width: 2, channels: 1 },
  labels: Int32Array.from({ length: 8 }, (_, i) => i % 2),
  classes: ["even", "odd"],
  settings: {},
  skipped: [],
  others: [],
  fingerprint: "tiny",
  nameOf: String,
  load: async (i) => ({
    pixels: { data: Uint8Array.of(10 * i, i), height: 1, width: 2, channels: 1 },
  }),
  close() {},
};
const stacked = stackPictures({ base, name: "stacked-tiny", length: 200 });

test("a stacked picture has a grey one in each channel, and their classes", async () => {
  expect(stacked.classes).toHaveLength(8);
  expect(stacked.classes?.[1]).toBe("even, even, odd");
  const seen = new Set<number>();
  for (let i = 0; i < 200; i++) {
    const picture = await stacked.load(i);
    if (!("pixels" in picture)) throw new TypeError("no pixels");
    const [r = 0, g = 0, b = 0, ...second] = picture.pixels.data;
    expect([r, g, b]).toEqual(second.map((v) => 10 * v));
    expect(stacked.labels?.[i]).toBe(((r / 10) % 2) * 4 + ((g / 10) % 2) * 2 + ((b / 10) % 2));
    seen.add(stacked.labels?.[i] ?? -1);
  }
  expect(seen.size).toBe(8);
});

test("is the same every time", async () => {
  const again = stackPictures({ base, name: "stacked-tiny", length: 200 });
  expect(again.labels).toEqual(stacked.labels);
  expect(await again.load(17)).toEqual(await stacked.load(17));
});

test("takes grey pictures of one size with labels only", () => {
  const { labels: _, ...unlabelled } = base;
  expect(() => stackPictures({ base: unlabelled, name: "x", length: 1 })).toThrow(TypeError);
});
