import type { FileSystem, OpenFile } from "../../packages/train/src/run/file-system.ts";

/** What comes before one file operation: throw to fail it, or give the most bytes to write. */
export type BeforeOperation = (operation: string, path: string) => number | void;

/** Calls `before` ahead of every operation of `fs`. */
export function intercept(fs: FileSystem, before: BeforeOperation): FileSystem {
  const file = (path: string, open: OpenFile): OpenFile => ({
    async read(into, position) {
      before("read", path);
      return open.read(into, position);
    },
    async write(bytes, position) {
      const nBytes = before("write", path) ?? bytes.length;
      return open.write(bytes.subarray(0, nBytes), position);
    },
    async truncate(nBytes) {
      before("truncate", path);
      return open.truncate(nBytes);
    },
    size: () => open.size(),
    async sync() {
      before("sync", path);
      return open.sync();
    },
    async close() {
      await open.close(); // the file is closed even when closing tells of an error
      before("close", path);
    },
  });
  return {
    async open(path, mode) {
      before("open", path);
      return file(path, await fs.open(path, mode));
    },
    async rename(from, to) {
      before("rename", from);
      return fs.rename(from, to);
    },
    async link(existing, added) {
      before("link", added);
      return fs.link(existing, added);
    },
    async unlink(path) {
      before("unlink", path);
      return fs.unlink(path);
    },
    async mkdir(path) {
      before("mkdir", path);
      return fs.mkdir(path);
    },
    async rmdir(path) {
      before("rmdir", path);
      return fs.rmdir(path);
    },
    async list(dir) {
      before("list", dir);
      return fs.list(dir);
    },
    async syncDir(dir) {
      before("syncDir", dir);
      return fs.syncDir(dir);
    },
    async touch(path) {
      before("touch", path);
      return fs.touch(path);
    },
    changedMs: (path) => fs.changedMs(path),
  };
}
