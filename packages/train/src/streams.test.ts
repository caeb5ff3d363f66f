import { abs, mean, nn, sgd, UserError } from "@duelo/core";
import { findRecipe, image, int, recipe } from "@duelo/zoo";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { train } from "./loop.ts";
import { resolveRequest, type TrainRequest } from "./request.ts";
import { loadCheckpoint } from "./run/checkpoint.ts";

const root = mkdtempSync(join(tmpdir(), "duelo-streams-"));
const place = (name: string): string => join(root, name);
afterAll(() => rmSync(root, { recursive: true }));

/** A weight for each place of a 4x4 image, so that a shifted or mirrored image is seen. */
const twoDomains = recipe({
  ...{ name: "two-domains", about: "", paper: "", sources: [], differences: [] },
  data: {
    a: image({ range: [-1, 1], size: [4, 4], stream: "A", jitter: 0.5, flip: true }),
    b: image({ range: [-1, 1], size: [4, 4], stream: "B", jitter: 0.5, flip: true }),
  },
  options: { batch: int({ default: 3, min: 1, max: 9, about: "", source: "" }) },
  presets: { only: { about: "", steps: 6 } },
  nets: () => ({ G: nn.chain(nn.flatten, nn.linear({ out: 1 })) }),
  optimizer: () => ({ G: sgd({ lr: 0.1 }) }),
  noise: () => ({}),
  phases: () => [
    { update: ["G"], loss: ({ G }, { a, b }) => ({ loss: mean(abs(G(a).sub(G(b)))) }) },
  ],
  sample: (_, { a }) => a,
});

beforeAll(async () => {
  for (const [side, n] of [
    ["A", 5],
    ["B", 7],
  ] as const)
    for (let i = 0; i < n; i++) {
      const data = Buffer.from(Array.from({ length: 64 }, (_, k) => (k * (i + 3) * (n + 1)) % 256));
      const path = place(`set/${side}/${i}.png`);
      mkdirSync(dirname(path), { recursive: true });
      const raw = { width: 8, height: 8, channels: 1 } as const;
      writeFileSync(path, await sharp(data, { raw }).png().toBuffer());
    }
});

const request = (over: Partial<TrainRequest>): TrainRequest => ({
  recipe: twoDomains,
  data: place("set"),
  channels: 1,
  threads: 1,
  cacheDir: place("cache"),
  runs: place("runs"),
  ...over,
});

describe("two domains", () => {
  test("are read with cursors of their own, and a stopped run goes on as if it had not been", async () => {
    const straight = await train(request({ runs: place("straight") }));
    const stop = new AbortController();
    const first = await train(request({}), {
      signal: stop.signal,
      progress: (p) => p.step === 2 && stop.abort(),
    });
    expect(first).toMatchObject({ step: 2, finished: false });
    const rest = await train(request({}));
    expect(rest.dir).toBe(first.dir);
    const [a, b] = await Promise.all([straight, rest].map(({ dir }) => loadCheckpoint({ dir })));
    expect(b?.tensors).toEqual(a?.tensors);
    expect(b?.meta["cursors"]).toEqual({ data: { A: 18, B: 18 }, runs: [6] });
  });

  test("stand in options.json, and another second set is another run", async () => {
    const dir = join(place("runs"), "0001-two-domains-a");
    const options = JSON.parse(readFileSync(join(dir, "options.json"), "utf8")) as Record<
      string,
      unknown
    >;
    expect(options["shapes"]).toEqual({ a: [1, 4, 4], b: [1, 4, 4] });
    expect(options["dataSettings"]).toMatchObject({ jitter: 2, flip: true, records: 5 });
    expect(options["to"]).toMatchObject({ data: "B", nRecords: 14 });
    const other = await train(request({ data: place("set/A"), to: place("set/A") }));
    expect(other.dir).not.toBe(dir);
  });
});

describe("what a user can get wrong", () => {
  const refused = (over: Partial<TrainRequest>): string => {
    try {
      resolveRequest(request(over));
    } catch (error) {
      if (error instanceof UserError) return error.message;
    }
    throw new Error("it is not refused");
  };
  test("is said in a sentence", async () => {
    expect(refused({ data: place("set/A") })).toMatchInlineSnapshot(
      `"Recipe two-domains trains on two sets. Name the second with --to, or give a folder with the sub-folders A and B."`,
    );
    expect(refused({ derive: "grey" })).toMatchInlineSnapshot(
      `"Recipe two-domains trains on two sets without pairs, so --derive has no use. Name the second with --to."`,
    );
    expect(refused({ recipe: "dcgan", to: "emoji" })).toMatchInlineSnapshot(
      `"Recipe dcgan trains on one set. Leave out --to, --to-select and --derive."`,
    );
    const empty = place("empty");
    mkdirSync(empty);
    await expect(train(request({ to: empty }))).rejects.toThrow(/^The folder .*empty is empty\./);
    const big = { recipe: findRecipe("pix2pix"), derive: "grey", data: place("set/A") } as const;
    await expect(train(request({ ...big, height: 16 }))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Recipe pix2pix cannot take these images: a patch of 70 needs sides of 24 pixels or more; choose a larger --size, or a smaller one such as --set patch=16.]`,
    );
    await expect(train(request({ ...big, height: 20 }))).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Recipe pix2pix cannot take these images: 20x20 cannot be halved down to one pixel; choose sides such as 32, 64, 128 or 256, for example --size 64.]`,
    );
  });
});
