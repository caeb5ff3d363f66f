import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeFileSystem, withFile } from "./file-system.ts";
import { readSafetensors, safetensorsSize, writeSafetensors, type Tensors } from "./safetensors.ts";

let path = "";
beforeAll(() => {
  path = join(mkdtempSync(join(tmpdir(), "duelo-safetensors-")), "x.safetensors");
});
afterAll(() => rmSync(join(path, ".."), { recursive: true }));

const write = (tensors: Tensors, metadata: Record<string, string> = {}) =>
  withFile(nodeFileSystem, path, "replace", (file) =>
    writeSafetensors(file, { tensors, metadata }),
  );
const read = () => withFile(nodeFileSystem, path, "read", (file) => readSafetensors(file));

/** A file with this header and this many bytes of data. */
function file(header: unknown, nData = 0): void {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.length + nData);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  writeFileSync(path, bytes);
}

const tensors: Tensors = {
  "7": { dtype: "uint8", shape: [3], data: Uint8Array.of(1, 2, 255) },
  "G.w": { dtype: "float32", shape: [2, 2], data: Float32Array.of(1.5, -0, 3e38, 1e-45) },
  "D.ü": { dtype: "int32", shape: [1], data: Int32Array.of(-(2 ** 31)) },
  order: { dtype: "int64", shape: [2], data: BigInt64Array.of(-(2n ** 63n), 5n) },
  flag: { dtype: "bool", shape: [], data: Uint8Array.of(1) },
  none: { dtype: "float32", shape: [0, 4], data: new Float32Array() },
  ["__proto__"]: { dtype: "uint8", shape: [1], data: Uint8Array.of(9) },
};

describe("a written file", () => {
  test("reads back the same, with its size told beforehand", async () => {
    const nBytes = await write(tensors, { a: "b" });
    expect(nBytes).toBe(readFileSync(path).length);
    expect(nBytes).toBe(safetensorsSize({ tensors, metadata: { a: "b" } }));
    const found = await read();
    expect(found.metadata).toEqual({ a: "b" });
    expect(Object.entries(found.tensors).toSorted()).toEqual(Object.entries(tensors).toSorted());
  });

  test("reads back the same for any tensors", async () => {
    const data = fc.float32Array({ maxLength: 20 });
    const entry = fc.tuple(
      fc.string().filter((name) => name !== "__metadata__"),
      data,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry), fc.string(), async (entries, text) => {
        const made: Tensors = Object.fromEntries(
          entries.map(([name, data]) => [name, { dtype: "float32", shape: [data.length], data }]),
        );
        await write(made, { text });
        const found = await read();
        expect(found.metadata).toEqual({ text });
        expect(Object.entries(found.tensors).toSorted()).toEqual(Object.entries(made).toSorted());
      }),
      { numRuns: 50 },
    );
  });

  test("places every tensor at a multiple of its element's size", async () => {
    await write(tensors);
    const bytes = readFileSync(path);
    const nHeader = Number(bytes.readBigUInt64LE(0));
    expect(nHeader % 8).toBe(0);
    const { __metadata__: _, ...header } = JSON.parse(bytes.subarray(8, 8 + nHeader).toString());
    const sizes: Record<string, number> = { F32: 4, I32: 4, I64: 8, U8: 1, BOOL: 1 };
    const entries = Object.values<{ dtype: string; data_offsets: number[] }>(header);
    const offCentre = entries.map(
      (entry) => (entry.data_offsets[0] ?? 1) % (sizes[entry.dtype] ?? 0),
    );
    expect(offCentre).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test("is refused when a shape does not fit its data", async () => {
    const bad: Tensors = { w: { dtype: "float32", shape: [2, 3], data: new Float32Array(5) } };
    await expect(write(bad)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: tensor w has 5 elements, its shape [2, 3] 6]`,
    );
    const reserved: Tensors = {
      __metadata__: { dtype: "uint8", shape: [0], data: new Uint8Array() },
    };
    await expect(write(reserved)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[Error: no tensor can be named __metadata__]`,
    );
  });
});

describe("a hostile or damaged file is refused", () => {
  const w = { dtype: "F32", shape: [2], data_offsets: [0, 8] };
  const u = { dtype: "F32", shape: [1], data_offsets: [8, 12] };

  test("that is empty", async () => {
    writeFileSync(path, "");
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: it has 0 bytes, too few for a header]`,
    );
  });
  test("with a huge header, before memory is set aside for it", async () => {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(2n ** 63n);
    writeFileSync(path, bytes);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its header claims 9223372036854775808 bytes, more than 100000000]`,
    );
    bytes.writeBigUInt64LE(99_000_000n);
    writeFileSync(path, bytes);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its header claims 99000000 bytes, and the file ends before that]`,
    );
  });
  test("whose header is not JSON", async () => {
    file("hello!");
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its header does not begin with {]`,
    );
    file("{oops}");
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its header is not JSON]`,
    );
  });
  test("with an unknown dtype, a bad shape or bad offsets", async () => {
    file({ w: { ...w, dtype: "F8_E4M3" } }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "w" has dtype "F8_E4M3", which is not supported]`,
    );
    file({ w: { ...w, shape: [-2] } }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "w" has a bad shape]`,
    );
    file({ w: { ...w, data_offsets: [8, 0] } }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "w" has bad data_offsets]`,
    );
    file({ w: 5 }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "w" has no description]`,
    );
  });
  test("whose tensor claims more than the file holds", async () => {
    file({ w: { dtype: "F32", shape: [2 ** 40], data_offsets: [0, 2 ** 42] } }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: it has 8 bytes of data, and its header describes 4398046511104]`,
    );
    file({ w: { ...w, shape: [3] } }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "w" has 8 bytes, and its shape [3] needs 12]`,
    );
  });
  test("with a hole, an overlap, or data that nothing describes", async () => {
    file({ u }, 12);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "u" has a hole before it]`,
    );
    file({ w, u: { ...u, data_offsets: [4, 8] } }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its tensor "u" overlaps the tensor before it]`,
    );
    file({ w }, 12);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: it has 12 bytes of data, and its header describes 8]`,
    );
  });
  test("with metadata other than strings", async () => {
    file({ __metadata__: { a: 1 }, w }, 8);
    await expect(read()).rejects.toThrowErrorMatchingInlineSnapshot(
      `[DamagedFileError: its __metadata__ holds something other than strings]`,
    );
  });
});

const python = process.env["DUELO_PYTHON"] ?? "python3";
const hasPython = spawnSync(python, ["-c", "import safetensors.numpy"]).status === 0;

test.skipIf(!hasPython)(
  "the reference implementation reads it and writes what we read",
  async () => {
    const { ["__proto__"]: _, ...plain } = tensors;
    await write(plain, { note: "ñ" });
    const script = `
import sys, json
from safetensors import safe_open
from safetensors.numpy import save_file
with safe_open(sys.argv[1], "numpy") as f:
    tensors = {k: f.get_tensor(k) for k in f.keys()}
    print(json.dumps([f.metadata(), {k: [str(t.dtype), t.tolist()] for k, t in tensors.items()}]))
save_file(tensors, sys.argv[1], {"note": "back"})`;
    const { stdout, stderr } = spawnSync(python, ["-c", script, path], { encoding: "utf8" });
    expect(stderr).toBe("");
    const [metadata, seen] = JSON.parse(stdout);
    expect(metadata).toEqual({ note: "ñ" });
    expect(seen["7"]).toEqual(["uint8", [1, 2, 255]]);
    expect(seen["D.ü"]).toEqual(["int32", [-(2 ** 31)]]);
    expect(seen.flag).toEqual(["bool", true]);
    expect(seen.none).toEqual(["float32", []]);
    const back = await read();
    expect(back.metadata).toEqual({ note: "back" });
    expect(back.tensors).toEqual(plain);
  },
);
