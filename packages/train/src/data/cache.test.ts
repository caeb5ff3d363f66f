import { FailureError } from "@duelo/core";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { checkCache, contentKey, openReader, writeCache, type Manifest } from "./cache.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-cache-"));
afterAll(() => rmSync(root, { recursive: true }));
let dir = "";
let n = 0;
beforeEach(() => {
  dir = join(root, String(n++), "set");
});

const record = (i: number) => Uint8Array.from({ length: 10 }, (_, j) => (i * 31 + j * 7) & 255);
async function* records(count: number) {
  for (let i = 0; i < count; i++) yield record(i);
}
const facts = () => ({
  shape: [1, 2, 5],
  skipped: [{ file: "a.png", reason: "empty file" }],
  labels: [0, 1],
});
const write = (count = 25, shardBytes = 70) =>
  writeCache({ dir, recordBytes: 10, records: records(count), facts, shardBytes });
async function whole(): Promise<Manifest> {
  const manifest = await checkCache(dir, {});
  if (manifest === "absent" || "damage" in manifest) throw new Error(JSON.stringify(manifest));
  return manifest;
}

async function* failing() {
  yield record(0);
  throw new Error("no more");
}

async function* unwritable() {
  yield record(0);
  throw Object.assign(new Error("write"), { code: "ENOSPC" });
}

describe("cache", () => {
  test("records come back in any order from several shards", async () => {
    await write();
    const manifest = await whole();
    expect(manifest.shards.map((s) => s.nBytes)).toEqual([70, 70, 70, 40]);
    expect(manifest).toMatchObject({ nRecords: 25, ...facts() });
    const reader = openReader(dir, manifest);
    const out = new Uint8Array(30);
    for (const i of [24, 0, 7, 6, 13, 24]) {
      reader.read(i, out, 10);
      expect(out.subarray(10, 20)).toEqual(record(i));
    }
    expect(out.subarray(0, 10)).toEqual(new Uint8Array(10));
    expect(() => reader.read(25, out, 0)).toThrow(RangeError);
    expect(() => reader.read(-1, out, 0)).toThrow(RangeError);
    reader.close();
  });

  test("the key follows the content, not the skipped files", async () => {
    await write();
    const key = contentKey(await whole());
    rmSync(dir, { recursive: true });
    await writeCache({
      dir,
      recordBytes: 10,
      records: records(25),
      facts: () => ({ ...facts(), skipped: [] }),
      shardBytes: 70,
    });
    expect(contentKey(await whole())).toBe(key);
    rmSync(dir, { recursive: true });
    await writeCache({ dir, recordBytes: 10, records: records(24), facts, shardBytes: 70 });
    expect(contentKey(await whole())).not.toBe(key);
  });

  test("every flipped bit and every cut is found, in shards and manifest", async () => {
    await write(3);
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      const bytes = readFileSync(path);
      for (let i = 0; i < bytes.length; i += name === "manifest.json" ? 5 : 1) {
        const damaged = Buffer.from(bytes);
        damaged[i] = (damaged[i] ?? 0) ^ (1 << (i % 8));
        writeFileSync(path, damaged);
        expect(await checkCache(dir, {}), `${name} byte ${i}`).toHaveProperty("damage");
        if (i % 7 === 0 && i + 1 < bytes.length) {
          writeFileSync(path, bytes.subarray(0, i));
          expect(await checkCache(dir, {}), `${name} cut at ${i}`).toHaveProperty("damage");
        }
      }
      writeFileSync(path, bytes);
    }
    await whole();
    rmSync(join(dir, "x-00000.bin"));
    expect(await checkCache(dir, {})).toEqual({ damage: "x-00000.bin has 0 bytes, not 30" });
  });

  test("a failure while writing leaves nothing behind, and keeps what was there", async () => {
    await write();
    await expect(writeCache({ dir, recordBytes: 10, records: failing(), facts })).rejects.toThrow(
      "no more",
    );
    expect(readdirSync(join(dir, ".."))).toEqual(["set"]);
    expect((await whole()).nRecords).toBe(25);
  });

  test("two writers at once end with one whole copy", async () => {
    await Promise.all([write(), write()]);
    expect((await whole()).nRecords).toBe(25);
    expect(readdirSync(join(dir, ".."))).toEqual(["set"]);
  });

  test("a cache folder that is a file", async () => {
    writeFileSync(join(root, "file"), "");
    dir = join(root, "file", "set");
    const error: unknown = await write().catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FailureError);
    expect(String(error).replace(root, "ROOT")).toMatchInlineSnapshot(
      `"FailureError: The cache folder ROOT/file cannot be written (ENOTDIR). Choose another cache folder."`,
    );
  });

  test("a full disk", async () => {
    const error: unknown = await writeCache({
      dir,
      recordBytes: 10,
      records: unwritable(),
      facts,
    }).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(FailureError);
    expect(String(error).replace(/in \S+\./, "in DIR.")).toMatchInlineSnapshot(
      `"FailureError: There is no space left for the decoded pictures in DIR. Free some, or choose another cache folder."`,
    );
    expect(readdirSync(join(dir, ".."))).toEqual([]);
  });

  test("cut short while it is being read", async () => {
    await write();
    const manifest = await whole();
    const reader = openReader(dir, manifest);
    truncateSync(join(dir, "x-00001.bin"), 15);
    const read = () => reader.read(9, new Uint8Array(10), 0);
    expect(read).toThrow(FailureError);
    expect(read).toThrowErrorMatchingInlineSnapshot(
      `[FailureError: The decoded pictures in set were cut short while they were being read. Run the same command again: they are decoded anew.]`,
    );
    reader.close();
  });

  test("absent", async () => {
    expect(await checkCache(dir, {})).toBe("absent");
  });
});
