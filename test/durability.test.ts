import { describe, expect, test } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "../packages/train/src/run/checkpoint.ts";
import { createRun } from "../packages/train/src/run/folder.ts";
import { readText, type FileSystem } from "../packages/train/src/run/file-system.ts";
import { CrashFileSystem, systemError } from "../scripts/torture/crash-file-system.ts";
import { intercept } from "../scripts/torture/faulty-file-system.ts";
import { tinyRun, tinyStart, tinyStep, tinyTensors } from "../scripts/torture/tiny-run.ts";

const dir = "/run";
const newest = `${dir}/checkpoint.safetensors`;
const previous = `${dir}/checkpoint.previous.safetensors`;
type Mutate = (fs: FileSystem) => FileSystem;
const unchanged: Mutate = (fs) => fs;

const save = (fs: FileSystem, step: number, folder = dir) => {
  let state = tinyStart(3);
  while (state.step < step) state = tinyStep(state);
  return saveCheckpoint({
    dir: folder,
    tensors: tinyTensors(state),
    meta: { recipe: "tiny", step },
    fs,
  });
};

/** The step that a load gives; 0 for no checkpoint; the sentence of its error. */
async function loadedStep(fs: FileSystem): Promise<number | string> {
  try {
    return (await loadCheckpoint({ dir, fs }))?.meta.step ?? 0;
  } catch (error) {
    return String(error);
  }
}

async function emptyDisk(): Promise<CrashFileSystem> {
  const disk = new CrashFileSystem();
  await disk.mkdir(dir);
  await disk.syncDir("");
  return disk;
}

type Visit = (state: CrashFileSystem) => Promise<void>;

/**
 * Saves `steps` one after the other and cuts the power after every change of the disk. Whatever a cut
 * leaves must load: the step before or the one being saved; once a save has returned, that one alone.
 * @returns what was wrong, in words; empty when nothing was
 */
async function cutPower(request: {
  disk: CrashFileSystem;
  before: number;
  steps: readonly number[];
  mutate?: Mutate;
  visit?: Visit;
}): Promise<{ faults: string[]; nStates: number }> {
  const { disk, steps, mutate = unchanged, visit } = request;
  const faults = new Set<string>();
  const seen = new Set<string>();
  const collect = async (states: Map<string, CrashFileSystem>, allowed: number[], when: string) => {
    for (const [key, state] of states) {
      const id = `${when} ${key}`;
      if (seen.has(id)) continue;
      seen.add(id);
      const step = await loadedStep(state);
      if (typeof step === "string" || !allowed.includes(step)) {
        faults.add(`${when}: loads ${step}, not ${allowed.join(" or ")}`);
      }
      await visit?.(state);
    }
  };
  let done = request.before;
  for (const step of steps) {
    const during: [string, Map<string, CrashFileSystem>][] = [];
    disk.onChange = (operation) =>
      during.push([`saving ${step}, after ${operation}`, disk.crashStates()]);
    await save(mutate(disk), step).catch((error: unknown) => faults.add(String(error)));
    disk.onChange = () => undefined;
    for (const [when, states] of during) await collect(states, [done, step], when);
    await collect(disk.crashStates(), [step], `saved ${step}`);
    done = step;
  }
  return { faults: [...faults], nStates: seen.size };
}

/** The newest file is damaged after two saves: the first save must still be there. */
async function loseNewest(mutate: Mutate): Promise<string[]> {
  const disk = await emptyDisk();
  await save(mutate(disk), 1);
  await save(mutate(disk), 2);
  disk.damage(newest, { bit: 999 });
  const step = await loadedStep(disk);
  return step === 1 ? [] : [`with the newest damaged: loads ${step}, not 1`];
}

const withoutLinks: Mutate = (fs) =>
  intercept(fs, (operation) => {
    if (operation === "link") throw systemError("EPERM");
  });

describe("a power cut at any change of the disk", () => {
  test("leaves a whole checkpoint, through three saves", async () => {
    const { faults, nStates } = await cutPower({
      disk: await emptyDisk(),
      before: 0,
      steps: [1, 2, 3],
    });
    expect(faults).toEqual([]);
    expect(nStates).toBeGreaterThan(50);
  });

  test("leaves a whole checkpoint where there are no hard links", async () => {
    const disk = await emptyDisk();
    const { faults } = await cutPower({ disk, before: 0, steps: [1, 2, 3], mutate: withoutLinks });
    expect(faults).toEqual([]);
    expect(await loseNewest(withoutLinks)).toEqual([]);
  });

  test("leaves a disk on which saving works, through a second power cut", async () => {
    const faults: string[] = [];
    const disk = await emptyDisk();
    const again: Visit = async (state) => {
      const before = Number(await loadedStep(state));
      faults.push(...(await cutPower({ disk: state, before, steps: [10] })).faults);
    };
    await cutPower({ disk, before: 0, steps: [1, 2, 3], visit: again });
    expect(faults).toEqual([]);
  });

  test("does not lose the one whole checkpoint when the newest is damaged", async () => {
    const disk = await emptyDisk();
    await save(disk, 1);
    await save(disk, 2);
    disk.damage(newest, { nBytes: 100 });
    const { faults } = await cutPower({ disk, before: 1, steps: [3, 4] });
    expect(faults).toEqual([]);
  });

  test("a damaged or missing newest checkpoint gives the one before it, and says so", async () => {
    expect(await loseNewest(unchanged)).toEqual([]);
    const disk = await emptyDisk();
    await save(disk, 1);
    await save(disk, 2);
    disk.damage(previous, { bit: 0 });
    expect(await loadCheckpoint({ dir, fs: disk })).toMatchObject({
      fellBack: false,
      path: newest,
    });
  });
});

/** Leaves out every call of one operation. */
const skipped =
  (operation: "sync" | "syncDir" | "link"): Mutate =>
  (fs) => {
    const all = intercept(fs, () => undefined);
    if (operation !== "sync") return { ...all, [operation]: async () => undefined };
    const open: FileSystem["open"] = async (path, mode) => ({
      ...(await all.open(path, mode)),
      sync: async () => undefined,
    });
    return { ...all, open };
  };

/** Writes straight into the checkpoint. */
const inPlace: Mutate = (fs) => ({
  ...intercept(fs, () => undefined),
  link: async () => undefined,
  open: (path, mode) => fs.open(path.replace(/\.tmp$/, ""), mode),
  rename: async () => undefined,
  unlink: async () => undefined,
});

describe("one step of the commit left out is found", () => {
  const mutants: Record<string, Mutate> = {
    "the sync of the file": skipped("sync"),
    "the sync of the directory": skipped("syncDir"),
    "keeping the one before": skipped("link"),
    "the temporary file": inPlace,
  };
  test.each(Object.entries(mutants))("%s", async (_, mutate) => {
    const disk = await emptyDisk();
    const { faults } = await cutPower({ disk, before: 0, steps: [1, 2, 3], mutate });
    expect([...faults, ...(await loseNewest(mutate).catch(String))]).not.toEqual([]);
  });
});

/** After a power cut no process is left that could hold a lock. */
const reboot = async (state: CrashFileSystem) => {
  for (const name of await state.list("/runs").catch(() => [])) {
    for (const file of await state.list(`/runs/${name}`)) {
      if (!/^lock\.\d/.test(file)) continue;
      const dead = file.replace(/^lock\.\d+/, "lock.99999999");
      await state.rename(`/runs/${name}/${file}`, `/runs/${name}/${dead}`);
    }
  }
};

describe("a whole run", () => {
  const shape = { root: "/runs", nSteps: 5, saveEvery: 2, nWeights: 2 };
  const files = ["stats.jsonl", "options.json", "checkpoint.safetensors", "samples/00000004.png"];
  const outcome = async (fs: FileSystem, at: string) =>
    Promise.all(files.map((name) => readText(fs, `${at}/${name}`)));

  /** Runs, cuts the power after every change, and runs again each time. */
  const faultsOf = async (mutate: Mutate): Promise<string[]> => {
    const straight = new CrashFileSystem();
    const expected = await outcome(straight, (await tinyRun({ ...shape, fs: straight })).dir);
    const disk = new CrashFileSystem();
    const states = new Map<string, CrashFileSystem>();
    disk.onChange = () => disk.crashStates().forEach((state, key) => states.set(key, state));
    await tinyRun({ ...shape, fs: mutate(disk) });
    const faults: string[] = [];
    for (const state of states.values()) {
      await reboot(state);
      try {
        const { dir } = await tinyRun({ ...shape, fs: state });
        expect(await outcome(state, dir)).toEqual(expected);
      } catch (error) {
        faults.push(String(error));
      }
    }
    expect(states.size).toBeGreaterThan(100);
    return faults;
  };

  test("that resumes after a power cut anywhere ends with the same files as one that was not cut", async () => {
    expect(await faultsOf(unchanged)).toEqual([]);
  });

  test("that was made is there after a power cut", async () => {
    const disk = new CrashFileSystem();
    const run = await createRun({
      root: "/runs",
      options: { recipe: "tiny", data: "x" },
      fs: disk,
    });
    await run.load();
    await save(disk, 1, run.dir);
    const states = [...disk.crashStates().values()];
    const found = await Promise.all(states.map((fs) => loadCheckpoint({ dir: run.dir, fs })));
    expect(found.map((checkpoint) => checkpoint?.meta.step)).toEqual(states.map(() => 1));
  });

  test("whose log is not synced before the checkpoint is found", async () => {
    const faults = await faultsOf((fs) => ({
      ...intercept(fs, () => undefined),
      open: async (path, mode) => {
        const file = await fs.open(path, mode);
        return path.endsWith("stats.jsonl") ? { ...file, sync: async () => undefined } : file;
      },
    }));
    expect(faults[0]).toMatch(/stats\.jsonl has \d+ bytes, and the checkpoint speaks of \d+/);
  });
});
