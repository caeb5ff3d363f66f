import { openRuntime, type HostTensor } from "@duelo/runtime";
import { findRecipe, resolveOptions, type Context } from "@duelo/zoo";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { functionOnnx, readFunction } from "../export.ts";
import { evaluate } from "../judge/evaluate.ts";
import { openFunction } from "../open-function.ts";
import { nodeFileSystem, withFile } from "../run/file-system.ts";
import { loadCheckpoint } from "../run/checkpoint.ts";
import { readSafetensors } from "../run/safetensors.ts";
import { importWeights } from "./import.ts";
import { readWeights } from "./read.ts";

// Files that PyTorch wrote: scripts/golden/weights.py.
const golden = resolve(import.meta.dirname, "../../../../test/golden/weights");
const home = mkdtempSync(join(tmpdir(), "weights-"));
afterAll(() => rmSync(home, { recursive: true }));
const runs = join(home, "runs");
const path = (name: string): string => join(golden, name);
const file = (name: string, bytes: Uint8Array): string => {
  writeFileSync(join(home, name), bytes);
  return join(home, name);
};

describe("weights of a PyTorch file", () => {
  test("are the same in either format", async () => {
    const zip = await readWeights({ path: path("dcgan-zip.pth") });
    const legacy = await readWeights({ path: path("dcgan-legacy.pth") });
    expect(legacy).toEqual(zip);
    expect(Object.keys(zip.tensors)).toHaveLength(21);
    expect(zip.leftOut).toEqual([1, 4, 7, 10].map((layer) => `main.${layer}.num_batches_tracked`));
  });

  test("are read through views and from every width of floats", async () => {
    const { tensors, leftOut } = await readWeights({ path: path("views.pth") });
    const values = Object.fromEntries(
      Object.entries(tensors).map(([name, t]) => [name, [t.shape, Array.from(t.data, Number)]]),
    );
    expect(values).toEqual({
      transposed: [
        [3, 2],
        [0, 3, 1, 4, 2, 5],
      ],
      half: [[3], [1.5, -(2 ** -24), 65_504]],
      bfloat16: [[2], [1.5, -3]],
      double: [[1], [Math.fround(0.1)]],
      parameter: [[2], [1, 1]],
      tail: [[2], [3, 4]],
    });
    expect(leftOut).toEqual(["counter"]);
  });

  test("that are the same again and again are refused, before memory is taken for each", async () => {
    const error = await readWeights({ path: path("shared.pth") }).catch((e: Error) => e.message);
    expect(String(error).replace(golden, "")).toMatchInlineSnapshot(
      `"/shared.pth is not used: its tensors show the same numbers more than 4 times over."`,
    );
  });

  test("of several sets are chosen by name", async () => {
    const several = path("several.pth");
    expect(Object.keys((await readWeights({ path: several, key: "netD" })).tensors)).toEqual(["w"]);
    const error = await readWeights({ path: several }).catch((e: Error) => e.message);
    expect(String(error).replace(golden, "")).toMatchInlineSnapshot(
      `"/several.pth is not used: it holds several sets of weights; choose one with --key: netG, netD."`,
    );
  });
});

describe("a file that is not used says why", () => {
  test("a pickled module", async () => {
    const error = await readWeights({ path: path("module.pth") }).catch((e: Error) => e.message);
    expect(String(error).replace(golden, "")).toMatchInlineSnapshot(
      `"/module.pth is not used: its pickle asks for torch.nn.modules.linear.Linear, and only tensors in plain containers are read; nothing of it was run."`,
    );
  });

  test("none, text, a picture's bytes, a zip archive of something else", async () => {
    const told = async (p: string) =>
      String(await readWeights({ path: p }).catch((e: Error) => e.message)).replace(home, "");
    expect(await told(join(home, "none.pth"))).toMatchInlineSnapshot(
      `"There is no file /none.pth."`,
    );
    const huge = file("huge.pth", new Uint8Array([0x80]));
    truncateSync(huge, 3 * 2 ** 30); // sparse
    expect(await told(huge)).toMatchInlineSnapshot(
      `"/huge.pth is not used: it is larger than 2 GiB."`,
    );
    expect(await told(file("text.pth", Buffer.from("hello")))).toMatchInlineSnapshot(
      `"/text.pth is not used: it is no file of torch.save."`,
    );
    expect(
      await told(file("folder.pth", Buffer.from("PK\x05\x06" + "\0".repeat(18)))),
    ).toMatchInlineSnapshot(
      `"/folder.pth is not used: it is a zip archive, but none that torch.save wrote."`,
    );
    expect(await told(file("x.safetensors", Buffer.from("hello")))).toMatchInlineSnapshot(
      `"/x.safetensors is not used: it has 5 bytes, too few for a header."`,
    );
  });

  test("cut at any place, or with any byte changed, it ends in a sentence or in the same shapes", async () => {
    for (const name of ["dcgan-zip.pth", "dcgan-legacy.pth"]) {
      const whole = readFileSync(path(name));
      for (let i = 0; i < 60; i++) {
        const n = Math.floor((whole.length * i) / 60);
        await expect(readWeights({ path: file("cut.pth", whole.subarray(0, n)) })).rejects.toThrow(
          /is not used/,
        );
        const flipped = Uint8Array.from(whole);
        flipped[n] = (flipped[n] ?? 0) ^ 0xff;
        await readWeights({ path: file("flipped.pth", flipped) }).catch((error: Error) =>
          expect(error.message).toMatch(/is not used/),
        );
      }
    }
  });
});

describe("import", () => {
  const dcgan = {
    recipe: "dcgan",
    set: { zDim: 4, width: 2 },
    height: 64,
    channels: 3,
    runs,
  } as const;

  test("gives a run whose generator makes what PyTorch's makes", async () => {
    const { dir, nets, leftOut, untrained } = await importWeights({
      ...dcgan,
      files: { G: path("dcgan-zip.pth") },
    });
    expect(nets).toEqual({ G: { map: "pytorch-examples-dcgan-G", nTensors: 21 } });
    expect(leftOut).toHaveLength(4);
    expect(untrained).toEqual(["D"]);
    await expect(evaluate({ runs, judged: dir, cacheDir: home })).rejects.toThrow(
      /keeps no data to be judged by, as imported runs do. Name some with --against.$/,
    );
    const want = await withFile(nodeFileSystem, path("dcgan.safetensors"), "read", (f) =>
      readSafetensors(f),
    );
    const { bytes } = await readFunction({ runs, run: dir });
    const runtime = await openRuntime({ threads: 1 });
    const program = await runtime.load(bytes);
    const z = want.tensors["z"];
    if (z?.dtype !== "float32") throw new TypeError("no z");
    const { samples } = await program.run({ z });
    await program.close();
    await runtime.close();
    const x = Array.from(want.tensors["x"]?.data ?? [], Number);
    expect(samples?.data).toHaveLength(x.length);
    const worst = x.reduce((m, v, i) => Math.max(m, Math.abs(v - Number(samples?.data[i]))), 0);
    expect(worst).toBeLessThan(1e-5);
  });

  test.each([
    ["cyclegan", "resnet", { widthG: 2, widthD: 2, blocks: 2, patch: "16" }, "junyanz-cyclegan-G"],
    ["pix2pix", "unet", { widthG: 1, widthD: 1, patch: "1", dropout: 0 }, "junyanz-pix2pix-G"],
  ] as const)("of %s makes of images what PyTorch's makes", async (recipe, file, set, map) => {
    const files = { G: path(`${file}.pth`) };
    const images = { height: 16, channels: 3 } as const;
    const { dir, nets, leftOut } = await importWeights({ recipe, set, ...images, files, runs });
    expect(nets["G"]?.map).toBe(map);
    // Running statistics of batch norm, which the test script of these nets does not use.
    expect(leftOut.filter((name) => !/running_|num_batches/.test(name))).toEqual([]);
    const want = await withFile(nodeFileSystem, path(`${file}.safetensors`), "read", (f) =>
      readSafetensors(f),
    );
    const { shape = [], data = [] } = want.tensors["pixels"] ?? {};
    const toB = await openFunction({ runs, run: dir, function: "toB", threads: 1 });
    const made = await toB.call({
      a: { dtype: "uint8", shape, data: Uint8Array.from(data, Number) },
    });
    await toB.close();
    if (recipe === "cyclegan")
      await expect(openFunction({ runs, run: dir, function: "toA" })).rejects.toThrow(
        "Function toA of cyclegan needs net F, and no weights of it were imported. Import them too: F=FILE.",
      );
    const x = Array.from(want.tensors["x"]?.data ?? [], Number);
    expect(made["toB"]?.data).toHaveLength(x.length);
    const worst = x.reduce((m, v, i) => Math.max(m, Math.abs(v - Number(made["toB"]?.data[i]))), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  test("of biggan makes what PyTorch's G makes with the statistics of the file", async () => {
    const set = { ...{ batch: 3, width: 2, zDim: 8, embedding: 3, attention: 16 } };
    const classes = ["a", "b", "c"];
    const { dir, nets, leftOut } = await importWeights({
      ...{ recipe: "biggan", set, height: 32, channels: 3, classes, runs },
      files: { G: path("biggan.pth") },
    });
    expect(nets["G"]?.map).toBe("ajbrock-biggan-G1");
    expect(leftOut.every((name) => name.endsWith(".sv0"))).toBe(true);
    const state = (await loadCheckpoint({ dir }))?.tensors as Record<string, HostTensor>;
    const recipe = findRecipe("biggan");
    const options = resolveOptions(recipe.options, set);
    const context = {
      ...options,
      shape: { x: [3, 32, 32], y: [] },
      nClasses: 3,
    } as unknown as Context;
    const want = await withFile(nodeFileSystem, path("biggan.safetensors"), "read", (f) =>
      readSafetensors(f),
    );
    const values = (name: string): number[] => Array.from(want.tensors[name]?.data ?? [], Number);
    const runtime = await openRuntime({ threads: 1 });
    const program = await runtime.load(
      functionOnnx({ recipe, context, state, step: 0, classes }).bytes,
    );
    const { samples } = await program.run({
      z: { dtype: "float32", shape: [3, 8], data: Float32Array.from(values("z")) },
      yFake: { dtype: "int32", shape: [3], data: Int32Array.from(values("y")) },
    });
    await runtime.close();
    const x = values("x");
    expect(samples?.data).toHaveLength(x.length);
    const worst = x.reduce((m, v, i) => Math.max(m, Math.abs(v - Number(samples?.data[i]))), 0);
    expect(worst).toBeLessThan(1e-4);
  });

  test("of weights that do not fit begins no run", async () => {
    const before = readdirSync(runs);
    const told = async (request: Parameters<typeof importWeights>[0]) =>
      String(await importWeights(request).catch((e: Error) => e.message)).replace(golden, "");
    const G = path("dcgan-zip.pth");
    expect(await told({ ...dcgan, set: { zDim: 4 }, files: { G } })).toMatchInlineSnapshot(
      `"/dcgan-zip.pth does not fit dcgan: its main.0.weight has shape [4, 16, 4, 4], and G of this recipe needs [4, 256, 4, 4]. Check the options (--set), --size and --channels, and the net."`,
    );
    expect(await told({ ...dcgan, files: { D: G } })).toMatchInlineSnapshot(
      `"/dcgan-zip.pth does not fit dcgan: its main.0.weight has shape [4, 16, 4, 4], and D of this recipe needs [2, 3, 4, 4]. Check the options (--set), --size and --channels, and the net."`,
    );
    expect(await told({ ...dcgan, height: 99_999, files: { G } })).toMatchInlineSnapshot(
      `"Recipe dcgan would hold 249,995,000,229 numbers, more than 2,147,483,648. Choose a smaller --size, or smaller options (--set)."`,
    );
    expect(await told({ ...dcgan, files: { G: golden } })).toMatchInlineSnapshot(
      `" is a folder. Name a file of weights: .safetensors, .pth or .pt."`,
    );
    expect(await told({ ...dcgan, files: { G: "/dev/zero" } })).toMatchInlineSnapshot(
      `"/dev/zero is no regular file. Name a file of weights: .safetensors, .pth or .pt."`,
    );
    expect(await told({ ...dcgan, recipe: "biggan", files: { G } })).toMatchInlineSnapshot(
      `"Recipe biggan is told the class. Say how many classes the nets know, such as --classes 10."`,
    );
    expect(await told({ ...dcgan, classes: ["a"], files: { G } })).toMatchInlineSnapshot(
      `"Recipe dcgan is told no class. Leave out --classes."`,
    );
    const plain = { G: path("dcgan.safetensors") };
    expect(await told({ ...dcgan, key: "netG", files: plain })).toMatchInlineSnapshot(
      `"A key names one of several sets of weights in a PyTorch file, and none of these is one. Leave out --key."`,
    );
    expect(await told({ ...dcgan, files: { F: G } })).toMatchInlineSnapshot(
      `"Recipe dcgan has no net "F". Its nets: G, D."`,
    );
    expect(readdirSync(runs)).toEqual(before);
  });
});
