import * as ort from "#ort-web";
import { UserError } from "@duelo/core";
import { OrtRuntime } from "./ort-runtime.ts";
import {
  checkedThreads,
  type Device,
  type DeviceReport,
  type Runtime,
  type RuntimeOptions,
} from "./session.ts";

export * from "./session.ts";
export { estimateMemory } from "./memory.ts";

/** What a browser may offer; under Node nothing of it is there. */
interface Surroundings {
  readonly navigator?: {
    readonly hardwareConcurrency?: number;
    readonly gpu?: { requestAdapter(): Promise<object | null> };
  };
  readonly crossOriginIsolated?: boolean;
}
const { navigator, crossOriginIsolated }: Surroundings = globalThis;

/**
 * Opens ONNX Runtime in a browser, or its WASM under Node. The first call settles how many threads
 * `wasm` has; a page that is not cross-origin isolated has one. Throws UserError when the device is
 * not there.
 */
export async function openRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  const { device = "wasm", threads = navigator?.hardwareConcurrency ?? 1 } = options;
  const why = await whatIsMissing(device);
  if (why !== undefined) throw new UserError(`Device ${device} is not available: ${why}`);
  const nThreads = crossOriginIsolated === false ? 1 : checkedThreads(threads);
  ort.env.wasm.numThreads = nThreads;
  return new OrtRuntime({
    device,
    threads: nThreads,
    ort,
    sessionOptions: {
      executionProviders: device === "wasm" ? ["wasm"] : [device, "wasm"],
      graphOptimizationLevel: "all",
      executionMode: "sequential",
      enableMemPattern: false, // as in node.ts
      logSeverityLevel: 3,
    },
  });
}

/** Every device of a browser, and whether it can be used here. */
export async function devices(): Promise<DeviceReport[]> {
  const reports = (["wasm", "webgpu"] as const).map(async (device): Promise<DeviceReport> => {
    const why = await whatIsMissing(device);
    return why === undefined ? { device, available: true } : { device, available: false, why };
  });
  return Promise.all(reports);
}

async function whatIsMissing(device: Device): Promise<string | undefined> {
  if (device === "wasm") return undefined;
  if (device !== "webgpu") return "a browser has wasm and webgpu.";
  if (navigator?.gpu === undefined) return "this browser has no WebGPU. Use wasm.";
  const adapter = await navigator.gpu.requestAdapter().catch(() => null);
  return adapter === null ? "this browser found no GPU for WebGPU. Use wasm." : undefined;
}
