import {
  constants,
  open,
  link,
  mkdir,
  readdir,
  rename,
  rmdir,
  stat,
  unlink,
  utimes,
} from "node:fs/promises";

/** A file that is open. Positions and sizes count bytes from the start of the file. */
export interface OpenFile {
  /** Reads up to `into.length` bytes; gives the number read, 0 at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes at `position`; gives the number of bytes written, which may be fewer than asked. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  truncate(nBytes: number): Promise<void>;
  size(): Promise<number>;
  /** Returns once the content is on the disk (fsync). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * How a file is opened: `read` (must exist), `replace` (made, or emptied), `create` (must not exist),
 * `update` (made if missing, content kept).
 */
export type OpenMode = "read" | "replace" | "create" | "update";

/**
 * Every file operation of a run folder. Nothing else in this directory touches the disk, so that a
 * test can fail any operation, or stop the world before or after it.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  link(existing: string, added: string): Promise<void>;
  unlink(path: string): Promise<void>;
  mkdir(path: string): Promise<void>;
  /** Removes an empty directory. */
  rmdir(path: string): Promise<void>;
  /** Names in a directory, sorted. */
  list(dir: string): Promise<string[]>;
  /** Returns once the names in the directory are on the disk (fsync of the directory). */
  syncDir(dir: string): Promise<void>;
  /** Sets the time of the last change to now. */
  touch(path: string): Promise<void>;
  /** Time of the last change, in ms since 1970. */
  changedMs(path: string): Promise<number>;
}

const flags = {
  read: constants.O_RDONLY,
  replace: constants.O_RDWR | constants.O_CREAT | constants.O_TRUNC,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
  update: constants.O_RDWR | constants.O_CREAT,
} satisfies Record<OpenMode, number>;

/** The file system of the machine, through Node. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    const handle = await open(path, flags[mode]);
    return {
      read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
      write: async (bytes, position) =>
        (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
      truncate: (nBytes) => handle.truncate(nBytes),
      size: async () => (await handle.stat()).size,
      sync: () => handle.sync(),
      close: () => handle.close(),
    };
  },
  rename,
  link,
  unlink,
  async mkdir(path) {
    await mkdir(path);
  },
  rmdir,
  list: async (dir) => (await readdir(dir)).toSorted(),
  async syncDir(dir) {
    if (process.platform === "win32") return; // Windows opens no directory, and journals its renames
    const handle = await open(dir, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  async touch(path) {
    const now = new Date();
    await utimes(path, now, now);
  },
  changedMs: async (path) => (await stat(path)).mtimeMs,
};

/** The code of a system error (`ENOSPC`), or `undefined` for any other error. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}

/** Runs an operation for which a missing file is no error; gives `undefined` then. */
export async function unlessMissing<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes all of `bytes`, in as many writes as it takes. */
export async function writeAll(file: OpenFile, bytes: Uint8Array, position: number): Promise<void> {
  let nDone = 0;
  while (nDone < bytes.length) {
    const nWritten = await file.write(bytes.subarray(nDone), position + nDone);
    if (nWritten <= 0) throw new Error("a write made no progress");
    nDone += nWritten;
  }
}

/** Fills `into`, or as much of it as the file holds; gives the number of bytes read. */
export async function readAll(file: OpenFile, into: Uint8Array, position: number): Promise<number> {
  let nDone = 0;
  while (nDone < into.length) {
    const nRead = await file.read(into.subarray(nDone), position + nDone);
    if (nRead === 0) break;
    nDone += nRead;
  }
  return nDone;
}

/** Runs `use` with an open file and closes it; an error of closing counts, as the data may be lost. */
export async function withFile<T>(
  fs: FileSystem,
  path: string,
  mode: OpenMode,
  use: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const file = await fs.open(path, mode);
  let result: T;
  try {
    result = await use(file);
  } catch (error) {
    await file.close().catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  await file.close();
  return result;
}

/**
 * Writes a file whole and on the disk, or not at all: a temporary file beside it is filled and
 * synced; `beforeRename` runs; it takes the name; the directory is synced. When anything up to the
 * rename fails, the temporary file is removed and the error thrown: a failed sync is not tried again,
 * since the system may have dropped the pages that it could not write.
 */
export async function commitFile(
  fs: FileSystem,
  paths: { dir: string; name: string },
  fill: (file: OpenFile) => Promise<void>,
  beforeRename?: () => Promise<void>,
): Promise<void> {
  const path = `${paths.dir}/${paths.name}`;
  const temporary = `${path}.tmp`;
  try {
    await withFile(fs, temporary, "replace", async (file) => {
      await fill(file);
      await file.sync();
    });
    await beforeRename?.();
    await fs.rename(temporary, path);
  } catch (error) {
    await fs.unlink(temporary).catch(() => undefined); // the first error is the one to tell
    throw error;
  }
  await fs.syncDir(paths.dir);
}

/** Reads a whole file as text; `undefined` when there is none. */
export async function readText(fs: FileSystem, path: string): Promise<string | undefined> {
  return unlessMissing(
    withFile(fs, path, "read", async (file) => {
      const bytes = new Uint8Array(await file.size());
      return new TextDecoder().decode(bytes.subarray(0, await readAll(file, bytes, 0)));
    }),
  );
}
