import { input, optimize, toOnnx, topological } from "@duelo/core";
import { openRuntime } from "@duelo/runtime";
import { toBytes, type Pictures } from "@duelo/train";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  kerasGraph,
  type KerasLayer,
  type KerasWeight,
} from "../../packages/train/src/features/keras.ts";

interface Description {
  readonly modelTopology: {
    readonly model_config: { readonly config: { readonly layers: readonly KerasLayer[] } };
  };
  readonly weightsManifest: readonly {
    readonly paths: readonly string[];
    readonly weights: readonly { readonly name: string; readonly shape: readonly number[] }[];
  }[];
}

const folder = join(import.meta.dirname, "../../node_modules/@upscalerjs/esrgan-slim/models/x4");

/** Pictures four times as large by the net of the npm package @upscalerjs/esrgan-slim, run by ONNX Runtime. */
export async function enlargedBySlim(small: Pictures): Promise<Pictures> {
  const read = (name: string): Buffer => readFileSync(join(folder, name));
  const { modelTopology, weightsManifest } = JSON.parse(
    read("model.json").toString(),
  ) as Description;
  const { layers } = modelTopology.model_config.config;
  const weights: Record<string, KerasWeight> = {};
  for (const group of weightsManifest) {
    const bytes = Buffer.concat(group.paths.map(read));
    let at = 0;
    for (const { name, shape } of group.weights) {
      const n = shape.reduce((a, b) => a * b, 1);
      const data = Float32Array.from({ length: n }, (_, i) => bytes.readFloatLE(at + 4 * i));
      weights[name] = { shape, data };
      at += 4 * n;
    }
  }
  const [n, c, h, w] = small.shape;
  const x = input("x", { shape: small.shape }); // 0 to 255, as it goes out
  const { y, initializers } = kerasGraph({ layers, weights, x, to: layers.at(-1)?.name ?? "" });
  const inputs = topological([y]).filter((t) => t.op.name === "Input");
  const file = toOnnx(optimize({ inputs, outputs: { y } }), { initializers });
  const runtime = await openRuntime({ threads: 1 });
  try {
    const program = await runtime.load(file);
    const data = Float32Array.from(small.data);
    const { y: large } = await program.run({ x: { dtype: "float32", shape: small.shape, data } });
    const bytes = toBytes(Float32Array.from(large?.data ?? []), [0, 255]);
    return { shape: [n, c, 4 * h, 4 * w], data: bytes };
  } finally {
    await runtime.close();
  }
}
