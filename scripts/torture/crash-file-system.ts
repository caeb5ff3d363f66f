import type { FileSystem, OpenFile, OpenMode } from "../../packages/train/src/run/file-system.ts";

/** More files than this are never unsynced at once, unless a sync was forgotten. */
const maxDirty = 3;

/** More changes of names than this never wait for a sync, unless one was forgotten. */
const maxPending = 10;

/** A file's content: what the disk surely holds, and what the system would read back now. */
type Content = { durable: Uint8Array; current: Uint8Array };
type Entry = Content | "directory";
/** A change of names that the disk may hold or not hold until the directory is synced. */
type NameChange = { dir: string; remove?: string; set?: [path: string, entry: Entry] };

/**
 * A file system in memory that knows what a power cut may leave of it. The model is as harsh as POSIX
 * allows: content that was not synced may be lost, zeroed, or torn, and of the changes of names in
 * directories that were not synced any subset may have reached the disk. Only a single rename is
 * all or nothing.
 */
export class CrashFileSystem implements FileSystem {
  /** Called after every operation that changes something, with its name. */
  onChange: (operation: string) => void = () => undefined;
  #names = new Map<string, Entry>();
  #durableNames = new Map<string, Entry>();
  #pending: NameChange[] = [];

  async open(path: string, mode: OpenMode): Promise<OpenFile> {
    this.#demandDirectory(parent(path));
    let content = this.#names.get(path);
    if (content === "directory") throw systemError("EISDIR");
    if (mode === "read" && !content) throw systemError("ENOENT");
    if (mode === "create" && content) throw systemError("EEXIST");
    if (!content) {
      content = { durable: new Uint8Array(), current: new Uint8Array() };
      this.#change("open", { dir: parent(path), set: [path, content] });
    } else if (mode === "replace") {
      content.current = new Uint8Array();
      this.onChange("open");
    }
    return this.#openFile(content);
  }

  async rename(from: string, to: string): Promise<void> {
    const entry = this.#demand(from);
    if (entry === this.#names.get(to)) return; // two names of one file: POSIX does nothing
    this.#change("rename", { dir: parent(from), remove: from, set: [to, entry] });
  }

  async link(existing: string, added: string): Promise<void> {
    const entry = this.#demand(existing);
    if (this.#names.has(added)) throw systemError("EEXIST");
    this.#change("link", { dir: parent(added), set: [added, entry] });
  }

  async unlink(path: string): Promise<void> {
    this.#demand(path);
    this.#change("unlink", { dir: parent(path), remove: path });
  }

  async mkdir(path: string): Promise<void> {
    this.#demandDirectory(parent(path));
    if (this.#names.has(path)) throw systemError("EEXIST");
    this.#change("mkdir", { dir: parent(path), set: [path, "directory"] });
  }

  async rmdir(path: string): Promise<void> {
    if ((await this.list(path)).length > 0) throw systemError("ENOTEMPTY");
    this.#change("rmdir", { dir: parent(path), remove: path });
  }

  async list(dir: string): Promise<string[]> {
    this.#demandDirectory(dir);
    const paths = [...this.#names.keys()].filter((path) => parent(path) === dir);
    return paths.map((path) => path.slice(dir.length + 1)).toSorted();
  }

  async syncDir(path: string): Promise<void> {
    const dir = path === "/" ? "" : path;
    this.#demandDirectory(dir);
    const isHere = (change: NameChange) => change.dir === dir;
    for (const change of this.#pending.filter(isHere)) apply(this.#durableNames, change);
    this.#pending = this.#pending.filter((change) => !isHere(change));
    this.onChange("syncDir");
  }

  async touch(path: string): Promise<void> {
    this.#demand(path);
  }

  async changedMs(path: string): Promise<number> {
    this.#demand(path);
    return 0;
  }

  /** Flips one bit of a file, or cuts it to `nBytes`: damage that no operation did. */
  damage(path: string, how: { bit: number } | { nBytes: number }): void {
    const content = this.#demand(path);
    if (content === "directory") throw systemError("EISDIR");
    const bytes = content.current.slice();
    if ("nBytes" in how) content.current = bytes.slice(0, how.nBytes);
    else {
      bytes[how.bit >> 3] = (bytes[how.bit >> 3] ?? 0) ^ (1 << (how.bit & 7));
      content.current = bytes;
    }
    content.durable = content.current;
  }

  /** Every state in which a power cut at this instant may leave the disk; none twice. */
  crashStates(): Map<string, CrashFileSystem> {
    const states = new Map<string, CrashFileSystem>();
    if (this.#pending.length > maxPending) {
      throw new Error(`${this.#pending.length} changes of names are not synced at once`);
    }
    for (let subset = 0; subset < 2 ** this.#pending.length; subset++) {
      const names = new Map(this.#durableNames);
      this.#pending.forEach((change, i) => {
        if (subset & (1 << i)) apply(names, change);
      });
      const contents = [...new Set(names.values())].filter((entry) => entry !== "directory");
      const nDirty = contents.filter(({ durable, current }) => durable !== current).length;
      if (nDirty > maxDirty) throw new Error(`${nDirty} files are not synced at once`);
      for (const choice of choices(contents)) {
        const state = CrashFileSystem.#from(names, choice);
        states.set(state.describe(), state);
      }
    }
    return states;
  }

  /** All names and contents as text: equal for equal states. */
  describe(): string {
    const lines = [...this.#names].map(([path, entry]) => {
      const text = entry === "directory" ? "/" : Buffer.from(entry.current).toString("latin1");
      return `${path} ${text}`;
    });
    return lines.toSorted().join("\n");
  }

  static #from(names: Map<string, Entry>, choice: Map<Content, Uint8Array>): CrashFileSystem {
    const state = new CrashFileSystem();
    const copies = new Map<Entry, Entry>([["directory", "directory"]]);
    for (const [content, bytes] of choice) copies.set(content, { durable: bytes, current: bytes });
    for (const [path, entry] of names) {
      if (isLost(names, path)) continue;
      state.#durableNames.set(path, copies.get(entry) ?? entry);
    }
    state.#names = new Map(state.#durableNames);
    return state;
  }

  #openFile(content: Content): OpenFile {
    const changed = (operation: string, bytes: Uint8Array) => {
      content.current = bytes;
      this.onChange(operation);
    };
    return {
      async read(into, position) {
        const bytes = content.current.subarray(position, position + into.length);
        into.set(bytes);
        return bytes.length;
      },
      async write(bytes, position) {
        const grown = new Uint8Array(Math.max(content.current.length, position + bytes.length));
        grown.set(content.current);
        grown.set(bytes, position);
        changed("write", grown);
        return bytes.length;
      },
      async truncate(nBytes) {
        changed("truncate", content.current.slice(0, nBytes));
      },
      size: async () => content.current.length,
      sync: async () => {
        content.durable = content.current;
        this.onChange("sync");
      },
      close: async () => undefined,
    };
  }

  #change(operation: string, change: NameChange): void {
    apply(this.#names, change);
    this.#pending.push(change);
    this.onChange(operation);
  }

  #demand(path: string): Entry {
    const entry = this.#names.get(path);
    if (!entry) throw systemError("ENOENT");
    return entry;
  }

  #demandDirectory(dir: string): void {
    if (dir !== "" && this.#names.get(dir) !== "directory") throw systemError("ENOENT");
  }
}

/** An error as Node gives it for a failed system call. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}

function parent(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function apply(names: Map<string, Entry>, { remove, set }: NameChange): void {
  if (remove !== undefined) names.delete(remove);
  if (set) names.set(...set);
}

/** Whether a directory on the way to `path` is not there. */
function isLost(names: Map<string, Entry>, path: string): boolean {
  for (let dir = parent(path); dir !== ""; dir = parent(dir)) {
    if (!names.has(dir)) return true;
  }
  return false;
}

/** Every combination of what may be left of each content. */
function choices(contents: readonly Content[]): Map<Content, Uint8Array>[] {
  let combined: Map<Content, Uint8Array>[] = [new Map()];
  for (const content of contents) {
    combined = combined.flatMap((chosen) =>
      remains(content).map((bytes) => new Map(chosen).set(content, bytes)),
    );
  }
  return combined;
}

/**
 * What may be left of a content: the synced one, the new one, and the new one with what it changed
 * zeroed, cut in the middle, or zeroed from the middle on. Synced bytes that come before the first
 * change are not written again, so they stay.
 */
function remains({ durable, current }: Content): Uint8Array[] {
  if (durable === current) return [current];
  const different = current.findIndex((byte, i) => byte !== durable[i]);
  const kept = different < 0 ? Math.min(durable.length, current.length) : different;
  const half = (kept + current.length) >> 1;
  return [
    durable,
    current,
    current.slice().fill(0, kept),
    current.slice(0, half),
    current.slice().fill(0, half),
  ];
}
