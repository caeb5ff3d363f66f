import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createRun, openRun, resumeOrCreateRun, type RunFolder } from "./folder.ts";
import { findRun, listRuns, type RunOptions } from "./runs.ts";
import { parseStats } from "./stats-log.ts";
import type { Tensors } from "./safetensors.ts";

let root = "";
let open: RunFolder[] = [];
beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), "duelo-runs-")), "runs");
});
afterEach(async () => {
  for (const run of open) await run.close().catch(() => undefined);
  open = [];
  rmSync(join(root, ".."), { recursive: true });
});

const dcgan = { recipe: "dcgan", data: "fashion-mnist", seed: 1 };
const kept = async (run: Promise<RunFolder>) => {
  open.push(await run);
  return run;
};
const create = (options: RunOptions = dcgan) => kept(createRun({ root, options }));
const sentence = async (doing: Promise<unknown>) => {
  const error: unknown = await doing.then(
    () => "no error",
    (e: unknown) => e,
  );
  return String(error)
    .replaceAll(root, "RUNS")
    .replaceAll(hostname(), "HOST")
    .replaceAll(String(process.pid), "PID")
    .replaceAll(/\.\d+\.HOST/g, ".STARTED.HOST");
};
const tensors = (value: number): Tensors => ({
  w: { dtype: "float32", shape: [1], data: Float32Array.of(value) },
});
const stats = (run: RunFolder) => parseStats(readFileSync(join(run.dir, "stats.jsonl"), "utf8"));
const lockName = (run: RunFolder) =>
  readdirSync(run.dir).find((name) => name.startsWith("lock.")) ?? "";

describe("a new run", () => {
  test("gets the next number, its options, and a samples folder", async () => {
    const run = await create();
    expect(run).toMatchObject({ number: 1, name: "0001-dcgan-fashion-mnist", options: dcgan });
    expect(JSON.parse(readFileSync(join(run.dir, "options.json"), "utf8"))).toEqual(dcgan);
    await run.write(run.sampleName(1200), Uint8Array.of(1, 2));
    expect(readFileSync(join(run.dir, "samples/00001200.png"))).toEqual(Buffer.of(1, 2));
    expect((await create({ ...dcgan, data: "/home/me/My Photos/" })).name).toBe(
      "0002-dcgan-my-photos",
    );
    mkdirSync(join(root, "0041-old-thing"));
    expect((await create()).number).toBe(42);
  });

  test("never shares its number, when many begin at once", async () => {
    const options = Array.from({ length: 8 }, (_, i) => ({ ...dcgan, data: `set-${i % 3}` }));
    const runs = await Promise.all(options.map(create));
    expect(new Set(runs.map(({ number }) => number)).size).toBe(8);
    expect(new Set((await listRuns({ root })).map(({ number }) => number)).size).toBe(8);
  });
});

describe("finding runs", () => {
  test("by number, name, latest or path", async () => {
    const first = await create();
    const second = await create({ ...dcgan, recipe: "vae" });
    for (const run of ["1", "0001", first.name, first.dir, `${first.dir}/`]) {
      expect((await findRun({ root, run })).dir, run).toBe(first.dir);
    }
    expect((await findRun({ root, run: "latest" })).dir).toBe(second.dir);
    expect((await findRun({ root: "/nowhere", run: second.dir })).number).toBe(2);
  });

  test("says what is wrong", async () => {
    expect(await sentence(findRun({ root, run: "latest" }))).toMatchInlineSnapshot(
      `"UserError: There is no run latest: RUNS holds no runs yet. Start one with: duelo train RECIPE"`,
    );
    const run = await create();
    expect(await sentence(findRun({ root, run: "7" }))).toMatchInlineSnapshot(
      `"UserError: There is no run 7 in RUNS. The latest are 0001-dcgan-fashion-mnist."`,
    );
    expect(await sentence(openRun({ root, run: "1", recipe: "wgan-gp" }))).toMatchInlineSnapshot(
      `"UserError: RUNS/0001-dcgan-fashion-mnist is a run of dcgan, not of wgan-gp. Train wgan-gp in a new run, or name one of its own."`,
    );
    writeFileSync(join(run.dir, "options.json"), "{");
    expect(await sentence(findRun({ root, run: "1" }))).toMatchInlineSnapshot(
      `"UserError: RUNS/0001-dcgan-fashion-mnist/options.json is not the options of a run (JSON with recipe and data). Undo what was changed in it."`,
    );
  });

  test("does not count a folder without options, or a file", async () => {
    mkdirSync(join(root, "0001-half"), { recursive: true });
    writeFileSync(join(root, "0002-file"), "");
    expect(await listRuns({ root })).toEqual([]);
  });
});

describe("the same command again", () => {
  test("continues the latest run of the same options, and no other", async () => {
    const run = await create();
    await create({ ...dcgan, seed: 2 });
    await run.close();
    expect((await kept(resumeOrCreateRun({ root, options: { ...dcgan } }))).dir).toBe(run.dir);
    expect((await kept(resumeOrCreateRun({ root, options: { ...dcgan, seed: 3 } }))).number).toBe(
      3,
    );
  });

  test("says why a run that differs in budget, device or threads alone does not go on", async () => {
    const request = { ...dcgan, budget: { steps: 200 }, device: "cpu", threads: 1 };
    await (await create(request)).close();
    const notes: string[] = [];
    const note = (line: string): void => void notes.push(line.replace(root, "RUNS"));
    const begin = (options: RunOptions) =>
      kept(resumeOrCreateRun({ root, options: { ...request, ...options }, note }));
    await begin({ ...dcgan, threads: 2 });
    await begin({ ...dcgan, budget: { steps: 100 }, device: "webgpu" });
    await begin({ ...dcgan, seed: 5, threads: 2 });
    expect(notes).toMatchInlineSnapshot(`
      [
        "A new run begins, because RUNS/0001-dcgan-fashion-mnist has threads: 1; ask for the same to go on with that one.",
        "A new run begins, because RUNS/0002-dcgan-fashion-mnist is for 200 steps and trains on cpu and has threads: 2; ask for the same to go on with that one.",
      ]
    `);
  });

  test("drops log lines after the checkpoint, and half a line", async () => {
    const run = await create();
    await run.load();
    await run.log({ step: 1 });
    await run.save({ tensors: tensors(1), meta: { step: 1 } });
    await run.log({ step: 2 });
    await run.close();
    writeFileSync(join(run.dir, "stats.jsonl"), '{"step":', { flag: "a" });
    expect(stats(run)).toEqual([{ step: 1 }, { step: 2 }]);

    const again = await kept(openRun({ root, run: "latest", recipe: "dcgan" }));
    const checkpoint = await again.load();
    expect(readFileSync(join(run.dir, "stats.jsonl"), "utf8")).toBe('{"step":1}\n');
    expect(checkpoint).toMatchObject({
      fellBack: false,
      meta: { step: 1, recipe: "dcgan" },
      tensors: tensors(1),
    });
    await again.log({ step: 2, again: true });
    expect(stats(again)).toEqual([{ step: 1 }, { step: 2, again: true }]);
  });

  test("says that the log was cut short", async () => {
    const run = await create();
    await run.load();
    await run.log({ step: 1 });
    await run.save({ tensors: tensors(1), meta: { step: 1 } });
    writeFileSync(join(run.dir, "stats.jsonl"), "");
    expect(await sentence(run.load())).toMatchInlineSnapshot(
      `"FailureError: RUNS/0001-dcgan-fashion-mnist/stats.jsonl has 0 bytes, and the checkpoint speaks of 11: it was cut short. Restore it from a backup, or start a new run."`,
    );
  });
});

describe("the lock", () => {
  test("keeps a second trainer out while the first lives, and is freed after it", async () => {
    const run = await create();
    expect(await sentence(openRun({ root, run: "1" }))).toMatchInlineSnapshot(
      `"UserError: RUNS/0001-dcgan-fashion-mnist is being trained by process PID on HOST. Wait for it or stop it; if it is gone, delete RUNS/0001-dcgan-fashion-mnist/lock.PID.STARTED.HOST."`,
    );
    await run.close();
    expect(lockName(run)).toBe("lock.free");
    expect((await kept(openRun({ root, run: "1" }))).dir).toBe(run.dir);
  });

  test("of a process that is gone is taken over", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await once(child, "exit");
    const run = await create();
    const dead = lockName(run).replace(/^lock\.\d+/, `lock.${child.pid}`);
    renameSync(join(run.dir, lockName(run)), join(run.dir, dead));
    const again = await kept(openRun({ root, run: "1" }));
    expect(lockName(again)).toMatch(new RegExp(`^lock\\.${process.pid}\\.`));
  });

  test.runIf(existsSync("/proc/self/stat"))(
    "of an earlier process with the same number is taken over",
    async () => {
      const run = await create();
      const earlier = lockName(run).replace(/^(lock\.\d+)\.\d+/, "$1.1");
      renameSync(join(run.dir, lockName(run)), join(run.dir, earlier));
      expect((await kept(openRun({ root, run: "1" }))).dir).toBe(run.dir);
    },
  );

  test("of another machine counts while it is touched", async () => {
    const run = await create();
    const other = join(run.dir, "lock.12.34.node7.cluster");
    renameSync(join(run.dir, lockName(run)), other);
    expect(await sentence(openRun({ root, run: "1" }))).toMatchInlineSnapshot(
      `"UserError: RUNS/0001-dcgan-fashion-mnist is being trained by process 12 on node7.cluster. Wait for it or stop it; if it is gone, delete RUNS/0001-dcgan-fashion-mnist/lock.12.34.node7.cluster."`,
    );
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(other, longAgo, longAgo);
    expect((await kept(openRun({ root, run: "1" }))).dir).toBe(run.dir);
  });

  test("goes to one of many that want it at once, also when it was deleted by hand", async () => {
    const run = await create();
    renameSync(join(run.dir, lockName(run)), join(run.dir, "lock.99999999.1." + hostname()));
    const wanting = Array.from({ length: 10 }, () => openRun({ root, run: "1" }));
    const settled = await Promise.allSettled(wanting);
    const won = settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    open.push(...won);
    expect(won.length).toBe(1);
    await won[0]?.close();
    rmSync(join(run.dir, "lock.free"));
    expect((await kept(openRun({ root, run: "1" }))).dir).toBe(run.dir);
  });
});
