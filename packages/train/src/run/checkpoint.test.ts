import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  findNonFinite,
  loadCheckpoint,
  saveCheckpoint,
  type CheckpointMeta,
} from "./checkpoint.ts";
import type { Tensors } from "./safetensors.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "duelo-checkpoint-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const newest = () => join(dir, "checkpoint.safetensors");
const previous = () => join(dir, "checkpoint.previous.safetensors");

const tensors = (value: number): Tensors => ({
  "G.w": { dtype: "float32", shape: [3], data: Float32Array.of(value, -0, 1e-45) },
  order: { dtype: "int64", shape: [1], data: BigInt64Array.of(2n ** 62n) },
  done: { dtype: "bool", shape: [2], data: Uint8Array.of(0, 1) },
});
const meta = (step: number): CheckpointMeta => ({
  recipe: "dcgan",
  step,
  cursor: [1, { of: "data" }],
});
const save = (step: number) => saveCheckpoint({ dir, tensors: tensors(step), meta: meta(step) });

/** The sentence of an error, with the directory as RUN. */
async function sentence(doing: Promise<unknown>): Promise<string> {
  const error: unknown = await doing.then(
    () => "no error",
    (e: unknown) => e,
  );
  return String(error).replaceAll(dir, "RUN");
}

describe("save and load", () => {
  test("give back tensors and meta; the file of the same state is the same to the bit", async () => {
    await save(1);
    const first = readFileSync(newest());
    expect(await loadCheckpoint({ dir, expect: { recipe: "dcgan" } })).toEqual({
      tensors: tensors(1),
      meta: meta(1),
      path: newest(),
      fellBack: false,
    });
    await save(1);
    expect(readFileSync(newest()).equals(first)).toBe(true);
  });

  test("keep the one before, and nothing else", async () => {
    await save(1);
    const first = readFileSync(newest());
    await save(2);
    await save(3);
    expect(readdirSync(dir).toSorted()).toEqual([
      "checkpoint.previous.safetensors",
      "checkpoint.safetensors",
    ]);
    rmSync(newest());
    expect((await loadCheckpoint({ dir }))?.meta.step).toBe(2);
    expect(first.length).toBe(readFileSync(previous()).length);
  });

  test("an empty folder has no checkpoint", async () => {
    expect(await loadCheckpoint({ dir })).toBeUndefined();
  });

  test("fall back when the newest is damaged or missing, and say why", async () => {
    await save(1);
    await save(2);
    const whole = readFileSync(newest());
    writeFileSync(newest(), whole.subarray(0, whole.length - 1));
    const found = await loadCheckpoint({ dir });
    expect(found).toMatchObject({
      fellBack: true,
      path: previous(),
      meta: meta(1),
      tensors: tensors(1),
    });
    expect(found?.why).toMatchInlineSnapshot(
      `"checkpoint.safetensors is damaged: it has 21 bytes of data, and its header describes 22. Read checkpoint.previous.safetensors instead, of step 1."`,
    );
    rmSync(newest());
    expect((await loadCheckpoint({ dir }))?.why).toMatchInlineSnapshot(
      `"checkpoint.safetensors is missing. Read checkpoint.previous.safetensors instead, of step 1."`,
    );
  });

  test("a damaged newest is not kept over the whole one before it", async () => {
    await save(1);
    await save(2);
    writeFileSync(newest(), "not a checkpoint");
    await save(3);
    rmSync(newest());
    expect((await loadCheckpoint({ dir }))?.meta.step).toBe(1);
  });
});

/** Whether a load tells that these bytes are no whole checkpoint. */
const isFound = async (bytes: Uint8Array) => {
  writeFileSync(newest(), bytes);
  return (await sentence(loadCheckpoint({ dir }))).startsWith(
    "FailureError: No whole checkpoint in RUN: ",
  );
};

describe("every damage is found", () => {
  test("every single flipped bit of a file", async () => {
    await save(1);
    const whole = readFileSync(newest());
    const missed: number[] = [];
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const bytes = Uint8Array.from(whole);
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      if (!(await isFound(bytes))) missed.push(bit);
    }
    expect(missed).toEqual([]);
    expect(whole.length * 8).toBeGreaterThan(1000);
    expect(await isFound(whole)).toBe(false);
  });

  test("every length that it may be cut to, and a byte too many", async () => {
    await save(1);
    const whole = readFileSync(newest());
    const missed: number[] = [];
    for (let nBytes = 0; nBytes < whole.length; nBytes++) {
      if (!(await isFound(whole.subarray(0, nBytes)))) missed.push(nBytes);
    }
    expect(missed).toEqual([]);
    expect(await isFound(Buffer.concat([whole, Buffer.of(0)]))).toBe(true);
  });
});

describe("errors", () => {
  test("of a tensor that is not finite: nothing is written", async () => {
    await save(7);
    const before = readFileSync(newest());
    const bad: Tensors = {
      ...tensors(8),
      "D.v": { dtype: "float32", shape: [2], data: Float32Array.of(1, NaN) },
    };
    expect(findNonFinite(bad)).toEqual({ name: "D.v", index: 1, value: NaN });
    expect(
      await sentence(saveCheckpoint({ dir, tensors: bad, meta: meta(8) })),
    ).toMatchInlineSnapshot(
      `"FailureError: Step 8: tensor D.v holds NaN at element 1, so no checkpoint was written. The last good one, of step 7, is safe in checkpoint.safetensors; the same command continues from there."`,
    );
    expect(readFileSync(newest()).equals(before)).toBe(true);
    expect(readdirSync(dir)).toEqual(["checkpoint.safetensors"]);
    const infinite: Tensors = {
      w: { dtype: "float32", shape: [], data: Float32Array.of(-Infinity) },
    };
    rmSync(newest());
    expect(
      await sentence(saveCheckpoint({ dir, tensors: infinite, meta: meta(1) })),
    ).toMatchInlineSnapshot(
      `"FailureError: Step 1: tensor w holds -Infinity at element 0, so no checkpoint was written. There is no earlier one."`,
    );
  });

  test("of a number in meta that is not finite", async () => {
    const saving = saveCheckpoint({ dir, tensors: {}, meta: { ...meta(3), ada: { p: NaN } } });
    expect(await sentence(saving)).toMatchInlineSnapshot(
      `"FailureError: Step 3: p of the run's state is NaN, so no checkpoint was written."`,
    );
  });

  test("when no checkpoint is whole", async () => {
    await save(1);
    await save(2);
    const whole = readFileSync(newest());
    whole[whole.length - 1] = 7;
    writeFileSync(newest(), whole);
    const huge = Buffer.alloc(100);
    huge.writeBigUInt64LE(2n ** 40n);
    writeFileSync(previous(), huge);
    expect(await sentence(loadCheckpoint({ dir }))).toMatchInlineSnapshot(
      `"FailureError: No whole checkpoint in RUN: checkpoint.safetensors is damaged: its content does not match its digest; checkpoint.previous.safetensors is damaged: its header claims 1099511627776 bytes, more than 100000000. Restore one from a backup, or start a new run."`,
    );
  });

  test("when the checkpoint is of another recipe", async () => {
    await save(1);
    expect(
      await sentence(loadCheckpoint({ dir, expect: { recipe: "wgan-gp" } })),
    ).toMatchInlineSnapshot(
      `"UserError: The checkpoint in RUN is of recipe dcgan, not wgan-gp. Name a run of wgan-gp, or start a new one."`,
    );
  });

  test("when the folder is gone", async () => {
    const saving = saveCheckpoint({ dir: join(dir, "gone"), tensors: tensors(1), meta: meta(1) });
    expect(await sentence(saving)).toMatchInlineSnapshot(
      `"FailureError: Could not save the checkpoint in RUN/gone (ENOENT: no such file or directory, open 'RUN/gone/checkpoint.safetensors.tmp'). There is no earlier one."`,
    );
  });
});
