import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, expect, test } from "vitest";
import { checkData } from "./check.ts";

const dir = mkdtempSync(join(tmpdir(), "duelo-check-"));
afterAll(() => rmSync(dir, { recursive: true }));

const flat = (width: number, height: number, background: string) =>
  sharp({ create: { width, height, channels: 3, background } });

test("a folder: sizes, channels, formats, classes, duplicates, what cannot be read, a contact sheet", async () => {
  mkdirSync(join(dir, "set/cat"), { recursive: true });
  mkdirSync(join(dir, "set/dog"));
  const put = (name: string, bytes: Uint8Array) => writeFileSync(join(dir, "set", name), bytes);
  const red = await flat(30, 20, "red").png().toBuffer();
  put("cat/red.png", red);
  put("cat/blue.jpg", await flat(30, 20, "blue").jpeg().toBuffer());
  put("dog/same-red.png", red);
  put("dog/clear.webp", await flat(10, 10, "green").ensureAlpha(0.5).webp().toBuffer());
  put("dog/cut.png", red.subarray(0, 60));
  const two = [flat(10, 10, "white"), flat(10, 10, "black")].map((one) => one.png().toBuffer());
  const moving = sharp(await Promise.all(two), { join: { animated: true } });
  put("dog/two-frames.gif", await moving.gif().toBuffer());
  put("dog/notes.txt", Buffer.from("words"));
  symlinkSync("nowhere", join(dir, "set/dog/gone.png"));
  const { sheet, ...report } = await checkData({ spec: join(dir, "set"), domain: "image" });
  expect(report).toMatchInlineSnapshot(`
    {
      "channels": {
        "RGB": 3,
        "RGB and alpha": 2,
      },
      "classes": [
        {
          "count": 2,
          "name": "cat",
        },
        {
          "count": 3,
          "name": "dog",
        },
      ],
      "columns": [],
      "duplicates": [
        [
          "cat/red.png",
          "dog/same-red.png",
        ],
      ],
      "formats": {
        "gif, its first frame": 1,
        "jpeg": 1,
        "png": 2,
        "webp": 1,
      },
      "kind": "pictures",
      "layout": "class folders",
      "nCaptions": 0,
      "nRecords": 5,
      "name": "set",
      "others": [
        "dog/notes.txt",
      ],
      "sizes": [
        {
          "count": 3,
          "height": 20,
          "width": 30,
        },
        {
          "count": 2,
          "height": 10,
          "width": 10,
        },
      ],
      "skipped": [
        {
          "file": "dog/cut.png",
          "reason": "damaged or cut short",
        },
        {
          "file": "dog/gone.png",
          "reason": "it is a link to what is not there",
        },
      ],
    }
  `);
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  expect([info.width, info.height]).toEqual([5 * 66 - 2, 64]);
  const colourAt = (x: number) =>
    Array.from(data.subarray((32 * info.width + x) * 3, (32 * info.width + x) * 3 + 3));
  expect(colourAt(66 + 32)).toEqual([255, 0, 0]); // after blue.jpg, in name order
  expect(colourAt(32)[2]).toBeGreaterThan(250);
  expect(colourAt(64)).toEqual([255, 255, 255]);
});

test("a table: each column", async () => {
  writeFileSync(join(dir, "t.csv"), "a,b,label\n1,10,x\n3,10,y\n1,10,x\n");
  expect(await checkData({ spec: join(dir, "t.csv"), domain: "vector" })).toMatchInlineSnapshot(`
    {
      "channels": {},
      "classes": [
        {
          "count": 2,
          "name": "x",
        },
        {
          "count": 1,
          "name": "y",
        },
      ],
      "columns": [
        {
          "high": 3,
          "low": 1,
          "mean": 1.6666666666666667,
          "name": "a",
          "sd": 0.9428090415820634,
        },
        {
          "high": 10,
          "low": 10,
          "mean": 10,
          "name": "b",
          "sd": 0,
        },
      ],
      "duplicates": [
        [
          "row 1",
          "row 3",
        ],
      ],
      "formats": {},
      "kind": "vectors",
      "layout": "CSV",
      "nCaptions": 0,
      "nRecords": 3,
      "name": "t.csv",
      "others": [],
      "sizes": [],
      "skipped": [],
    }
  `);
});
