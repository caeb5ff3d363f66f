import { findRecipe } from "@duelo/zoo";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Dataset } from "./data/dataset.ts";
import { classWatched, nColumns, nWatched, samplePicture } from "./pictures.ts";

test.each([
  [0, 8],
  [3, 8],
  [10, 10],
  [1000, 16],
])("of %d classes a grid has %d rows", (nClasses, nRows) => {
  expect(nWatched(nClasses)).toBe(nRows * nColumns);
});

test("the rows of a grid go through the classes, and again", () => {
  const rows = Array.from({ length: 8 }, (_, row) => classWatched(row * nColumns + 7, 3));
  expect(rows).toEqual([0, 1, 2, 0, 1, 2, 0, 1]);
});

test("rows are named where the recipe is told the class, and only there", async () => {
  const classes = Array.from({ length: 10 }, (_, i) => `class ${i}`);
  const dataset: Dataset = {
    ...{ name: "ten", key: "", settings: {}, length: 10, classes, skipped: [] },
    fields: {},
    read: () => undefined,
    close: () => undefined,
  };
  const shape = [nWatched(10), 1, 4, 4];
  const data = new Float32Array(nWatched(10) * 16);
  const sizeOf = async (name: string) => {
    const recipe = findRecipe(name);
    const picture = await samplePicture({
      recipe,
      dataset,
      samples: { dtype: "float32", shape, data },
    });
    const { width, height } = await sharp(picture).metadata();
    return { width, height };
  };
  const [plain, named] = [await sizeOf("gan"), await sizeOf("cgan")];
  expect(plain).toEqual({ width: 8 * 66 - 2, height: 10 * 66 - 2 });
  expect(named.height).toBe(plain.height);
  expect(named.width).toBeGreaterThan(plain.width);
});
