import { dirname } from "node:path";
import { onDisk } from "./disk-failure.ts";
import { commitFile, errorCode, nodeFileSystem, writeAll, type FileSystem } from "./file-system.ts";
import { makeLock, takeLock, type Lock } from "./lock.ts";
import { numbersOf, pad, type RunInfo, type RunOptions } from "./runs.ts";

/** What every sentence about a failed write ends with. */
export const safe = "The same command continues from the last checkpoint.";

/**
 * Makes `ROOT/0001-RECIPE-DATA/` with the next free number, fills it, writes `options.json`, and locks
 * it. Two processes never get the same folder, nor the same number. A folder counts once it has its
 * `options.json`.
 * @throws FailureError
 */
export async function makeNumbered(request: {
  fs: FileSystem;
  root: string;
  options: RunOptions;
  fill: (dir: string) => Promise<void>;
}): Promise<{ info: RunInfo; lock: Lock }> {
  const { fs, root, options, fill } = request;
  return onDisk({ task: `begin a run in ${root}`, safe: "Nothing was begun." }, async () => {
    await makeRoot(fs, root);
    let number = Math.max(0, ...numbersOf(await fs.list(root)));
    for (;;) {
      number++;
      const name = `${pad(number)}-${slug(options.recipe)}-${slug(options.data)}`;
      const dir = `${root}/${name}`;
      if (!(await makeDir(fs, dir))) continue;
      if (numbersOf(await fs.list(root)).filter((taken) => taken === number).length > 1) {
        await fs.rmdir(dir); // another process took this number for another recipe or data
        continue;
      }
      await makeLock(fs, dir);
      const lock = await takeLock(fs, dir);
      try {
        await fill(dir);
        await fs.syncDir(dir); // all of it is there before options.json makes it a run
        await writeWhole({ fs, dir, name: "options.json", bytes: toJsonFile(options) });
        await fs.syncDir(root);
      } catch (error) {
        await lock.release().catch(() => undefined); // the first error is the one to tell
        throw error;
      }
      return { info: { number, name, dir, options }, lock };
    }
  });
}

/** Writes a file so that it is there whole and on the disk, or not at all. @throws FailureError */
export async function writeWhole(request: {
  fs?: FileSystem;
  dir: string;
  name: string;
  bytes: Uint8Array;
}): Promise<void> {
  const { fs = nodeFileSystem, dir, name, bytes } = request;
  const cut = name.lastIndexOf("/");
  const place =
    cut < 0 ? { dir, name } : { dir: `${dir}/${name.slice(0, cut)}`, name: name.slice(cut + 1) };
  await onDisk({ task: `write ${dir}/${name}`, safe }, () =>
    commitFile(fs, place, (file) => writeAll(file, bytes, 0)),
  );
}

/** Makes the folder of runs, and those above it that are missing; each is on the disk before the next. */
async function makeRoot(fs: FileSystem, root: string): Promise<void> {
  const above = dirname(root);
  try {
    if (await makeDir(fs, root)) await fs.syncDir(above);
  } catch (error) {
    if (errorCode(error) !== "ENOENT" || above === root) throw error;
    await makeRoot(fs, above);
    await makeRoot(fs, root);
  }
}

/** Makes a directory; false when it is there already. */
export async function makeDir(fs: FileSystem, dir: string): Promise<boolean> {
  try {
    await fs.mkdir(dir);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  }
}

/** JSON that a person can read, as the bytes of a file. */
export function toJsonFile(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`);
}

/** The last part of a path or name, in letters that any file system takes. */
function slug(text: string): string {
  const last =
    text
      .replace(/[\\/]+$/, "")
      .split(/[\\/]/)
      .at(-1) ?? "";
  const plain = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9.]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "");
  return plain.slice(0, 40) || "data";
}
