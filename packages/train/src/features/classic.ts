import { input, optimize, toOnnx, topological, UserError } from "@duelo/core";
import { openRuntime } from "@duelo/runtime";
import type { Tensors } from "../run/safetensors.ts";
import { readWeights } from "../weights/read.ts";
import { convertedNetwork } from "./converted.ts";
import type { FeatureNet, FeatureRequest } from "./feature-net.ts";
import { checkImages, inColours } from "./fit-images.ts";
import { inceptionGraph, Weighted } from "./inception.ts";
import { callNetwork, readNetwork, seen } from "./network-file.ts";
import { resample, tensorFlow1 } from "./resample.ts";

/** Files that hold the weights of the network of FID. Only with one of these may a number be called FID. */
export const classicFiles: readonly { readonly name: string; readonly digest: string }[] = [
  {
    name: "pt_inception-2015-12-05-6726825d.pth", // of pytorch-fid, and under another name of torch-fidelity
    digest: "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
  },
];

const name = "inception-2015-12-05";
const side = 299;
const extent = [3, side, side] as const;
const conversion = 1; // other rules make another file

/** Whether a path is that of weights which can only be those of the classic network. */
export const isStateDict = (path: string): boolean => /\.(pth|pt)$/.test(path);

/**
 * The network of FID from a file of its weights, which is known by its digest; converted to ONNX once and
 * kept in the cache folder. Throws UserError for any other file.
 */
export async function openClassic(request: {
  readonly path: string;
  readonly cacheDir: string;
  readonly threads?: number;
}): Promise<FeatureNet> {
  const { path, cacheDir, threads } = request;
  const { digest } = await readNetwork(path);
  if (!classicFiles.some((file) => file.digest === digest)) {
    const [known] = classicFiles;
    throw new UserError(
      `${path} is not the network of FID: its sha256 begins with ${digest.slice(0, 8)}, that of ${known?.name} with ${known?.digest.slice(0, 8)}. Get that file, or give another network as ONNX; its results are named after it.`,
    );
  }
  const { bytes } = await convertedNetwork({
    ...{ cacheDir, name, key: `${conversion} ${digest}` },
    make: async () => classicOnnx((await readWeights({ path })).tensors),
  });
  const runtime = await openRuntime(threads === undefined ? {} : { threads });
  try {
    const program = await runtime.load(bytes);
    const call = { input: "x", extent, program: () => Promise.resolve(program), fit };
    return {
      ...{ name, digest, isClassic: true, classifies: true, hasLayers: false },
      resizer:
        "299x299 bilinear as TensorFlow 1 (no smoothing, both grids begin at one pixel), on floats; grey shown in all colours",
      async extract(images) {
        const names = { features: "features", logits: "logits" };
        return seen(await callNetwork(images, { ...call, only: Object.values(names) }), names);
      },
      activations: () => Promise.resolve([]),
      close: () => runtime.close(),
    };
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** Images as that network takes them: [n, 3, 299, 299], 0 to 255, not rounded. */
function fit(images: FeatureRequest) {
  checkImages(images, extent, name);
  const [n, , height, width] = images.shape;
  const data = inColours(images, extent);
  const to = {
    rows: tensorFlow1({ before: height, after: side }),
    columns: tensorFlow1({ before: width, after: side }),
  };
  const x = resample({ data, height, width }, to);
  return Promise.resolve({ dtype: "float32", shape: [n, ...extent], data: x } as const);
}

/** The network as an ONNX file: `x` in; `features` and `logits` out, for any number of images at once. */
export function classicOnnx(weights: Tensors, size = side): Uint8Array {
  const net = new Weighted(weights);
  const traceAt = (n: number) => {
    const x = input("x", { shape: [n, 3, size, size] });
    const { features, logits } = inceptionGraph({ x, net });
    const inputs = topological([features, logits]).filter((t) => t.op.name === "Input");
    return optimize({ inputs, outputs: { features, logits } });
  };
  const graph = traceAt(5);
  return toOnnx(graph, {
    name,
    initializers: net.initializers,
    freeBatch: { other: traceAt(7) },
  });
}
