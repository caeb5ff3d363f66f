import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageFolder } from "../data/named.ts";
import { defaultFeatures } from "../judge/features.ts";
import { metrics } from "../judge/metric-table.ts";
import { featureNet, featureNets } from "./named-net.ts";
import { openPackagedModel, packagedModels } from "./nsfwjs.ts";
import { shippedNets } from "./shipped.ts";

let cacheDir = "";
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), "duelo-named-"));
});
afterAll(() => rm(cacheDir, { recursive: true }));

const said = (name: string): Promise<string> => featureNet({ name, cacheDir }).then(String, String);

test("a wrong name is told the nearest, a missing file is named", async () => {
  expect(await said("nsfwjs-mobilnet-v2")).toMatchInlineSnapshot(
    `"UserError: There are no features "nsfwjs-mobilnet-v2". Did you mean "nsfwjs-mobilenet-v2"? Features: pixels, fashion-classifier, emoji-classifier, nsfwjs-mobilenet-v2, nsfwjs-inception-v3, or the path of an ONNX file."`,
  );
  expect(await said("nowhere.onnx")).toMatchInlineSnapshot(
    `"UserError: There is no file or folder nowhere.onnx. Check the path."`,
  );
});

test("the pixels are a network too", async () => {
  const net = await featureNet({ name: "pixels", cacheDir });
  const { features } = await net.extract({ pixels: Uint8Array.of(0, 51), shape: [2, 1, 1, 1] });
  expect(features.data[1]).toBeCloseTo(0.2, 6);
});

test("the classifier of clothes knows trousers", async () => {
  const net = await featureNet({ name: "fashion-classifier", cacheDir, threads: 1 });
  // two dark legs on white, as of the set: light on black
  const pixels = Uint8Array.from({ length: 28 * 28 }, (_, i) => {
    const [x, y] = [i % 28, Math.floor(i / 28)];
    const inside = y > 1 && y < 26 && x > 8 && x < 19;
    return inside && (y < 8 || x < 13 || x > 14) ? 200 : 0;
  });
  const { features, probabilities } = await net.extract({ pixels, shape: [1, 1, 28, 28] });
  await net.close();
  expect(features.cols).toBe(96);
  expect(probabilities?.data[1]).toBeGreaterThan(0.5); // class 1: trouser
});

test("every network that comes with Duelo is what its digest says, below 700 kB", async () => {
  for (const { name, digest } of shippedNets) {
    const net = await featureNet({ name, cacheDir, threads: 1 });
    await net.close();
    expect(net.digest).toBe(digest);
    const file = new URL(`../../features/${name}.onnx`, import.meta.url);
    expect((await stat(file)).size).toBeLessThan(700_000);
  }
});

test("clothes and emoji are compared by their classifier, all else plainly", () => {
  const of = (name: string, shape: number[]) => defaultFeatures({ name, shape });
  expect(of("fashion-mnist", [1, 28, 28])).toBe("fashion-classifier");
  expect(of("fashion-mnist", [3, 28, 28])).toBe("pixels-8");
  expect(of("emoji", [3, 32, 32])).toBe("emoji-classifier");
  expect(of("openmoji", [1, 64, 64])).toBe("emoji-classifier");
  expect(of("emoji", [4, 32, 32])).toBe("pixels-8"); // its network knows no alpha
  expect(of("photos", [3, 28, 28])).toBe("pixels-8");
  expect(of("ring8", [2])).toBe("raw");
});

test("nothing is called FID", () => {
  const words = [...featureNets.map((n) => n.name), ...metrics.flatMap((m) => [m.name, m.title])];
  expect(words.filter((word) => /\bfid\b/i.test(word))).toEqual([]);
});

interface Golden {
  readonly length: number;
  readonly first: readonly number[];
  readonly sum: number;
  readonly squares: number;
}
const isInstalled = packageFolder("nsfwjs") !== undefined;

/** The two pictures of scripts/golden/nsfwjs.mjs, channel after channel. */
function pictures(side: number): Uint8Array {
  const pixels = new Uint8Array(2 * 3 * side * side);
  for (let at = 0; at < pixels.length; at++) {
    const [x, y] = [at % side, Math.floor(at / side) % side];
    const [c, picture] = [Math.floor(at / side ** 2) % 3, Math.floor(at / (3 * side ** 2))];
    const dark = ((x >> 4) + (y >> 4)) % 2 === 0;
    const square = (dark ? 20 + 60 * c : 200 - 40 * c) + ((x * y) % 31);
    pixels[at] = picture === 0 ? (x * (c + 2) + y * (5 - c)) % 256 : square;
  }
  return pixels;
}

describe.skipIf(!isInstalled)("the models of nsfwjs (where it is installed)", () => {
  test.for(packagedModels)("$name gives what TF.js gives", { timeout: 900_000 }, async (model) => {
    const path = new URL("../../../../test/golden/nsfwjs.json", import.meta.url);
    const golden = JSON.parse(await readFile(path, "utf8")) as Record<string, readonly Golden[]>;
    const net = await openPackagedModel({ model, cacheDir, threads: 1 });
    const { side } = model;
    const { features } = await net.extract({ pixels: pictures(side), shape: [2, 3, side, side] });
    await net.close();
    expect(golden[model.folder]).toHaveLength(2);
    for (const [i, want] of (golden[model.folder] ?? []).entries()) {
      const got = Array.from(features.data.subarray(i * features.cols, (i + 1) * features.cols));
      expect(got).toHaveLength(want.length);
      const off = want.first.map((v, j) => Math.abs(v - (got[j] ?? Number.NaN)));
      expect(Math.max(...off)).toBeLessThan(1e-4);
      expect(got.reduce((a, b) => a + b, 0) / want.sum).toBeCloseTo(1, 4);
      expect(got.reduce((a, b) => a + b * b, 0) / want.squares).toBeCloseTo(1, 4);
    }
  });

  test("what is kept is used again, and made anew when damaged", { timeout: 300_000 }, async () => {
    const model = packagedModels[0];
    if (model === undefined) throw new TypeError("no model");
    const dir = join(cacheDir, "networks");
    const file = (await readdir(dir)).find((f) => f.startsWith(model.name)) ?? "";
    const whole = await readFile(join(dir, file));
    await writeFile(join(dir, file), whole.subarray(0, 1000));
    const net = await featureNet({ name: model.name, cacheDir, threads: 1 });
    await net.close();
    expect(net.digest).toBe(/-(?<digest>[0-9a-f]{64})\.onnx$/.exec(file)?.groups?.["digest"]);
    expect((await readFile(join(dir, file))).equals(whole)).toBe(true);
  });
});

test("another version of the package is refused", async () => {
  const [model] = packagedModels;
  if (model === undefined || !isInstalled) return;
  const other = { ...model, digest: "0".repeat(64) };
  const error = await openPackagedModel({ model: other, cacheDir }).then(String, String);
  expect(error.replace(packageFolder("nsfwjs") ?? "", "PACKAGE")).toMatchInlineSnapshot(
    `"UserError: The files of nsfwjs-mobilenet-v2 in PACKAGE/dist/models/mobilenet_v2 are not those of nsfwjs 4.3.0. Run: npm install --legacy-peer-deps nsfwjs@4.3.0."`,
  );
});
