import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { DataRequest } from "./dataset.ts";
import { namedSets, openNamed, type NamedSet } from "./named.ts";
import { openData } from "./open.ts";
import type { PictureSource } from "./source.ts";

const dir = mkdtempSync(join(tmpdir(), "duelo-named-"));
afterAll(() => rmSync(dir, { recursive: true }));

const set = (name: string): NamedSet => {
  const found = namedSets.find((s) => s.name === name);
  if (!found) throw new Error(name);
  return found;
};
const open = (spec: string, request: Partial<DataRequest> = {}) =>
  openData({ spec, domain: "image", cacheDir: dir, ...request });

async function pictures(name: string, select: Record<string, string> = {}): Promise<PictureSource> {
  const source = await openNamed(set(name), select);
  if (source.kind !== "pictures") throw new Error(source.kind);
  return source;
}

describe("emoji", () => {
  test("every picture of the package is understood; groups are classes, names are captions", async () => {
    const plain = await pictures("emoji");
    expect(plain.length).toBe(1855);
    expect(plain.classes).toHaveLength(9);
    const byName = new Map(Array.from({ length: plain.length }, (_, i) => [plain.nameOf(i), i]));
    const meaning = (file: string) => {
      const i = byName.get(file) ?? -1;
      return [plain.captions?.[i], plain.classes?.[plain.labels?.[i] ?? -1]];
    };
    expect(meaning("1f63a.webp")).toEqual(["grinning cat", "smileys-emotion"]);
    expect(meaning("0023-fe0f-20e3.webp")).toEqual(["keycap: #", "symbols"]);
    expect(meaning("00a9-fe0f.webp")).toEqual(["copyright", "symbols"]);
    expect(meaning("1f3f4-e0067_e0062_e0073_e0063_e0074.webp")).toEqual([
      "flag: Scotland",
      "flags",
    ]);
    expect(byName.has("1f44b-1f3fb.webp")).toBe(false);
    const toned = await pictures("emoji", { tone: "all" });
    expect(toned.length).toBe(1855 + 1520);
    const wave = Array.from({ length: toned.length }, (_, i) => i).find(
      (i) => toned.nameOf(i) === "1f44b-1f3fb.webp",
    );
    expect(toned.captions?.[wave ?? -1]).toBe("waving hand: light skin tone");
  });

  test("narrowed to groups, decoded to any size", async () => {
    const data = await open("emoji", {
      select: { group: "activities" },
      height: 12,
      width: 20,
      channels: 4,
      fit: "pad",
    });
    expect(data).toMatchObject({
      length: 85,
      classes: ["activities"],
      settings: { groups: ["activities"] },
    });
    expect(data.fields["x"]?.shape).toEqual([4, 12, 20]);
    const x = new Uint8Array(4 * 240);
    data.read([40], { x });
    expect(x[3 * 240]).toBe(0); // padded: clear at the left edge
    expect(Math.max(...x.subarray(3 * 240))).toBeGreaterThan(200);
    data.close();
  });
});

describe("phosphor", () => {
  test("weights are classes, file names are captions", async () => {
    const source = await pictures("phosphor");
    expect(source.length).toBe(9072);
    expect(source.classes?.toSorted()).toEqual([
      "bold",
      "duotone",
      "fill",
      "light",
      "regular",
      "thin",
    ]);
    expect(source.captions?.slice(0, 2)).toEqual(["acorn", "address book"]);
    const thin = await pictures("phosphor", { weight: "thin" });
    expect(thin.length).toBe(1512);
    expect(thin.captions?.toSorted()).toEqual(source.captions?.slice(0, 1512).toSorted());
  });

  test("is drawn in black on white", async () => {
    const data = await open("phosphor", {
      select: { weight: "fill" },
      limit: 8,
      width: 32,
      channels: 1,
    });
    const x = new Uint8Array(8 * 1024);
    data.read([0, 1, 2, 3, 4, 5, 6, 7], { x });
    expect(Math.min(...x)).toBe(0);
    expect(x[0]).toBe(255);
    data.close();
  });
});

describe.skipIf(set("fashion-mnist").find() === undefined)("fashion-mnist", () => {
  test("60,000 pictures, 6,000 of each class", async () => {
    const data = await open("fashion-mnist", { labels: "require" });
    expect(data).toMatchObject({
      length: 60_000,
      fields: { x: { dtype: "uint8", shape: [1, 28, 28] } },
    });
    const y = new Int32Array(60_000);
    const x = new Uint8Array(60_000 * 784);
    data.read(
      Int32Array.from({ length: 60_000 }, (_, i) => i),
      { x, y },
    );
    expect(data.classes?.map((_, c) => y.filter((v) => v === c).length)).toEqual(
      Array.from({ length: 10 }, () => 6000),
    );
    expect(data.classes?.[y[0] ?? 0]).toBe("Ankle boot"); // the first of the published order
    expect(Math.abs(x.reduce((a, b) => a + b, 0) / x.length / 255 - 0.286)).toBeLessThan(0.001); // the published mean
    data.close();
    expect((await pictures("fashion-mnist", { split: "test" })).length).toBe(10_000);
  });
});

describe.skipIf(set("digits").find() === undefined)("digits", () => {
  test("5,000, 500 of each", async () => {
    const source = await pictures("digits");
    expect(source).toMatchObject({ length: 5000, uniform: { height: 20, width: 20, channels: 1 } });
    expect(source.labels?.filter((v) => v === 3)).toHaveLength(500);
  });
});

describe.skipIf(set("digits-8x8").find() === undefined)("digits-8x8", () => {
  test("1,797 with white strokes on black", async () => {
    const data = await open("digits-8x8");
    expect(data).toMatchObject({ length: 1797, fields: { x: { shape: [1, 8, 8] } } });
    const x = new Uint8Array(64);
    const y = new Int32Array(1);
    data.read([0], { x, y });
    expect([x[0], Math.max(...x), y[0]]).toEqual([0, 239, 0]); // 15 of 16, a zero
    data.close();
  });
});

describe("named sets", () => {
  test("say how to get what is not installed", async () => {
    for (const { get } of namedSets)
      expect(get).toMatch(
        /^(Run: npm install|On Debian or Ubuntu, run: apt-get install|It is built in)/,
      );
    const missing = { ...set("fashion-mnist"), find: () => undefined };
    await expect(openNamed(missing, {})).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: The set fashion-mnist is not installed here. On Debian or Ubuntu, run: apt-get install --no-install-recommends dataset-fashion-mnist.]`,
    );
  });
});
