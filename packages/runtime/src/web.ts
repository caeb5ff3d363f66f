import { UserError } from "@duelo/core";
import * as ort from "onnxruntime-web";
import { OrtRuntime } from "./ort-runtime.ts";
import type { Device, DeviceReport, Runtime, RuntimeOptions } from "./session.ts";

export * from "./session.ts";
export { estimateMemory } from "./memory.ts";

/** Opens ONNX Runtime in a browser, or its WASM under Node. Throws UserError when the device is not there. */
export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { device = "wasm", threads = navigator.hardwareConcurrency } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UserError(`Threads must be a whole number from 1 up, not ${threads}.`);
  }
  ort.env.wasm.numThreads = threads;
  return new OrtRuntime({
    device,
    threads,
    ort,
    sessionOptions: {
      executionProviders: [device],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
    },
  });
}

export async function devices(): Promise<DeviceReport[]> {
  const all: Device[] = ["wasm"];
  return all.map((device) => ({ device, available: true }));
}
