import { UserError } from "@duelo/core";
import { availableParallelism } from "node:os";
import * as ort from "onnxruntime-node";
import { OrtRuntime } from "./ort-runtime.ts";
import type { Device, DeviceReport, Runtime, RuntimeOptions } from "./session.ts";

export * from "./session.ts";
export { estimateMemory } from "./memory.ts";

/** Opens ONNX Runtime in Node. Throws UserError when the device is not there. */
export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { device = "cpu", threads = availableParallelism() } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UserError(`Threads must be a whole number from 1 up, not ${threads}.`);
  }
  const runtime = new OrtRuntime({
    device,
    threads,
    ort,
    sessionOptions: {
      executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      logSeverityLevel: 3,
    },
  });
  return runtime;
}

export async function devices(): Promise<DeviceReport[]> {
  const all: Device[] = ["cpu"];
  return all.map((device) => ({ device, available: true }));
}
