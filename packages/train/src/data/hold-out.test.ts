import fc from "fast-check";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readField } from "../feeder.ts";
import type { DataRequest, Dataset } from "./dataset.ts";
import { divide } from "./hold-out.ts";
import { namedSets } from "./named.ts";
import { openData } from "./open.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-hold-out-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("dividing", () => {
  const records = fc.array(
    fc.record({ digest: fc.stringMatching(/^[0-9a-f]{1,2}$/), label: fc.nat(2) }),
    { minLength: 2, maxLength: 80 },
  );
  const share = fc.double({ min: 0.05, max: 0.9, noNaN: true });

  test("puts each record on one side, and equal content on the same", () => {
    fc.assert(
      fc.property(records, share, (all, wanted) => {
        const digests = all.map((r) => r.digest);
        const { train, heldOut } = divide({
          digests,
          labels: all.map((r) => r.label),
          share: wanted,
        });
        expect([...train, ...heldOut].toSorted((a, b) => a - b)).toEqual(all.map((_, i) => i));
        const trained = new Set(train.map((i) => digests[i]));
        expect(heldOut.filter((i) => trained.has(digests[i] ?? ""))).toEqual([]);
        expect(train.length).toBeGreaterThan(0);
      }),
    );
  });

  test("does not depend on the order of the records", () => {
    fc.assert(
      fc.property(records, share, fc.infiniteStream(fc.nat()), (all, wanted, keys) => {
        const shuffled = all
          .map((record) => ({ record, key: keys.next().value ?? 0 }))
          .toSorted((a, b) => a.key - b.key)
          .map(({ record }) => record);
        const held = (list: typeof all) =>
          divide({
            digests: list.map((r) => r.digest),
            labels: list.map((r) => r.label),
            share: wanted,
          })
            .heldOut.map((i) => `${list[i]?.digest} ${list[i]?.label}`)
            .toSorted();
        expect(held(shuffled)).toEqual(held(all));
      }),
    );
  });

  test("takes the share of every class, to the nearest record", () => {
    const labels = Array.from({ length: 130 }, (_, i) => (i < 100 ? 0 : i < 120 ? 1 : 2));
    const digests = labels.map((_, i) => ((i * 7919) % 1000).toString().padStart(3, "0"));
    const { heldOut } = divide({ digests, labels, share: 0.1 });
    const counts = [0, 1, 2].map((c) => heldOut.filter((i) => labels[i] === c).length);
    expect(counts).toEqual([10, 2, 1]);
  });
});

/** A grey gradient whose brightness is the record's number, so that each can be told by its pixels. */
async function gradient(path: string, level: number): Promise<void> {
  const data = Buffer.from(Array.from({ length: 16 }, (_, i) => level + (i % 4)));
  const png = await sharp(data, { raw: { width: 4, height: 4, channels: 1 } })
    .png()
    .toBuffer();
  writeFileSync(path, png);
}

/** All records of a set as strings of their pixels. */
function contents(dataset: Dataset): string[] {
  const all = Int32Array.from({ length: dataset.length }, (_, i) => i);
  const { data } = readField(dataset, "x", all);
  const size = data.length / dataset.length;
  return Array.from(all, (i) => data.slice(i * size, (i + 1) * size).join());
}

describe("a folder", () => {
  beforeAll(async () => {
    for (const order of ["forwards", "backwards"]) {
      for (const label of ["a", "b"]) mkdirSync(join(root, order, label), { recursive: true });
      for (let i = 0; i < 40; i++) {
        const name = String(order === "forwards" ? i : 99 - i).padStart(2, "0");
        await gradient(join(root, order, i % 4 === 0 ? "a" : "b", `${name}.png`), 5 * i);
      }
    }
  });
  const open = (order: string, over: Partial<DataRequest>) =>
    openData({
      spec: join(root, order),
      domain: "image",
      cacheDir: join(root, "cache"),
      height: 4,
      channels: 1,
      holdOut: 0.2,
      ...over,
    });

  test("is held out by content: other names, the same records", async () => {
    const [train, heldOut, all] = await Promise.all(
      (["train", "heldOut", "all"] as const).map((part) => open("forwards", { part })),
    );
    if (!train || !heldOut || !all) throw new Error("three parts");
    expect([train.length, heldOut.length, all.length]).toEqual([32, 8, 40]);
    expect([...contents(train), ...contents(heldOut)].toSorted()).toEqual(contents(all).toSorted());
    const other = await open("backwards", { part: "heldOut" });
    expect(contents(other).toSorted()).toEqual(contents(heldOut).toSorted());
    expect(Array.from(readField(heldOut, "y", [0, 1, 2, 3, 4, 5, 6, 7]).data)).toEqual([
      0, 0, 1, 1, 1, 1, 1, 1,
    ]);
    expect(train.key).not.toBe(all.key);
    expect(train.settings["holdOut"]).toEqual({
      share: 0.2,
      part: "train",
      by: "content, within each class",
      records: 8,
    });
    expect(train.settings["records"]).toBe(32);
    for (const set of [train, heldOut, all, other]) set.close();
  });

  test("keeps a mirror image with its picture", async () => {
    const flip = true;
    const train = await open("forwards", { flip });
    const heldOut = await open("forwards", { flip, part: "heldOut" });
    const plain = await open("forwards", { part: "heldOut" });
    expect([train.length, heldOut.length]).toEqual([64, 16]);
    const trained = new Set(contents(train));
    expect(contents(heldOut).filter((c) => trained.has(c))).toEqual([]);
    expect(contents(heldOut).slice(0, 8)).toEqual(contents(plain));
    for (const set of [train, heldOut, plain]) set.close();
  });

  test("without anything held out is refused in one sentence", async () => {
    const spec = join(root, "forwards");
    const asked = { spec, domain: "image", cacheDir: join(root, "cache"), height: 4 } as const;
    await expect(
      openData({ ...asked, part: "heldOut" }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Nothing of forwards is held out. Train with --hold-out 0.1, or name other data.]`,
    );
    await expect(open("forwards", { holdOut: 0.01 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Holding out 0.01 of the 40 records of forwards leaves none to hold out. Give a larger share, or more records.]`,
    );
    await expect(open("forwards", { holdOut: 1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: The share to hold out is 1; it must be above 0 and below 1, such as 0.1.]`,
    );
  });
});

test("points are held out too", async () => {
  const asked = { spec: "ring8", domain: "vector", cacheDir: root, holdOut: 0.1 } as const;
  const train = await openData(asked);
  const heldOut = await openData({ ...asked, part: "heldOut" });
  expect(train.length + heldOut.length).toBe(100_000);
  expect(Math.abs(heldOut.length - 10_000)).toBeLessThan(3); // equal points stay together
});

const fashion = namedSets.find((set) => set.name === "fashion-mnist");

test.skipIf(fashion?.find() === undefined)(
  "fashion-mnist has a test split of its own",
  async () => {
    const asked = {
      spec: "fashion-mnist",
      domain: "image",
      cacheDir: join(root, "cache"),
      limit: 200,
    } as const;
    const train = await openData({ ...asked, holdOut: 0.1 });
    const heldOut = await openData({ ...asked, part: "heldOut" });
    expect([train.length, heldOut.length]).toEqual([200, 200]);
    expect(train.settings["holdOut"]).toEqual({ part: "train", by: { split: "test" } });
    expect(heldOut.settings["split"]).toBe("test");
    const narrowed = await openData({ ...asked, select: { split: "test" }, holdOut: 0.1 });
    expect(narrowed.length).toBeLessThan(185); // a tenth of each class, to the nearest record
    expect(narrowed.length).toBeGreaterThan(175);
    for (const set of [train, heldOut, narrowed]) set.close();
  },
);
