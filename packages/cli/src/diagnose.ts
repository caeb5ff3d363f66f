import { conv, input, mean } from "@duelo/core";
import { devices, openRuntime, type DeviceReport } from "@duelo/runtime";
import { namedSets } from "@duelo/train";
import { createRequire } from "node:module";
import { arch, availableParallelism, cpus, freemem, platform, release, totalmem } from "node:os";
import { byteSize, figures, table } from "./format.ts";
import { version } from "./version.ts";

/** What this machine offers to Duelo. */
export interface Diagnosis {
  readonly versions: {
    readonly duelo: string;
    readonly node: string;
    readonly onnxruntime: string;
  };
  readonly system: string;
  readonly processor: string;
  readonly threads: number;
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly devices: readonly DeviceReport[];
  readonly dataSets: readonly {
    readonly name: string;
    readonly installed: boolean;
    /** How to get it. */
    readonly get: string;
  }[];
  /** Of a 3x3 convolution of 64 to 64 channels on the CPU; the best of 5. */
  readonly convGflops: number;
}

/** Looks at versions, devices, memory and data sets, and measures one convolution. */
export async function diagnose(): Promise<Diagnosis> {
  return {
    versions: { duelo: version(), node: process.versions.node, onnxruntime: runtimeVersion() },
    system: `${platform()} ${release()}, ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    threads: availableParallelism(),
    memory: { totalBytes: totalmem(), freeBytes: freemem() },
    devices: await devices(),
    dataSets: namedSets.map((s) => ({
      name: s.name,
      installed: s.find() !== undefined,
      get: s.get,
    })),
    convGflops: await measureConv(),
  };
}

function runtimeVersion(): string {
  const ofRuntime = createRequire(createRequire(import.meta.url).resolve("@duelo/runtime"));
  return (ofRuntime("onnxruntime-node/package.json") as { version: string }).version;
}

function waves(shape: readonly number[]) {
  const size = shape.reduce((a, b) => a * b);
  const data = Float32Array.from({ length: size }, (_, i) => Math.sin(i));
  return { dtype: "float32", shape, data } as const;
}

async function measureConv(): Promise<number> {
  const [n, c, size, k] = [32, 64, 32, 3];
  const x = input("x", { shape: [n, c, size, size] });
  const w = input("w", { shape: [c, c, k, k] });
  const y = mean(conv(x, w, { pads: 1 })); // one number, so that nothing large leaves the graph
  const runtime = await openRuntime();
  const program = await runtime.compile({ inputs: [x, w], outputs: { y } }, { name: "doctor" });
  const feeds = { x: waves(x.shape), w: waves(w.shape) };
  let bestMs = Infinity;
  for (let i = 0; i < 6; i++) {
    const beganMs = performance.now();
    await program.run(feeds);
    if (i > 0) bestMs = Math.min(bestMs, performance.now() - beganMs); // the first one warms up
  }
  await program.close();
  await runtime.close();
  return (2 * n * c * c * k * k * size * size) / bestMs / 1e6;
}

/** A diagnosis as text, for a person. */
export function diagnosisText(d: Diagnosis): string {
  const { versions, memory } = d;
  const facts = table([
    ["duelo", versions.duelo],
    ["node", versions.node],
    ["onnxruntime", versions.onnxruntime],
    ["system", d.system],
    ["processor", `${d.processor}, ${d.threads} threads`],
    ["memory", `${byteSize(memory.totalBytes)}, ${byteSize(memory.freeBytes)} free`],
    ["speed", `${figures(d.convGflops)} GFLOP/s in a 3x3 convolution on the CPU`],
  ]);
  const found = d.devices.map((v) => [
    v.device,
    v.available ? "available" : `not available: ${v.why ?? "unknown"}`,
  ]);
  const sets = d.dataSets.map((s) => [
    s.name,
    s.installed ? "installed" : `not installed. ${s.get}`,
  ]);
  return `${facts}\nDevices\n${table(found, "  ")}\nData sets\n${table(sets, "  ")}`;
}
