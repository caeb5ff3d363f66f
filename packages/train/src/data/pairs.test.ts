import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readField } from "../feeder.ts";
import type { DataRequest, Dataset } from "./dataset.ts";
import { openData } from "./open.ts";
import type { PairRequest } from "./pairs.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-pairs-"));
afterAll(() => rmSync(root, { recursive: true }));

type Colour = readonly [red: number, green: number, blue: number];

/** A PNG whose pixel in row y, column x is `at(y, x)`. */
async function put(
  path: string,
  size: readonly [h: number, w: number],
  at: (y: number, x: number) => Colour,
) {
  const [height, width] = size;
  const data = Buffer.from(
    Array.from({ length: height * width }, (_, i) => at(Math.floor(i / width), i % width)).flat(),
  );
  mkdirSync(dirname(join(root, path)), { recursive: true });
  const png = await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  writeFileSync(join(root, path), png);
}

const open = (spec: string, pair: PairRequest, over: Partial<DataRequest> = {}): Promise<Dataset> =>
  openData({
    spec: join(root, spec),
    domain: "image",
    height: 4,
    channels: 3,
    cacheDir: join(root, "cache"),
    pair,
    ...over,
  });

/** Red of the pixel at row 0, column 0 of record i. */
function corner(dataset: Dataset, field: string, i: number): number | undefined {
  return readField(dataset, field, [i]).data[0];
}

beforeAll(async () => {
  for (let i = 0; i < 20; i++) {
    const name = `${String(i).padStart(2, "0")}.png`;
    await put(`two/A/${name}`, [4, 4], () => [i, 0, 0]);
    await put(`two/B/${name.replace("png", "PNG")}`, [8, 8], () => [100 + i, 0, 0]);
    await put(`beside/${name}`, [4, 8], (_, x) => (x < 4 ? [i, 0, 0] : [100 + i, 0, 0]));
  }
});

describe("pairs of two folders", () => {
  test("are matched by name without extension, at one size", async () => {
    const set = await open("two/A", { spec: join(root, "two/B") });
    expect(set.length).toBe(20);
    expect(set.fields["pair"]).toEqual({ dtype: "uint8", shape: [3, 4, 4] });
    for (const i of [0, 7, 19])
      expect([corner(set, "x", i), corner(set, "pair", i)]).toEqual([i, 100 + i]);
    set.close();
  });

  test("are found as sub-folders A and B", async () => {
    const set = await open("two", {});
    expect([corner(set, "x", 3), corner(set, "pair", 3)]).toEqual([3, 103]);
    set.close();
  });

  test("may differ in channels", async () => {
    const set = await open("two", { channels: 1 });
    expect([set.fields["x"]?.shape, set.fields["pair"]?.shape]).toEqual([
      [3, 4, 4],
      [1, 4, 4],
    ]);
    expect(corner(set, "x", 3)).toBe(3);
    set.close();
  });

  test("that do not match in name or shape are named and left out, if they are few", async () => {
    await put("few/A/alone.png", [4, 4], () => [0, 0, 0]);
    for (let i = 0; i < 20; i++) {
      await put(`few/A/${i}.png`, [4, 4], () => [i, 0, 0]);
      await put(`few/B/${i}.png`, [4, i === 5 ? 6 : 4], () => [i, 0, 0]);
    }
    const notes: string[] = [];
    const request = { spec: join(root, "few"), domain: "image", height: 4, pair: {} } as const;
    const set = await openData(
      { ...request, cacheDir: join(root, "cache") },
      { warn: (line) => notes.push(line) },
    );
    expect(set.length).toBe(19);
    expect(notes).toMatchInlineSnapshot(`
      [
        "Left out alone.png: has no partner of that name in B.",
        "Left out 5.png: is 4 x 4, but its partner 5.png is 6 x 4.",
      ]
    `);
    set.close();
  });

  test("are refused when many do not match", async () => {
    await expect(
      open("few/A", { spec: join(root, "two/B") }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: 21 of 31 records of A-B cannot be used, more than one in ten: 0.png (has no partner of that name in B); 1.png (has no partner of that name in B); 2.png (has no partner of that name in B); and 18 more. Repair or remove them first.]`,
    );
    await expect(open("two/A", { spec: join(root, "none") })).rejects.toThrow(
      /There is no file or folder/,
    );
  });
});

test("halves are left and right", async () => {
  const set = await open("beside", { derive: "halves" }, { height: 4, width: 4 });
  expect(set.fields["x"]?.shape).toEqual([3, 4, 4]);
  expect([corner(set, "x", 3), corner(set, "pair", 3)]).toEqual([3, 103]);
  set.close();
  await put("odd/0.png", [4, 7], () => [0, 0, 0]);
  await put("odd/1.png", [4, 7], () => [0, 0, 0]);
  await expect(open("odd", { derive: "halves" })).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: None of the 2 records of odd can be used: 0.png (is 7 pixels wide, which has no two halves); 1.png (is 7 pixels wide, which has no two halves). Repair or remove them first.]`,
  );
});

test("without a second set, what to do is said", async () => {
  await expect(open("two/A", {})).rejects.toThrow(/^.*A holds single pictures, but/);
  await expect(
    open("two/A", { derive: "x4" }, { height: 6 }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: Pictures of 6x6 pixels cannot be made 4 times smaller. Choose a --size that 4 divides.]`,
  );
});

describe("pairs derived from one picture", () => {
  const colours: readonly Colour[] = [
    [255, 0, 0],
    [0, 255, 0],
    [0, 0, 255],
    [255, 255, 255],
    [90, 90, 90],
    [0, 0, 0],
  ];
  beforeAll(async () => {
    for (const [i, colour] of colours.entries())
      await put(`colours/${i}.png`, [4, 4], () => colour);
    for (let i = 0; i < 3; i++)
      await put(`steps/${i}.png`, [4, 4], (y, x) => [16 * y + 4 * x + i, y, x]);
  });

  test("grey has the colour's luminance", async () => {
    const set = await open("colours", { derive: "grey" });
    expect(set.fields["x"]?.shape).toEqual([1, 4, 4]);
    expect(set.fields["pair"]?.shape).toEqual([3, 4, 4]);
    // The sRGB grey of luminance 0.2126, 0.7152, 0.0722, worked out by hand from IEC 61966-2-1.
    expect(colours.map((_, i) => corner(set, "x", i))).toEqual([127, 220, 76, 255, 90, 0]);
    expect(corner(set, "pair", 0)).toBe(255);
    set.close();
  });

  test("x2 is the mean of squares", async () => {
    const set = await open("steps", { derive: "x2" });
    expect(set.fields["x"]?.shape).toEqual([3, 2, 2]);
    // Rows 0 and 1, columns 0 and 1: 0, 4, 16, 20.
    expect(Array.from(readField(set, "x", [0]).data.slice(0, 4))).toEqual([10, 18, 42, 50]);
    set.close();
  });
});

describe("jitter", () => {
  const at = (set: Dataset, field: string, place: readonly [number, number]): number[] => {
    const out = { [field]: new Uint8Array(3 * 4 * 4) };
    set.read([0], out, place);
    return Array.from(out[field] ?? []);
  };

  test("cuts both of a pair at one place, and in the middle where none is given", async () => {
    for (const side of ["A", "B"])
      for (let i = 0; i < 2; i++)
        await put(`jitter/${side}/${i}.png`, [6, 6], (y, x) => [
          10 * y + x,
          side === "A" ? 0 : 1,
          0,
        ]);
    const set = await open("jitter", {}, { jitter: 2 });
    expect([set.jitter, set.fields["x"]?.shape]).toEqual([2, [3, 4, 4]]);
    for (const field of ["x", "pair"]) {
      expect(at(set, field, [2, 1])[0]).toBe(21);
      expect(at(set, field, [2, 1]).slice(12, 16)).toEqual([51, 52, 53, 54]);
      expect(corner(set, field, 0)).toBe(11);
    }
    expect(at(set, "pair", [0, 0])[16]).toBe(1);
    const mirrored = await open("jitter", {}, { jitter: 2, flip: true });
    const out = { x: new Uint8Array(48) };
    mirrored.read([2], out, [0, 0]);
    expect(Array.from(out.x.slice(0, 4))).toEqual([5, 4, 3, 2]);
    expect(mirrored.key).not.toBe(set.key);
    set.close();
    mirrored.close();
  });
});
