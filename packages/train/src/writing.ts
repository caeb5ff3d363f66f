import { UserError } from "@duelo/core";
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { onDisk } from "./run/disk-failure.ts";
import { commitFile, nodeFileSystem, writeAll } from "./run/file-system.ts";

/** Throws UserError where a file or folder cannot be made; folders above it may be missing. */
export function demandWritable(path: string, kind: "file" | "folder"): void {
  if (path === "") throw new UserError(`The place to write to is empty. Name a ${kind}.`);
  const refusal = (why: string): UserError =>
    new UserError(`${path} cannot be written: ${why}. Choose another place.`);
  const place = resolve(path);
  const isThere = existsSync(place);
  const isFolder = isThere && statSync(place).isDirectory();
  if (isThere && isFolder !== (kind === "folder"))
    throw refusal(`it is a ${isFolder ? "folder" : "file"}`);
  let above = isFolder ? place : dirname(place);
  while (!existsSync(above)) above = dirname(above);
  if (!statSync(above).isDirectory()) throw refusal(`${above} is no folder`);
  try {
    accessSync(above, constants.W_OK);
  } catch {
    throw refusal(`nothing may be made in ${above}`);
  }
}

/** Writes many files into a folder, one after the other. Throws FailureError. */
export async function writeInto(
  folder: string,
  files: readonly (readonly [name: string, bytes: Uint8Array])[],
): Promise<void> {
  await onDisk({ task: `write into ${folder}`, safe: "The run itself is unchanged." }, async () => {
    await mkdir(folder, { recursive: true });
    for (const [name, bytes] of files)
      await commitFile(nodeFileSystem, { dir: folder, name }, (file) => writeAll(file, bytes, 0));
  });
}

/** Writes a file whole or not at all, and the folders that it needs. Throws FailureError. */
export async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const [dir, name] = [dirname(resolve(path)), basename(path)];
  await onDisk({ task: `write ${path}`, safe: "What was written before is whole." }, async () => {
    await mkdir(dir, { recursive: true });
    await commitFile(nodeFileSystem, { dir, name }, (file) => writeAll(file, bytes, 0));
  });
}
