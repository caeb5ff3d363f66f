import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const call = promisify(execFile);

/** Environment of a process whose Vulkan is SwiftShader, which needs no GPU; or why there is none. */
export type Vulkan = { readonly env: Record<string, string> } | { readonly missing: string };

/**
 * Debian's Chromium brings SwiftShader and a Vulkan loader. Where it is not installed, its package is
 * downloaded and unpacked into a temporary folder that is kept for the next time; nothing is installed.
 */
export async function softwareVulkan(): Promise<Vulkan> {
  const unpacked = join(tmpdir(), "duelo-swiftshader");
  const places = ["/usr/lib/chromium", join(unpacked, "usr/lib/chromium")];
  const found = (): string | undefined =>
    places.find((p) => existsSync(join(p, "vk_swiftshader_icd.json")));
  if (found() === undefined) {
    const problem = await unpack(unpacked).catch((error: unknown) => String(error));
    if (problem !== undefined) {
      return {
        missing: `Debian's chromium-common could not be fetched: ${problem.split("\n")[0]}`,
      };
    }
  }
  const place = found();
  if (place === undefined) return { missing: "Debian's chromium-common has no SwiftShader" };
  return {
    env: { VK_DRIVER_FILES: join(place, "vk_swiftshader_icd.json"), LD_LIBRARY_PATH: place },
  };
}

async function unpack(folder: string): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  const download = () => call("apt-get", ["download", "chromium-common"], { cwd: folder });
  await download().catch(async () => {
    await call("apt-get", ["update"]);
    await download();
  });
  const deb = (await readdir(folder)).find((f) => f.endsWith(".deb"));
  if (deb === undefined) return "apt-get left no file";
  await call("dpkg-deb", ["-x", join(folder, deb), folder]);
  return undefined;
}
