import { UserError } from "@duelo/core";
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
    const code = errorCode(error);
    if (code === "ENOENT") throw new UserError(`There is no file ${path}.`);
    if (code !== undefined) throw new UserError(`${path} cannot be read (${code}).`);
    throw error;
  }
}
