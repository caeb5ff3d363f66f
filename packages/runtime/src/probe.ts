import { add, input, toOnnx } from "@duelo/core";
import { execFile } from "node:child_process";
import type { Device } from "./session.ts";

/** Devices that Node can have. */
export const nodeDevices = ["cpu", "webgpu", "cuda"] as const satisfies readonly Device[];
type NodeDevice = (typeof nodeDevices)[number];

export const missing: Record<Exclude<NodeDevice, "cpu">, string> = {
  webgpu:
    "ONNX Runtime found no GPU that it can use. On Linux it needs the GPU's Vulkan driver and the package libvulkan1.",
  cuda: "the CUDA part of onnxruntime-node is not installed, or CUDA 12 and cuDNN 9 are not. On Linux x64 with an NVIDIA GPU, run `npm rebuild onnxruntime-node --ignore-scripts=false --onnxruntime-node-install=cuda12`.",
};

/**
 * What a device lacks, or undefined when it works. It is tried in a process of its own, since a GPU
 * driver can end the process that asks for it.
 */
export async function whatIsMissing(device: NodeDevice): Promise<string | undefined> {
  if (device === "cpu") return undefined;
  const x = input("x", { shape: [1] });
  const model = Buffer.from(toOnnx({ inputs: [x], outputs: { y: add(x, 1) } })).toString("base64");
  const script = `
    const { InferenceSession, Tensor } = await import(${JSON.stringify(import.meta.resolve("onnxruntime-node"))});
    const model = Buffer.from("${model}", "base64");
    const session = await InferenceSession.create(model, { executionProviders: ["${device}"] });
    const { y } = await session.run({ x: new Tensor("float32", Float32Array.of(1), [1]) });
    process.exit(y.data[0] === 2 ? 0 : 1);`;
  const args = ["--input-type=module", "--eval", script];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { timeout: 60_000 }, (error) => {
      resolve(error === null ? undefined : missing[device]);
    });
  });
}
