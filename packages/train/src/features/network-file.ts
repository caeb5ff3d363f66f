import { UserError } from "@duelo/core";
import { openRuntime, type HostTensor, type LoadedProgram } from "@duelo/runtime";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { pathError } from "../data/files.ts";
import { readCard, type FunctionInput } from "../function-card.ts";
import { callInParts } from "../open-function.ts";
import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";
import type { FeatureNet, FeatureRequest } from "./feature-net.ts";
import { fitImages, resizerText } from "./fit-images.ts";

export interface NetworkFile {
  /** An ONNX file that `duelo export RUN --function features` wrote. */
  readonly path: string;
  /** The name that is stated beside numbers; the file's and the beginning of its digest otherwise. */
  readonly name?: string;
  /** sha256 that the file must have. */
  readonly digest?: string;
  readonly threads?: number;
}

const pixelsAtOnce = 2 ** 18; // 64 maps of them have 64 MiB

/**
 * Opens a feature network from a file. Throws UserError when the file is not there, has another digest,
 * or is no network of images with an output called `features`.
 */
export async function openNetworkFile(options: NetworkFile): Promise<FeatureNet> {
  const { path, threads } = options;
  const bytes = await readFile(path).catch((error: unknown) => {
    throw pathError(path, error);
  });
  const digest = createHash("sha256").update(bytes).digest("hex");
  if (options.digest !== undefined && options.digest !== digest) {
    throw new UserError(
      `${path} has the digest ${digest.slice(0, 16)}…, not ${options.digest.slice(0, 16)}…, so it is another network or damaged. Get the file again.`,
    );
  }
  const runtime = await openRuntime(threads === undefined ? {} : { threads });
  try {
    const program = await runtime.load(bytes).catch(() => {
      throw new UserError(`${path} is no ONNX file that ONNX Runtime can load. Get it again.`);
    });
    const input = imageInput(program, path);
    const name = options.name ?? `${basename(path)} (${digest.slice(0, 8)})`;
    return network({ program, input, name, digest, close: () => runtime.close() });
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** The one input of a network of images that gives features. */
function imageInput(program: LoadedProgram, path: string): FunctionInput {
  const { inputs, outputs } = readCard(program.metadata);
  const [input] = inputs;
  const gives = outputs.find((o) => o.name === "features")?.shape.length === 1;
  if (input?.kind === "image" && inputs.length === 1 && gives) return input;
  throw new UserError(
    `${path} is no feature network: that has one input of images and an output called features, a row an image. Make one with duelo export RUN --function features.`,
  );
}

function network(o: {
  program: LoadedProgram;
  input: FunctionInput;
  name: string;
  digest: string;
  close: () => Promise<void>;
}): FeatureNet {
  const [channels = 1, height = 1, width = 1] = o.input.shape;
  const extent = [channels, height, width] as const;
  const nAtOnce = Math.min(64, Math.max(1, Math.floor(pixelsAtOnce / (height * width))));
  const call = async (request: FeatureRequest): Promise<Record<string, HostTensor>> => {
    const data = await fitImages(request, extent, o.name);
    const x = { dtype: "uint8", shape: [request.shape[0], ...extent], data } as const;
    return callInParts(o.program, { [o.input.name]: x }, { ...request, nAtOnce });
  };
  return {
    name: o.name,
    digest: o.digest,
    resizer: resizerText(extent),
    async extract(request) {
      const { features, logits } = await call(request);
      return {
        features: matrix(features),
        ...(logits === undefined ? {} : { probabilities: softmaxRows(matrix(logits)) }),
      };
    },
    async activations(request) {
      return Object.values(await call(request)).flatMap((t) => pictures(t));
    },
    close: o.close,
  };
}

function matrix(t: HostTensor | undefined): Matrix {
  if (!(t?.data instanceof Float32Array)) throw new TypeError("the network gave no features");
  return { rows: t.shape[0] ?? 0, cols: t.shape[1] ?? 0, data: t.data };
}

function pictures({ shape, data }: HostTensor): Pictures[] {
  const [n, c, h, w] = shape;
  if (n === undefined || c === undefined || h === undefined || w === undefined) return [];
  return [{ shape: [n, c, h, w], data: Float32Array.from(data) }];
}

/** exp(v - max) over its sum, row by row. */
function softmaxRows({ rows, cols, data }: Matrix): Matrix {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++) {
    const row = Float64Array.from(data.subarray(i * cols, (i + 1) * cols));
    const highest = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const exps = row.map((v) => Math.exp(v - highest));
    const total = exps.reduce((a, b) => a + b, 0);
    out.set(
      exps.map((v) => v / total),
      i * cols,
    );
  }
  return { rows, cols, data: out };
}
