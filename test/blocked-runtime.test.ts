import { blockProbe, conv, convTranspose, input, interpret, useBlockedConvs } from "@duelo/core";
import { openRuntime } from "@duelo/runtime";
import { expect, it } from "vitest";
import { uniforms } from "../packages/core/src/testing/random.ts";
import { hostTensorsOf } from "./host-tensors.ts";

/*
 * ONNX Runtime's blocked convolutions, in the block that this processor wants, against the float64
 * definition of the plain ones. Float32 carries 24 bits; sums of a few hundred products lose up to 7.
 */
it.each([
  { kernel: 4, stride: 2, pad: 1, outputPadding: 0 },
  { kernel: 5, stride: 2, pad: 2, outputPadding: 1 },
  { kernel: 3, stride: 1, pad: 1, outputPadding: 0 },
])("kernel $kernel, stride $stride in blocks", async ({ kernel, stride, pad, outputPadding }) => {
  const runtime = await openRuntime({ device: "cpu", threads: 2 });
  const probe = await runtime.compile(blockProbe());
  const { y } = await probe.run(hostTensorsOf(blockProbe(), { x: [1, 2, 3, 4] }));
  const block = y?.data.length ?? 0;
  expect([1, 4, 8, 16]).toContain(block);

  const c = 16;
  const x = input("x", { shape: [2, c, 6, 8] });
  const w = input("w", { shape: [2 * c, c, kernel, kernel] });
  const v = input("v", { shape: [c, 2 * c, kernel, kernel] });
  const options = { strides: stride, pads: pad };
  const graph = {
    inputs: [x, w, v],
    outputs: { y: conv(x, w, options), z: convTranspose(x, v, { ...options, outputPadding }) },
  };
  const random = uniforms(3);
  const feeds = Object.fromEntries(
    graph.inputs.map((t) => [
      String(t.attrs["name"]),
      new Float64Array(t.size).map(() => Math.fround(random() - 0.5)),
    ]),
  );
  const want = interpret(graph, feeds);
  const lowered = block > 1 ? useBlockedConvs(graph, { block }) : graph;
  const program = await runtime.compile(lowered);
  const got = await program.run(hostTensorsOf(lowered, feeds));
  for (const [name, { data, shape }] of Object.entries(want)) {
    expect(got[name]?.shape).toEqual(shape);
    const scale = Math.max(...data.map(Math.abs));
    data.forEach((value, i) =>
      expect(Math.abs((got[name]?.data[i] ?? NaN) - value)).toBeLessThanOrEqual(scale * 2 ** -17),
    );
  }
  await runtime.close();
});
