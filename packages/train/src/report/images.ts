import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { onDisk } from "../run/disk-failure.ts";
import { encodeImages, type Pixels } from "./grid.ts";

/**
 * Writes each picture as a PNG of its own, `000000.png`, `000001.png`, … in a folder that is made
 * when it is not there, and gives their paths.
 * @throws FailureError when the disk refuses, e.g. because it is full
 */
export async function writeImages(options: Pixels & { readonly dir: string }): Promise<string[]> {
  const { dir } = options;
  const files = await encodeImages(options);
  return onDisk(
    { task: `write pictures to ${dir}`, safe: "Nothing else was changed." },
    async () => {
      await mkdir(dir, { recursive: true });
      const paths: string[] = [];
      for (const [i, bytes] of files.entries()) {
        const path = join(dir, `${String(i).padStart(6, "0")}.png`);
        await writeFile(path, bytes);
        paths.push(path);
      }
      return paths;
    },
  );
}
