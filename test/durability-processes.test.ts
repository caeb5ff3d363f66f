import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { faultOf, outcomeOf, runCommand, standIn } from "../scripts/torture/processes.ts";

// The short form: one checkpoint, in real processes. The long one is in scripts/torture.
const small = ["--steps", "4", "--weights", "1000"];
let base = "";
let expected = "";
let nOperations = 0;
beforeAll(async () => {
  base = mkdtempSync(join(tmpdir(), "duelo-processes-"));
  const straight = await runCommand([...standIn, join(base, "straight"), ...small]);
  nOperations = Number(straight.stdout);
  expected = await outcomeOf(join(base, "straight"));
});
afterAll(() => rmSync(base, { recursive: true }));

/** Starts in `root` again, after something stopped the run there, and looks at the end of it. */
async function endsTheSame(root: string): Promise<void> {
  expect(await faultOf(root)).toBeUndefined();
  const again = await runCommand([...standIn, root, ...small]);
  expect(again).toMatchObject({ code: 0, stderr: "" });
  expect(await outcomeOf(root)).toBe(expected);
}

async function killBefore(operation: number): Promise<void> {
  const root = join(base, `killed-${operation}`);
  const ended = await runCommand([...standIn, root, ...small, "--kill-at", String(operation)]);
  expect(ended.signal).toBe("SIGKILL");
  await endsTheSame(root);
}

async function onSmallDisk(kb: number) {
  const [disk, kept] = [join(base, `disk-${kb}`), join(base, `kept-${kb}`)];
  const script = `mkdir "$1" && mount -t tmpfs -o size=${kb}k tmpfs "$1" && disk=$1 && kept=$2 && shift 2 && "$@"; code=$?; cp -r "$disk/runs" "$kept"; exit $code`;
  const inside = [...standIn, join(disk, "runs"), ...small];
  const ended = await runCommand([
    "unshare",
    "-Urm",
    "sh",
    "-c",
    script,
    "sh",
    disk,
    kept,
    ...inside,
  ]);
  return { ...ended, kept };
}

test("a run killed before any file operation of its last checkpoint resumes to the same end", async () => {
  const nOfLastSave = 24; // what the last save and the end of the run take
  const first = nOperations - nOfLastSave;
  expect(first).toBeGreaterThan(nOfLastSave);
  const all = Array.from({ length: nOfLastSave + 1 }, (_, i) => first + i);
  for (let i = 0; i < all.length; i += 2) await Promise.all(all.slice(i, i + 2).map(killBefore));
  expect(all.at(-1)).toBe(nOperations);
}, 240_000);

const hasNamespaces = spawnSync("unshare", ["-Urm", "true"]).status === 0;

describe.skipIf(!hasNamespaces)("on a disk that is too small", () => {
  test.each([8, 24])("of %i kB a run says so and resumes where there is space", async (kb) => {
    const { code, stderr, kept } = await onSmallDisk(kb);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^FailureError: No space left to .*\n$/);
    expect(
      readdirSync(kept, { recursive: true }).filter((name) => String(name).endsWith(".tmp")),
    ).toEqual([]);
    await endsTheSame(kept);
  });
});
