import { UserError } from "@duelo/core";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { errorCode, nodeFileSystem, withFile } from "../run/file-system.ts";
import { DamagedFileError, readSafetensors } from "../run/safetensors.ts";
import type { StateDict } from "./state-dict.ts";
import { readTorchFile } from "./torch-file.ts";

/**
 * The weights of a file: safetensors by its ending, else what `torch.save` wrote. Nothing in a file
 * can run. `key` names one of several sets of weights in a PyTorch file. Throws UserError.
 */
export async function readWeights(request: { path: string; key?: string }): Promise<StateDict> {
  const { path, key } = request;
  await demandFile(path);
  try {
    if (!path.endsWith(".safetensors")) return await readTorchFile(path, key);
    const { tensors } = await withFile(nodeFileSystem, path, "read", (file) =>
      readSafetensors(file),
    );
    const entries = Object.entries(tensors);
    return {
      tensors: Object.fromEntries(entries.filter(([, t]) => t.dtype === "float32")),
      leftOut: entries.flatMap(([name, t]) => (t.dtype === "float32" ? [] : [name])),
    };
  } catch (error) {
    if (error instanceof DamagedFileError)
      throw new UserError(`${path} is not used: ${error.message}.`);
    throw unreadable(path, error);
  }
}

/** Of what stands in files, one after the other. Throws UserError. */
export async function digestOf(paths: readonly string[]): Promise<string> {
  const digest = createHash("sha256");
  for (const path of paths) {
    await demandFile(path);
    try {
      for await (const part of createReadStream(path)) digest.update(part as Uint8Array);
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  return digest.digest("hex");
}

/** Throws UserError for what is no regular file: a device may never end. */
async function demandFile(path: string): Promise<void> {
  const found = await stat(path).catch((error: unknown) => {
    throw unreadable(path, error);
  });
  if (!found.isFile())
    throw new UserError(
      `${path} is ${found.isDirectory() ? "a folder" : "no regular file"}. Name a file of weights: .safetensors, .pth or .pt.`,
    );
}

function unreadable(path: string, error: unknown): unknown {
  const code = errorCode(error);
  if (code === "ENOENT") return new UserError(`There is no file ${path}.`);
  if (code !== undefined) return new UserError(`${path} cannot be read (${code}).`);
  return error;
}
