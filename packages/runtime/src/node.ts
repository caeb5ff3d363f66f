import { blockProbe, toOnnx, useBlockedConvs, UserError, type Graph } from "@duelo/core";
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
  const block = device === "cpu" ? await blockOfCpu() : 1;
  return new OrtRuntime({
    device,
    threads: checkedThreads(threads),
    ort,
    ...(block > 1 ? { specialize: (graph: Graph) => useBlockedConvs(graph, { block }) } : {}),
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

let cpuBlock: Promise<number> | undefined;

/** Channels in a block of ONNX Runtime's convolutions on this processor; 1 where it has none. */
function blockOfCpu(): Promise<number> {
  cpuBlock ??= probeBlock().catch(() => 1); // it refuses to load the probe where it has none
  return cpuBlock;
}

async function probeBlock(): Promise<number> {
  const options = { executionProviders: ["cpu"], logSeverityLevel: 4 } as const;
  const session = await ort.InferenceSession.create(toOnnx(blockProbe()), options);
  const results = await session.run({
    x: new ort.Tensor("float32", new Float32Array(4), [1, 4, 1, 1]),
  });
  await session.release();
  return results["y"]?.size ?? 1;
}

/** Every device of Node, and whether it can be used here. */
export async function devices(): Promise<DeviceReport[]> {
  const reports = nodeDevices.map(async (device): Promise<DeviceReport> => {
    const why = await whatIsMissing(device);
    return why === undefined ? { device, available: true } : { device, available: false, why };
  });
  return Promise.all(reports);
}
