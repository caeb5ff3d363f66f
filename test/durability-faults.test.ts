import { FailureError } from "@duelo/core";
import { describe, expect, test } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../packages/train/src/run/checkpoint.ts";
import type { FileSystem } from "../packages/train/src/run/file-system.ts";
import { CrashFileSystem, systemError } from "../scripts/torture/crash-file-system.ts";
import { intercept, type BeforeOperation } from "../scripts/torture/faulty-file-system.ts";
import { tinyRun, tinyStart, tinyStep, tinyTensors } from "../scripts/torture/tiny-run.ts";

const dir = "/run";
const temporary = `${dir}/checkpoint.safetensors.tmp`;
const names = ["checkpoint.previous.safetensors", "checkpoint.safetensors"];

const save = (fs: FileSystem, step: number) => {
  let state = tinyStart(3);
  while (state.step < step) state = tinyStep(state);
  return saveCheckpoint({ dir, tensors: tinyTensors(state), meta: { recipe: "tiny", step }, fs });
};

const loadedStep = async (fs: FileSystem) => (await loadCheckpoint({ dir, fs }))?.meta.step;

async function diskWithTwoSaves(): Promise<CrashFileSystem> {
  const disk = new CrashFileSystem();
  await disk.mkdir(dir);
  await save(disk, 1);
  await save(disk, 2);
  return disk;
}

/** The disk does not take the checkpoint; the sync of anything else would be a mistake here. */
const failingSync: BeforeOperation = (operation, path) => {
  if (operation === "sync") throw systemError(path === temporary ? "EIO" : "ENOSYS");
};

/** Does `fault` at operation number `n`, counted from 1; `reached` tells whether it came to that. */
function faultAt(n: number, fault: BeforeOperation) {
  let count = 0;
  let fired: string | undefined;
  const calls: string[] = [];
  const before: BeforeOperation = (operation, path) => {
    calls.push(`${operation} ${path.slice(path.lastIndexOf("/") + 1)}`);
    if (++count !== n) return undefined;
    fired = operation;
    return fault(operation, path);
  };
  return { before, calls, fired: () => fired };
}

const fails =
  (code: string): BeforeOperation =>
  () => {
    throw systemError(code);
  };

describe.each(["ENOSPC", "EIO", "EDQUOT"])("%s at operation 1, 2, … of a save", (code) => {
  test("leaves the last good checkpoint and no temporary file, says so, and the next save works", async () => {
    let n = 0;
    for (;;) {
      n++;
      const disk = await diskWithTwoSaves();
      const { before, calls, fired } = faultAt(n, fails(code));
      const error: unknown = await save(intercept(disk, before), 3).catch((e: unknown) => e);
      const operation = fired();
      if (operation === undefined) break;
      const at = `${code} at ${calls[n - 1]}`;
      expect(await disk.list(dir), at).toEqual(names);
      if (error === undefined) {
        // Only two things may fail without harm: reading the checkpoint before, which is then not
        // kept, and removing a name that is not there.
        expect(at).toMatch(
          /(EIO at (open|read|close) checkpoint|unlink checkpoint\.previous)\.safetensors(\.tmp)?$/,
        );
        expect(await loadedStep(disk), at).toBe(3);
      } else {
        expect(error, at).toBeInstanceOf(FailureError);
        expect(String(error), at).toMatch(/The last good one, of step [23], is safe in checkpoint/);
        expect([2, 3], at).toContain(await loadedStep(disk));
        // After a failed sync nothing is synced or renamed any more: it is not tried again.
        const later = calls.slice(n).filter((call) => /^(sync|rename|link|syncDir)/.test(call));
        expect(later, at).toEqual([]);
      }
      await save(disk, 4);
      expect(await loadedStep(disk), at).toBe(4);
    }
    expect(n).toBeGreaterThan(10);
  });
});

test("short writes at every write give the same file", async () => {
  const straight = await diskWithTwoSaves();
  await save(straight, 3);
  const disk = await diskWithTwoSaves();
  await save(
    intercept(disk, (operation) => (operation === "write" ? 7 : undefined)),
    3,
  );
  expect(disk.describe()).toBe(straight.describe());
});

test("a short write and then a full disk leaves the last good checkpoint", async () => {
  const disk = await diskWithTwoSaves();
  let nLeft = 100;
  const filling: BeforeOperation = (operation) => {
    if (operation !== "write") return undefined;
    if (nLeft === 0) throw systemError("ENOSPC");
    const nBytes = Math.min(nLeft, 60);
    nLeft -= nBytes;
    return nBytes;
  };
  await expect(save(intercept(disk, filling), 3)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[FailureError: No space left to save the checkpoint in /run: it needs 1 kB. The last good one, of step 2, is safe in checkpoint.safetensors; the same command continues from there.]`,
  );
  expect(await disk.list(dir)).toEqual(names);
  expect(await loadedStep(disk)).toBe(2);
});

test("a failed sync is told, and the run keeps what it had", async () => {
  const disk = await diskWithTwoSaves();
  await expect(save(intercept(disk, failingSync), 3)).rejects.toThrowErrorMatchingInlineSnapshot(
    `[FailureError: Could not save the checkpoint in /run (EIO: injected). The last good one, of step 2, is safe in checkpoint.safetensors; the same command continues from there.]`,
  );
  expect(await loadedStep(disk)).toBe(2);
});

test("a full disk before the first checkpoint is told", async () => {
  const disk = new CrashFileSystem();
  await disk.mkdir(dir);
  await expect(
    save(intercept(disk, fails("ENOSPC")), 1),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[FailureError: No space left to save the checkpoint in /run: it needs 1 kB. There is no earlier one.]`,
  );
});

describe("a whole run", () => {
  const shape = { root: "/runs", nSteps: 4, saveEvery: 2, nWeights: 2 };

  test.each(["ENOSPC", "EIO"])(
    "with %s at operation 1, 2, … resumes to the same end",
    async (code) => {
      const straight = new CrashFileSystem();
      await tinyRun({ ...shape, fs: straight });
      for (let n = 1; ; n++) {
        const disk = new CrashFileSystem();
        const { before, calls, fired } = faultAt(n, fails(code));
        const error: unknown = await tinyRun({ ...shape, fs: intercept(disk, before) }).catch(
          (e: unknown) => e,
        );
        if (fired() === undefined) break;
        const at = `${code} at ${calls[n - 1]}`;
        if (error instanceof Error)
          expect(`${error.name} ${code}`, at).toBe(`FailureError ${code}`);
        await killed(disk);
        await tinyRun({ ...shape, fs: disk });
        const [dir] = (await disk.list("/runs")).slice(-1);
        const all = disk.describe().replaceAll(`/runs/${dir}/`, "/runs/0001-tiny-logistic/");
        expect(end(all), at).toEqual(expect.arrayContaining(end(straight.describe())));
      }
    },
  );
});

/** The lines of `describe` on the files that must not depend on faults. */
function end(description: string): string[] {
  const lines = description.split("\n");
  return lines.filter((line) => /(checkpoint\.safetensors|stats\.jsonl|options\.json) /.test(line));
}

/** Marks the locks that a failed run left as those of a dead process. */
async function killed(disk: CrashFileSystem): Promise<void> {
  for (const name of await disk.list("/runs").catch(() => [])) {
    for (const file of await disk.list(`/runs/${name}`)) {
      const dead = file.replace(/^lock\.\d+/, "lock.99999999");
      if (dead !== file) await disk.rename(`/runs/${name}/${file}`, `/runs/${name}/${dead}`);
    }
  }
}
