import { UserError } from "@duelo/core";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { DataRequest, Dataset } from "./dataset.ts";
import { openData } from "./open.ts";
import type { Hooks } from "./source.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-open-"));
afterAll(() => rmSync(root, { recursive: true }));
let dir = "";
let n = 0;
beforeEach(() => {
  dir = join(root, String(n++));
  mkdirSync(dir);
});

/** A picture whose left half has one colour and whose right half is black. */
async function put(
  name: string,
  red: number,
  size: { width: number; height: number } = { width: 8, height: 6 },
) {
  const { width, height } = size;
  const data = Buffer.alloc(width * height * 3);
  for (let i = 0; i < width * height; i++)
    if (i % width < width / 2) data.set([red, 100, 50], i * 3);
  const path = join(dir, "set", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    await sharp(data, { raw: { width, height, channels: 3 } })
      .png()
      .toBuffer(),
  );
}

function putText(name: string, text: string | Uint8Array): void {
  const path = join(dir, "set", name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

const open = (request: Partial<DataRequest> = {}, hooks: Hooks = {}) =>
  openData(
    { spec: join(dir, "set"), domain: "image", cacheDir: join(dir, "cache"), ...request },
    hooks,
  );

async function refused(request: Partial<DataRequest> = {}): Promise<string> {
  const error: unknown = await open(request).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return error instanceof Error ? error.message.replaceAll(dir, "DIR") : "";
}

function readAll(data: Dataset): { x: Uint8Array; y: Int32Array } {
  const size = data.fields["x"]?.shape.reduce((a, b) => a * b, 1) ?? 0;
  const out = { x: new Uint8Array(data.length * size), y: new Int32Array(data.length) };
  data.read(
    Int32Array.from({ length: data.length }, (_, i) => i),
    data.fields["y"] ? out : { x: out.x },
  );
  return out;
}

const plane = (value: number) =>
  Array.from({ length: 6 }, () => [value, value, value, value, 0, 0, 0, 0]).flat();

describe("a folder of pictures", () => {
  test("is read in name order, planes first, at its own size", async () => {
    await put("b.png", 20);
    await put("a.png", 10);
    const data = await open();
    expect(data).toMatchObject({
      name: "set",
      length: 2,
      fields: { x: { dtype: "uint8", shape: [3, 6, 8] } },
      skipped: [],
    });
    expect(data.fields["y"]).toBeUndefined();
    const { x } = readAll(data);
    const record = [10, 100, 50, 20, 100, 50].flatMap((value) => plane(value));
    expect(Array.from(x)).toEqual(record);
    data.close();
  });

  test("settings tell everything that decided the pixels", async () => {
    await put("a.png", 10);
    await put("b.png", 20);
    const { sharp: _, libvips: __, ...settings } = (await open({ width: 4, flip: true })).settings;
    expect(settings).toMatchInlineSnapshot(`
      {
        "background": "#ffffff",
        "channels": 3,
        "fit": "crop",
        "flip": true,
        "height": 4,
        "layout": "image folder",
        "records": 2,
        "resize": "lanczos3, antialiased, whole decode",
        "width": 4,
      }
    `);
  });

  test("batches repeat and reorder records as asked", async () => {
    for (let i = 0; i < 5; i++) await put(`${i}.png`, 10 * i);
    const data = await open();
    const x = new Uint8Array(3 * 144);
    data.read([4, 1, 4], { x });
    expect([x[0], x[144], x[288]]).toEqual([40, 10, 40]);
    expect(() => data.read([0], { x })).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: batch array x must be a Uint8Array of length 144]`,
    );
    expect(() => data.read([5], { x: new Uint8Array(144) })).toThrow(RangeError);
    data.close();
  });

  test("sub-folders are classes, in order; labels can be ignored", async () => {
    await put("dog/1.png", 1);
    await put("cat/2.png", 2);
    await put("cat/deeper/3.png", 3);
    const data = await open({ labels: "require" });
    expect(data.classes).toEqual(["cat", "dog"]);
    expect(data.fields["y"]).toEqual({ dtype: "int32", shape: [] });
    const { x, y } = readAll(data);
    expect(Array.from(y)).toEqual([0, 0, 1]);
    expect([x[0], x[144], x[288]]).toEqual([2, 3, 1]);
    const without = await open({ labels: "ignore" });
    expect(without.fields["y"]).toBeUndefined();
    expect(without.classes).toBeUndefined();
    expect(without.key).not.toBe(data.key);
  });

  test("metadata.jsonl names the files, labels and captions", async () => {
    await put("train/a.png", 1);
    await put("train/b.png", 2);
    await put("train/unnamed.png", 3);
    putText(
      "train/metadata.jsonl",
      '{"file_name": "b.png", "label": 7, "text": "a bee"}\n\n{"file_name": "a.png", "label": 10, "text": "an ape"}\n',
    );
    const data = await open({ spec: join(dir, "set/train") });
    expect(data).toMatchObject({ length: 2, classes: ["7", "10"], captions: ["a bee", "an ape"] });
    const { x, y } = readAll(data);
    expect(Array.from(y)).toEqual([0, 1]);
    expect([x[0], x[144]]).toEqual([2, 1]);
  });

  test("metadata.csv with quoted captions and worded labels", async () => {
    await put("a.png", 1);
    await put("b.png", 2);
    putText(
      "metadata.csv",
      'file_name,class,caption\r\na.png,zebra,"one, ""two"""\r\nb.png,ant,three\r\n',
    );
    const data = await open();
    expect(data).toMatchObject({ classes: ["ant", "zebra"], captions: ['one, "two"', "three"] });
    expect(Array.from(readAll(data).y)).toEqual([1, 0]);
  });

  test("flip adds the mirror images behind", async () => {
    await put("a.png", 9);
    await put("b.png", 5);
    const data = await open({ flip: true });
    expect(data.length).toBe(4);
    const { x } = readAll(data);
    const row = (record: number, y: number) =>
      Array.from(x.subarray(record * 144 + y * 8, record * 144 + y * 8 + 8));
    expect(row(0, 0)).toEqual([9, 9, 9, 9, 0, 0, 0, 0]);
    expect(row(2, 0)).toEqual([0, 0, 0, 0, 9, 9, 9, 9]);
    expect(row(3, 17)).toEqual([0, 0, 0, 0, 50, 50, 50, 50]);
  });

  test("limit takes records evenly over the classes", async () => {
    for (let i = 0; i < 6; i++) await put(`${i < 3 ? "a" : "b"}/${i}.png`, 10 * i);
    const data = await open({ limit: 3 });
    const { x, y } = readAll(data);
    expect(Array.from(y)).toEqual([0, 0, 1]);
    expect([x[0], x[144], x[288]]).toEqual([0, 20, 40]);
  });

  test("one picture in ten may be unreadable: it is named and left out, now and later", async () => {
    for (let i = 0; i < 9; i++) await put(`${i}.png`, i);
    putText("broken.png", "no picture");
    for (const _ of [1, 2]) {
      const lines: string[] = [];
      const data = await open({}, { warn: (line) => lines.push(line) });
      expect(data.length).toBe(9);
      expect(data.skipped).toEqual([{ file: "broken.png", reason: expect.any(String) }]);
      expect(lines).toMatchInlineSnapshot(`
        [
          "Left out broken.png: not in a picture format that can be read, or cut short.",
        ]
      `);
    }
    putText("worse.png", "");
    expect(await refused()).toMatchInlineSnapshot(
      `"2 of 11 records of set cannot be used, more than one in ten: broken.png (not in a picture format that can be read, or cut short); worse.png (empty file). Repair or remove them first."`,
    );
    expect(readdirSync(join(dir, "cache")).length).toBe(1);
  });
});

const decoded = async (request: Partial<DataRequest> = {}) => {
  const seen = new Set<string>();
  const lines: string[] = [];
  const data = await open(request, {
    progress: (_, __, what) => seen.add(what),
    warn: (line) => lines.push(line),
  });
  const { x } = readAll(data);
  data.close();
  return { again: seen.has("decoding"), key: data.key, x, lines };
};

describe("the decoded copy", () => {
  test("is used again, and made anew when a file, the size or the fit changes", async () => {
    for (let i = 0; i < 4; i++) await put(`${i}.png`, i);
    const first = await decoded();
    expect(first.again).toBe(true);
    expect(await decoded()).toEqual({ ...first, again: false });
    utimesSync(join(dir, "set/1.png"), new Date(0), new Date(0));
    expect(await decoded()).toEqual(first); // decoded again, same content, same key
    await put("1.png", 77);
    const changed = await decoded();
    expect(changed).toMatchObject({ again: true });
    expect(changed.key).not.toBe(first.key);
    expect(await decoded({ width: 4 })).toMatchObject({ again: true });
    expect(await decoded({ width: 4, fit: "pad" })).toMatchObject({ again: true });
    expect(await decoded({ width: 4, fit: "pad" })).toMatchObject({ again: false });
  });

  test("has the same key wherever the pictures lie", async () => {
    for (let i = 0; i < 3; i++) await put(`${i}.png`, i);
    const { key } = await decoded();
    cpSync(join(dir, "set"), join(dir, "copy"), { recursive: true });
    const copy = await open({ spec: join(dir, "copy"), cacheDir: join(dir, "other") });
    expect(copy.key).toBe(key);
  });

  test("is made anew when it is damaged or cut short", async () => {
    for (let i = 0; i < 4; i++) await put(`${i}.png`, 50 + i);
    const whole = await decoded();
    const [name = ""] = readdirSync(join(dir, "cache"));
    const shard = join(dir, "cache", name, "x-00000.bin");
    const bytes = readFileSync(shard);
    bytes[7] = 1;
    writeFileSync(shard, bytes);
    const repaired = await decoded();
    expect(repaired).toMatchObject({ again: true, key: whole.key, x: whole.x });
    expect(repaired.lines).toMatchInlineSnapshot(`
      [
        "The decoded copy of set is damaged (x-00000.bin does not match its digest). Decoding it again.",
      ]
    `);
    writeFileSync(shard, bytes.subarray(0, 100));
    expect(await decoded()).toMatchObject({ again: true, key: whole.key, x: whole.x });
    expect(await decoded()).toMatchObject({ again: false, lines: [] });
  });

  test("is not there after an interruption", async () => {
    for (let i = 0; i < 40; i++) await put(`${i}.png`, i);
    const stop = new AbortController();
    const opening = open(
      { height: 6, width: 8, channels: 3 },
      { signal: stop.signal, progress: (done) => done === 10 && stop.abort(new Error("stopped")) },
    );
    await expect(opening).rejects.toThrow("stopped");
    expect(readdirSync(join(dir, "cache"))).toEqual([]);
    expect((await open()).length).toBe(40);
  });
});

describe("refused", () => {
  test("a path that is not there, and a name that is nearly one", async () => {
    expect(await refused()).toMatchInlineSnapshot(
      `"There is no file or folder DIR/set. Check the path."`,
    );
    expect(await refused({ spec: "emojis" })).toMatchInlineSnapshot(
      `"There is no file or folder emojis. Did you mean "emoji"?"`,
    );
  });

  test("an empty folder, and a folder of text files", async () => {
    mkdirSync(join(dir, "set"));
    expect(await refused()).toMatchInlineSnapshot(
      `"The folder DIR/set is empty. Put pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG) in it."`,
    );
    for (const name of ["a.txt", "b.md", "c"]) putText(name, "words");
    expect(await refused()).toMatchInlineSnapshot(
      `"The folder DIR/set holds no pictures, only 3 other files (.txt, .md, without extension). Pictures are PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG files."`,
    );
  });

  test("a file of another kind, and a single picture", async () => {
    await put("a.png", 1);
    putText("notes.docx", "words");
    expect(await refused({ spec: join(dir, "set/notes.docx") })).toMatchInlineSnapshot(
      `"notes.docx is of no kind that can be read. Name a folder of pictures (PNG, JPEG, WebP, GIF, AVIF, TIFF and SVG), or an IDX, CIFAR .bin, .npy or .csv file."`,
    );
    expect(await refused({ spec: join(dir, "set/a.png") })).toMatchInlineSnapshot(
      `"DIR/set/a.png is a single picture. Name the folder that holds the pictures."`,
    );
  });

  test("labels asked of an unlabelled set", async () => {
    await put("a.png", 1);
    expect(await refused({ labels: "require" })).toMatchInlineSnapshot(
      `"set has no labels, but this recipe needs them. Put each class in a sub-folder of its own, or add a metadata.csv with the columns file_name and label."`,
    );
  });

  test("labels asked of points", async () => {
    expect(
      await refused({ spec: "ring8", domain: "vector", labels: "require" }),
    ).toMatchInlineSnapshot(
      `"ring8 has no labels, but this recipe needs them. They are a column named label of a .csv file."`,
    );
  });

  test("one picture", async () => {
    await put("a.png", 1);
    expect(await refused()).toMatchInlineSnapshot(
      `"set holds one picture only. A GAN learns what many pictures share: give it hundreds."`,
    );
  });

  test("splits are not classes", async () => {
    await put("train/cat/a.png", 1);
    await put("test/cat/b.png", 1);
    expect(await refused()).toMatchInlineSnapshot(
      `"The folder DIR/set holds splits (test, train), not classes. Name one of them: DIR/set/train."`,
    );
  });

  test("pictures of several sizes without a size", async () => {
    await put("a.png", 1);
    await put("b.png", 1, { width: 5, height: 5 });
    expect(await refused()).toMatchInlineSnapshot(
      `"The pictures of set differ in size (a.png is 8 x 6, b.png is 5 x 5). Give one size for all, such as --size 64."`,
    );
    expect((await open({ height: 6 })).fields["x"]?.shape).toEqual([3, 6, 6]);
  });

  test("sizes and limits out of range", async () => {
    expect(await refused({ height: 0 })).toMatchInlineSnapshot(
      `"The height of the data is 0; it must be a whole number from 1 to 8192."`,
    );
    expect(await refused({ width: 1e5 })).toMatchInlineSnapshot(
      `"The width of the data is 100000; it must be a whole number from 1 to 8192."`,
    );
    expect(await refused({ limit: 1.5 })).toMatchInlineSnapshot(
      `"The limit of the data is 1.5; it must be a whole number from 1 to 1073741824."`,
    );
  });

  test("points for pictures and pictures for points", async () => {
    await put("a.png", 1);
    expect(await refused({ domain: "vector" })).toMatchInlineSnapshot(
      `"set holds pictures, but this recipe trains on points or tables, such as ring8 or a .csv file."`,
    );
    expect(await refused({ spec: "ring8" })).toMatchInlineSnapshot(
      `"ring8 holds points, but this recipe trains on pictures, such as emoji or a folder of them."`,
    );
  });

  test("a choice from a folder, or one that a named set does not have", async () => {
    await put("a.png", 1);
    expect(await refused({ select: { group: "cats" } })).toMatchInlineSnapshot(
      `"DIR/set cannot be narrowed by "group": only named sets can (emoji, openmoji, emoji-google, emoji-twitter, fashion-mnist, stacked-fashion, phosphor, digits, digits-8x8, ring8, grid25, ring5, ring10)."`,
    );
    expect(await refused({ spec: "emoji", select: { group: "flag" } })).toMatchInlineSnapshot(
      `"emoji has no group "flag"; there are smileys-emotion, people-body, animals-nature, food-drink, travel-places, activities, objects, symbols, flags. Did you mean "flags"?"`,
    );
    expect(await refused({ spec: "emoji", select: { groups: "flags" } })).toMatchInlineSnapshot(
      `"emoji cannot be narrowed by "groups"; it can by group and tone. Did you mean "group"?"`,
    );
    expect(await refused({ spec: "digits", select: { group: "flags" } })).toMatchInlineSnapshot(
      `"digits cannot be narrowed by "group"; it is one whole."`,
    );
  });

  test("metadata that leads out of the folder, even by an existing file", async () => {
    await put("a.png", 1);
    putText("../outside.png", readFileSync(join(dir, "set/a.png")));
    putText("metadata.jsonl", '{"file_name": "../outside.png"}\n');
    expect(await refused()).toMatchInlineSnapshot(
      `"metadata.jsonl row 1 names ../outside.png, which leads out of the folder. Only files inside it are read."`,
    );
    putText("metadata.jsonl", `${JSON.stringify({ file_name: join(dir, "outside.png") })}\n`);
    expect(await refused()).toMatchInlineSnapshot(
      `"metadata.jsonl row 1 names DIR/outside.png, which leads out of the folder. Only files inside it are read."`,
    );
  });

  test("metadata without names, that is no JSON, or that names what is not there", async () => {
    await put("a.png", 1);
    putText("metadata.jsonl", '{"text": "a"}\n');
    expect(await refused()).toMatchInlineSnapshot(
      `"metadata.jsonl row 1 has no file_name. Each row names its picture there."`,
    );
    putText("metadata.jsonl", '{"file_name": "a.png"}\nnonsense\n');
    expect(await refused()).toMatchInlineSnapshot(
      `"metadata.jsonl line 2 is not a JSON object. Each line is one, with a file_name."`,
    );
    putText("metadata.jsonl", '{"file_name": "a.png"}\n{"file_name": "gone.png"}\n');
    expect(await refused()).toMatchInlineSnapshot(
      `"1 of 2 records of set cannot be used, more than one in ten: gone.png (named in metadata.jsonl, but not there). Repair or remove them first."`,
    );
  });

  test("nothing that can be read", async () => {
    for (let i = 0; i < 5; i++) putText(`${i}.png`, "");
    expect(await refused()).toMatchInlineSnapshot(
      `"None of the 5 records of set can be used: 0.png (empty file); 1.png (empty file); 2.png (empty file); and 2 more. Repair or remove them first."`,
    );
  });
});
