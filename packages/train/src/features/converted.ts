import { createHash } from "node:crypto";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../run/disk-failure.ts";
import { commitFile, nodeFileSystem, unlessMissing, writeAll } from "../run/file-system.ts";

export const sha256 = (data: Uint8Array | string): string =>
  createHash("sha256").update(data).digest("hex");

/**
 * A network that was converted to ONNX, which is kept in the cache folder: made by `make` once, and
 * again when the kept file was damaged.
 * @param o.key what it was made of, and by which rules: another key makes another file
 */
export async function convertedNetwork(o: {
  readonly cacheDir: string;
  readonly name: string;
  readonly key: string;
  make(): Promise<Uint8Array>;
}): Promise<{ readonly path: string; readonly bytes: Uint8Array; readonly digest: string }> {
  const dir = join(o.cacheDir, "networks");
  const prefix = `${o.name}-${sha256(o.key).slice(0, 16)}-`;
  const kept = ((await unlessMissing(readdir(dir))) ?? []).find(
    (f) => f.startsWith(prefix) && f.endsWith(".onnx"),
  );
  if (kept !== undefined) {
    const path = join(dir, kept);
    const bytes = await unlessMissing(readFile(path));
    const digest = kept.slice(prefix.length, -".onnx".length);
    if (bytes !== undefined && sha256(bytes) === digest) return { path, bytes, digest };
  }
  const bytes = await o.make();
  const digest = sha256(bytes);
  const name = `${prefix}${digest}.onnx`;
  const path = join(dir, name);
  await onDisk({ task: `write ${path}`, safe: "Nothing else was changed." }, async () => {
    await mkdir(dir, { recursive: true });
    await commitFile(nodeFileSystem, { dir, name }, (file) => writeAll(file, bytes, 0));
  });
  return { path, bytes, digest };
}
