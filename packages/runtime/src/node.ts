import { UserError } from "@duelo/core";
import { availableParallelism } from "node:os";
import * as ort from "onnxruntime-node";
import { OrtRuntime } from "./ort-runtime.ts";
import { nodeDevices, whatIsMissing } from "./probe.ts";
import { checkedThreads, type DeviceReport, type Runtime, type RuntimeOptions } from "./session.ts";

export * from "./session.ts";
export { estimateMemory } from "./memory.ts";

/**
 * Opens ONNX Runtime in Node. On `webgpu` state stays on the GPU; on `cuda` it crosses to the host and
 * back at every run. Throws UserError when the device is not there.
 */
export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { device = "cpu", threads = availableParallelism() } = options;
  const known = nodeDevices.find((d) => d === device);
  if (known === undefined) {
    throw new UserError(`Device ${device} is for browsers. Here it is cpu, webgpu or cuda.`);
  }
  const why = await whatIsMissing(known);
  if (why !== undefined) throw new UserError(`Device ${device} is not available: ${why}`);
  return new OrtRuntime({
    device,
    threads: checkedThreads(threads),
    ort,
    sessionOptions: {
      executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableMemPattern: false, // one block for all values of a step takes 1.4 times the memory
      logSeverityLevel: 3,
    },
  });
}

/** Every device of Node, and whether it can be used here. */
export async function devices(): Promise<DeviceReport[]> {
  const reports = nodeDevices.map(async (device): Promise<DeviceReport> => {
    const why = await whatIsMissing(device);
    return why === undefined ? { device, available: true } : { device, available: false, why };
  });
  return Promise.all(reports);
}
