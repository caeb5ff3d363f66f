import { add, cast, input, matmul, mul, sub, sum, tanh, toOnnx, type Graph } from "@duelo/core";
import * as node from "@duelo/runtime";
import * as web from "@duelo/runtime/web";
import { describe, expect, it } from "vitest";
import { missing } from "./probe.ts";

const floats = (shape: readonly number[], value: (i: number) => number): node.HostTensor => ({
  dtype: "float32",
  shape,
  data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => value(i)),
});

/** One step of gradient descent on |x w|^2, without its gradient's factor of 2. */
function descent(): Graph {
  const x = input("x", { shape: [8, 16] });
  const w = input("w", { shape: [16, 4] });
  const y = matmul(x, w);
  const gradient = matmul(x, y, { transA: true });
  return {
    inputs: [x, w],
    outputs: { loss: sum(mul(y, y)), "next:w": sub(w, mul(gradient, 0.001)) },
  };
}
const start = { w: floats([16, 4], Math.cos) };
const feeds = { x: floats([8, 16], Math.sin) };

async function descend(runtime: node.Runtime, nSteps: number) {
  const program = await runtime.compile(descent(), { state: { w: "next:w" } });
  const state = runtime.createState(start);
  const losses: number[] = [];
  for (let i = 0; i < nSteps; i++) {
    const { loss } = await program.run(feeds, state);
    losses.push(loss?.data[0] ?? NaN);
  }
  return { losses, state, program };
}

describe.each([
  { name: "node", open: () => node.openRuntime({ threads: 2 }) },
  { name: "web", open: () => web.openRuntime({ threads: 1 }) },
])("the runtime for $name", ({ open }) => {
  it("keeps state between runs and returns the other outputs", async () => {
    const runtime = await open();
    const { losses, state } = await descend(runtime, 5);
    expect(losses.length).toBe(5);
    for (let i = 1; i < 5; i++) expect(losses[i]).toBeLessThan(losses[i - 1] ?? 0);
    const { w } = await state.read();
    expect(w?.shape).toEqual([16, 4]);
    expect(w?.data).not.toEqual(start.w.data);
    expect(start.w.data[1]).toBe(Math.fround(Math.cos(1)));
    await runtime.close();
  });

  it("gives the same bits twice", async () => {
    const runtime = await open();
    const once = await descend(runtime, 5);
    const again = await descend(runtime, 5);
    expect(again.losses).toEqual(once.losses);
    expect(await again.state.read()).toEqual(await once.state.read());
    await runtime.close();
  });

  it("goes on from state that is written as from state that was left", async () => {
    const runtime = await open();
    const straight = await descend(runtime, 4);
    const { state: left } = await descend(runtime, 2);
    const { program, state } = await descend(runtime, 1);
    state.write(await left.read(["w"]));
    await program.run(feeds, state);
    await program.run(feeds, state);
    expect(await state.read()).toEqual(await straight.state.read());
    await runtime.close();
  });

  it("loads a file with its metadata", async () => {
    const x = input("x", { shape: [2] });
    const file = toOnnx(
      { inputs: [x], outputs: { y: tanh(x) } },
      { metadata: { made: "by hand" } },
    );
    const runtime = await open();
    const program = await runtime.load(file);
    expect(program.metadata).toEqual({ made: "by hand" });
    const { y } = await program.run({ x: floats([2], () => 0) });
    expect(y?.data).toEqual(Float32Array.of(0, 0));
    await runtime.close();
  });

  it("says what is wrong with feeds and state", async () => {
    const runtime = await open();
    const { program, state } = await descend(runtime, 1);
    await expect(program.run({}, state)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: input "x" is neither fed nor state]`,
    );
    await expect(
      program.run({ x: floats([3], Math.sin) }, state),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: input "x" is float32 [8, 16], not float32 [3]]`,
    );
    await expect(program.run(feeds)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: input "w" is neither fed nor state]`,
    );
    expect(() => state.write({ v: start.w })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: there is no state "v"]`,
    );
    expect(() => state.write({ w: floats([4], Math.sin) })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: state "w" is float32 [16, 4], not float32 [4]]`,
    );
    await expect(state.read(["v"])).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: there is no state "v"]`,
    );
    const flag = cast(input("x", { shape: [1] }), "bool");
    const graph = { inputs: flag.inputs, outputs: { flag } };
    await expect(runtime.compile(graph)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[TypeError: inputs and outputs are numbers; cast a bool one]`,
    );
    await runtime.close();
  });
});

describe("devices", () => {
  it("are said to be missing in one sentence", async () => {
    await expect(node.openRuntime({ device: "wasm" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Device wasm is for browsers. Here it is cpu, webgpu or cuda.]`,
    );
    await expect(node.openRuntime({ threads: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Threads must be a whole number from 1 up, not 0.]`,
    );
    await expect(web.openRuntime({ device: "webgpu" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Device webgpu is not available: this browser has no WebGPU. Use wasm.]`,
    );
    await expect(web.openRuntime({ device: "cuda" })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[UserError: Device cuda is not available: a browser has wasm and webgpu.]`,
    );
  });

  it("are all reported, the CPU as available", async () => {
    const reports = await node.devices();
    expect(reports.map((r) => r.device)).toEqual(["cpu", "webgpu", "cuda"]);
    expect(reports[0]).toEqual({ device: "cpu", available: true });
    for (const { device, available, why } of reports) {
      expect(why === undefined).toBe(available);
      if (!available) {
        await expect(node.openRuntime({ device })).rejects.toThrow(
          `Device ${device} is not available: ${why}`,
        );
      }
    }
    expect(await web.devices()).toEqual([
      { device: "wasm", available: true },
      { device: "webgpu", available: false, why: "this browser has no WebGPU. Use wasm." },
    ]);
  });

  it("have sentences that say what to install", async () => {
    expect(Object.values(missing)).toMatchInlineSnapshot(`
      [
        "ONNX Runtime found no GPU that it can use. On Linux it needs the GPU's Vulkan driver and the package libvulkan1.",
        "the CUDA part of onnxruntime-node is not installed, or CUDA 12 and cuDNN 9 are not. On Linux x64 with an NVIDIA GPU, run \`npm rebuild onnxruntime-node --ignore-scripts=false --onnxruntime-node-install=cuda12\`.",
      ]
    `);
  });
});

describe("estimateMemory", () => {
  it("counts what is alive at once", () => {
    const x = input("x", { shape: [100] });
    const chain = add(add(add(x, 1), 2), 3);
    const bytes = node.estimateMemory({ inputs: [x], outputs: { chain } });
    expect(bytes).toBe(3 * 400 + 4); // x, two links of the chain, one of the numbers
  });
});
