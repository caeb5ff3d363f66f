import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { softwareVulkan } from "./webgpu/vulkan.ts";

const call = promisify(execFile);
type Results = Record<string, Record<string, number[]>>;

async function resultsOn(device: string, env: Record<string, string>): Promise<Results> {
  const script = new URL("webgpu/child.ts", import.meta.url).pathname;
  const args = ["--import", "tsx", "--conditions=source", script, device];
  const { stdout } = await call(process.execPath, args, { env: { ...process.env, ...env } });
  return JSON.parse(stdout) as Results;
}

const vulkan = await softwareVulkan();
const why = "missing" in vulkan ? vulkan.missing : undefined;

describe("training on WebGPU through a software Vulkan driver", () => {
  it("gives the CPU's losses, weights and slots", { timeout: 300_000 }, async (context) => {
    context.skip(why !== undefined, why);
    const gpu = await resultsOn("webgpu", "env" in vulkan ? vulkan.env : {});
    const cpu = await resultsOn("cpu", {});
    expect(Object.keys(gpu)).toEqual(Object.keys(cpu));
    for (const [trial, tensors] of Object.entries(cpu)) {
      expect(Object.keys(tensors).length).toBeGreaterThan(3);
      for (const [name, values] of Object.entries(tensors)) {
        const got = gpu[trial]?.[name] ?? [];
        expect(got.length).toBe(values.length);
        const worst = values.reduce((w, v, i) => Math.max(w, Math.abs(v - (got[i] ?? NaN))), 0);
        expect(worst, `${trial}: ${name}`).toBeLessThan(1e-5);
      }
    }
  });
});
