import { UserError } from "@duelo/core";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import type { DataRequest } from "./dataset.ts";
import { openData } from "./open.ts";

const dir = mkdtempSync(join(tmpdir(), "duelo-packed-"));
afterAll(() => rmSync(dir, { recursive: true }));

const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(dir, name), bytes);
const open = (name: string, request: Partial<DataRequest> = {}) =>
  openData({ spec: join(dir, name), domain: "image", cacheDir: join(dir, "cache"), ...request });

/** All of x and y, as plain arrays. */
async function all(name: string, request: Partial<DataRequest> = {}) {
  const data = await open(name, request);
  const size = data.fields["x"]?.shape.reduce((a, b) => a * b, 1) ?? 0;
  const x =
    data.fields["x"]?.dtype === "uint8"
      ? new Uint8Array(size * data.length)
      : new Float32Array(size * data.length);
  const y = new Int32Array(data.length);
  const labelled = data.fields["y"] !== undefined;
  data.read(
    Array.from({ length: data.length }, (_, i) => i),
    labelled ? { x, y } : { x },
  );
  data.close();
  return { data, x: Array.from(x), y: labelled ? Array.from(y) : undefined };
}

async function refused(name: string, request: Partial<DataRequest> = {}): Promise<string> {
  const error: unknown = await open(name, request).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(UserError);
  return error instanceof Error ? error.message.replaceAll(dir, "DIR") : "";
}

const bytes = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 37 + 11) & 255);

function idx(shape: readonly number[], values: Uint8Array, type = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.set([0, 0, type, shape.length]);
  shape.forEach((d, i) => header.writeUInt32BE(d, 4 + 4 * i));
  return Buffer.concat([header, values]);
}

describe("IDX", () => {
  test("pictures with the labels beside them, plain or packed", async () => {
    const x = bytes(3 * 20);
    put("a-images-idx3-ubyte", idx([3, 4, 5], x));
    put("a-labels-idx1-ubyte.gz", gzipSync(idx([3], Uint8Array.of(2, 0, 1))));
    put("b-images-idx3-ubyte.gz", gzipSync(idx([3, 4, 5], x)));
    const plain = await all("a-images-idx3-ubyte");
    expect(plain.data.fields["x"]?.shape).toEqual([1, 4, 5]);
    expect(plain).toMatchObject({
      x: Array.from(x),
      y: [2, 0, 1],
      data: { classes: ["0", "1", "2"] },
    });
    expect(await all("b-images-idx3-ubyte.gz")).toMatchObject({ x: Array.from(x), y: undefined });
  });

  test("colour pictures [N, H, W, C] become planes", async () => {
    put("c.images.idx4", idx([2, 1, 2, 3], bytes(12)));
    const v = Array.from(bytes(12));
    const order = [0, 3, 1, 4, 2, 5, 6, 9, 7, 10, 8, 11];
    expect((await all("c.images.idx4")).x).toEqual(order.map((i) => v[i]));
  });

  test("refused: not IDX, other values, cut short, too long, other labels", async () => {
    put("text-idx3", "this is no IDX file");
    put("float-idx3", idx([1, 1, 1], bytes(4), 0x0d));
    put("flat-idx1", idx([9], bytes(9)));
    put("huge-idx3", idx([4_000_000_000, 4000, 4000], bytes(4)));
    put("short-idx3", idx([3, 4, 5], bytes(59)));
    put("long-idx3", idx([3, 4, 5], bytes(61)));
    put("short-idx3.gz", gzipSync(idx([3, 4, 5], bytes(59))));
    put("long-idx3.gz", gzipSync(idx([3, 4, 5], bytes(61))));
    put("bomb-idx3.gz", gzipSync(idx([3, 4, 5], new Uint8Array(5e7))));
    put("huge-idx3.gz", gzipSync(idx([100_000, 1000, 1000], bytes(4))));
    put("cut-idx3.gz", gzipSync(idx([30, 40, 50], bytes(60_000))).subarray(0, 400));
    put("d-images-idx3", idx([3, 1, 1], bytes(3)));
    put("d-labels-idx1", idx([2], bytes(2)));
    const names =
      "text-idx3 float-idx3 flat-idx1 huge-idx3 short-idx3 long-idx3 short-idx3.gz long-idx3.gz bomb-idx3.gz huge-idx3.gz cut-idx3.gz d-images-idx3";
    const texts: string[] = [];
    for (const name of names.split(" ")) texts.push(await refused(name));
    expect(texts).toMatchInlineSnapshot(`
      [
        "text-idx3 is not an IDX file: its first bytes are not an IDX header.",
        "float-idx3 holds IDX values of type 0x0d; unsigned bytes (0x08) are read.",
        "flat-idx1 has shape [9]; pictures are [N, height, width] or [N, height, width, channels].",
        "huge-idx3 is cut short: it has 20 of 64000000000000020 bytes. Download or copy it again.",
        "short-idx3 is cut short: it has 75 of 76 bytes. Download or copy it again.",
        "long-idx3 is longer than its header says: 77 bytes, not 76. It is damaged, or not of this format.",
        "short-idx3.gz is cut short: it has 75 of 76 bytes. Download or copy it again.",
        "long-idx3.gz unpacks to more than its header says.",
        "bomb-idx3.gz unpacks to more than its header says.",
        "huge-idx3.gz unpacks to 94 GiB, more than the 4 GiB that fit. Unpack it first: gunzip huge-idx3.gz.",
        "cut-idx3.gz is not a whole gzip file. Download or copy it again.",
        "d-labels-idx1 has labels of shape [2], but there are 3 pictures.",
      ]
    `);
  });
});

const record = (label: number[], red: number) => [
  ...label,
  ...Array.from({ length: 3072 }, (_, i) => (i < 1024 ? red : i & 255)),
];

describe("CIFAR", () => {
  test("CIFAR-10: planes as they lie in the file", async () => {
    put("data_batch_9.bin", Uint8Array.from([...record([3], 7), ...record([9], 8)]));
    const { data, x, y } = await all("data_batch_9.bin");
    expect(data.fields["x"]?.shape).toEqual([3, 32, 32]);
    expect(data.classes).toHaveLength(10);
    expect(y).toEqual([3, 9]);
    expect(x).toEqual([...record([], 7), ...record([], 8)]);
  });

  test("CIFAR-100: fine labels, and their names when they lie beside it", async () => {
    put("train.bin", Uint8Array.from([...record([1, 55], 7), ...record([2, 99], 8)]));
    put("fine_label_names.txt", Array.from({ length: 100 }, (_, i) => `kind ${i}\n`).join(""));
    const { data, y } = await all("train.bin");
    expect(y).toEqual([55, 99]);
    expect(data.classes?.[55]).toBe("kind 55");
  });

  test("refused: cut short, and labels that CIFAR does not have", async () => {
    put("short.bin", bytes(3000));
    put("wrong.bin", Uint8Array.from([...record([3], 7), ...record([77], 8)]));
    expect(await refused("short.bin")).toMatchInlineSnapshot(
      `"short.bin has 3000 bytes, which is no whole number of CIFAR-10 (3,073) or CIFAR-100 (3,074) records. Download or unpack it again."`,
    );
    expect(await refused("wrong.bin")).toMatchInlineSnapshot(
      `"wrong.bin: record 1 has label 77, but CIFAR-10 has 10 classes. The file is damaged, or not CIFAR."`,
    );
  });
});

function npy(descr: string, shape: readonly number[], values: Uint8Array, fortran = false): Buffer {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dict = `{'descr': '${descr}', 'fortran_order': ${fortran ? "True" : "False"}, 'shape': (${dims}), }`;
  const header = dict.padEnd(117) + "\n";
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  return Buffer.concat([
    Buffer.from("\x93NUMPY\x01\x00", "latin1"),
    length,
    Buffer.from(header),
    values,
  ]);
}
const raw = (array: Float32Array | Float64Array | Int32Array | BigInt64Array | Uint16Array) =>
  new Uint8Array(array.buffer);

describe("npy", () => {
  test("pictures of bytes, with channels last or first", async () => {
    const v = Array.from(bytes(2 * 5 * 6 * 3));
    put("last.npy", npy("|u1", [2, 5, 6, 3], Uint8Array.from(v)));
    put("first.npy", npy("|u1", [2, 3, 5, 6], Uint8Array.from(v)));
    put("grey.npy", npy("|u1", [2, 9, 10], Uint8Array.from(v)));
    expect((await all("first.npy")).x).toEqual(v);
    expect((await all("grey.npy")).x).toEqual(v);
    const planes = [0, 1].flatMap((n) =>
      [0, 1, 2].flatMap((c) => Array.from({ length: 30 }, (_, p) => v[n * 90 + p * 3 + c])),
    );
    const last = await all("last.npy");
    expect(last.x).toEqual(planes);
    expect(last.data.fields["x"]?.shape).toEqual([3, 5, 6]);
  });

  test("floats 0..1 and -1..1 and whole numbers become bytes, and settings say which", async () => {
    put("unit.npy", npy("<f4", [2, 1, 2], raw(Float32Array.of(0, 0.5, 1, 0.25))));
    put("signed.npy", npy("<f8", [2, 1, 2], raw(Float64Array.of(-1, 0, 1, 0.5))));
    put("whole.npy", npy("<i8", [2, 1, 2], raw(BigInt64Array.of(0n, 7n, 255n, 128n))));
    const unit = await all("unit.npy");
    expect(unit.x).toEqual([0, 128, 255, 64]);
    expect(unit.data.settings["values"]).toBe("0..1");
    expect((await all("signed.npy")).x).toEqual([0, 128, 255, 191]);
    expect((await all("whole.npy")).x).toEqual([0, 7, 255, 128]);
  });

  test("vectors [N, D] and [N]", async () => {
    put("table.npy", npy("<f8", [2, 3], raw(Float64Array.of(1, 2, 3, -4, 5.5, 1e6))));
    put("line.npy", npy("<i4", [3], raw(Int32Array.of(-1, 0, 9))));
    const table = await all("table.npy", { domain: "vector" });
    expect(table.data.fields).toEqual({ x: { dtype: "float32", shape: [3] } });
    expect(table.x).toEqual([1, 2, 3, -4, 5.5, 1e6]);
    expect((await all("line.npy", { domain: "vector" })).x).toEqual([-1, 0, 9]);
  });

  test("refused", async () => {
    const f = raw(Float32Array.of(1, 2, 3, 4));
    put("text.npy", "no numpy");
    put(
      "odd.npy",
      Buffer.concat([
        Buffer.from("\x93NUMPY\x01\x00\x76\x00", "latin1"),
        Buffer.from("{'descr': [('a', '<f4')]}".padEnd(118)),
      ]),
    );
    put("big.npy", npy(">f4", [4, 1, 1], f));
    put("words.npy", npy("<U5", [4, 1, 1], f));
    put("fortran.npy", npy("<f4", [4, 1, 1], f, true));
    put("short.npy", npy("<f4", [5, 1, 1], f));
    put("endless.npy", npy("<f4", [99999999999, 9999, 9999], f));
    put("wide.npy", npy("<f4", [1, 2, 1, 2, 1], f));
    put("range.npy", npy("<f4", [4, 1, 1], raw(Float32Array.of(-300, 0, 1, 900))));
    put("nan.npy", npy("<f4", [4, 1, 1], raw(Float32Array.of(0, NaN, 1, 0.5))));
    const texts: string[] = [];
    for (const name of "text odd big words fortran short endless wide range nan".split(" "))
      texts.push(await refused(`${name}.npy`));
    put("nan2.npy", npy("<f4", [2, 2], raw(Float32Array.of(0, 1, NaN, 0.5))));
    for (const name of ["nan2.npy", "wide.npy"])
      texts.push(await refused(name, { domain: "vector" }));
    expect(texts).toMatchInlineSnapshot(`
      [
        "text.npy is not a .npy file: it does not start with NumPy's header.",
        "odd.npy has a header that cannot be read. Save it again with numpy.save.",
        "big.npy holds values of type >f4; little-endian integers and floats are read. Save x.astype("float32").",
        "words.npy holds values of type <U5; little-endian integers and floats are read. Save x.astype("float32").",
        "fortran.npy is in Fortran order. Save numpy.ascontiguousarray(x).",
        "short.npy is cut short: it has 144 of 148 bytes. Download or copy it again.",
        "endless.npy has shape [99999999999, 9999, 9999], which holds nothing that can be read.",
        "wide.npy has shape [1, 2, 1, 2, 1]; pictures are [N, H, W], [N, H, W, C] or [N, C, H, W] with 1 to 4 channels.",
        "range.npy has values from -300 to 900; pictures are bytes 0..255, or floats 0..1 or -1..1. Scale it first.",
        "nan.npy holds NaN; pictures need finite values. Remove it first.",
        "nan2.npy holds NaN in row 1. Remove such rows first.",
        "wide.npy has shape [1, 2, 1, 2, 1]; points and tables are [N, D]. Reshape it, or train a picture recipe on it.",
      ]
    `);
  });
});

const csv = (name: string, text: string, request: Partial<DataRequest> = {}) => {
  put(name, text);
  return all(name, { domain: "vector", ...request });
};

describe("CSV", () => {
  test("numeric columns are x, label is y, columns of words are left out", async () => {
    const text = "\uFEFFage;job;balance;label\r\n30;clerk;-1.5e2;yes\r\n41;nurse;7;no\r\n";
    const { data, x, y } = await csv("bank.csv", text);
    expect(x).toEqual([30, -150, 41, 7]);
    expect(y).toEqual([1, 0]);
    expect(data.classes).toEqual(["no", "yes"]);
    expect(data.settings).toMatchInlineSnapshot(`
      {
        "columns": [
          "age",
          "balance",
        ],
        "columnsLeftOut": [
          "job",
        ],
        "layout": "CSV",
        "records": 2,
      }
    `);
  });

  test("a row with a hole is left out and named; limit and labels are heard", async () => {
    const rows = Array.from({ length: 20 }, (_, i) => (i === 4 ? "4,\n" : `${i},${i * i}\n`)).join(
      "",
    );
    const { data, x } = await csv("holes.csv", `a,b\n${rows}`);
    expect(data.length).toBe(19);
    expect(data.skipped).toEqual([{ file: "holes.csv row 5", reason: "column b is empty" }]);
    expect(x.slice(6, 10)).toEqual([3, 9, 5, 25]);
    expect((await csv("holes.csv", `a,b\n${rows}`, { limit: 2 })).x).toEqual([0, 0, 10, 100]);
  });

  test("refused", async () => {
    put("empty.csv", "");
    put("words.csv", "a,b\nx,y\nz,w\n");
    put("head.csv", "a,b\n");
    put("open.csv", 'a,b\n1,"2\n3,4\n');
    put("headless.csv", "1.5,2\n3,4\n");
    put("bad.csv", "a,b\n1,2\n3,x\n5,6\n");
    const texts: string[] = [];
    for (const name of "empty words head headless open bad".split(" "))
      texts.push(await refused(`${name}.csv`, { domain: "vector" }));
    texts.push(await refused("bad.csv"));
    expect(texts).toMatchInlineSnapshot(`
      [
        "empty.csv is empty: a CSV starts with a line of column names.",
        "words.csv has no column of numbers under the names a, b. Its first line must name the columns.",
        "head.csv has no column of numbers under the names a, b. Its first line must name the columns.",
        "headless.csv starts with numbers, not with the names of its columns. Add a first line that names them.",
        "open.csv has a quotation mark that never closes, in row 2.",
        "1 of 3 records of bad.csv cannot be used, more than one in ten: bad.csv row 2 (column b is "x"). Repair or remove them first.",
        "bad.csv holds points, but this recipe trains on pictures, such as emoji or a folder of them.",
      ]
    `);
  });
});
