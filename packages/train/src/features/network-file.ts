import { UserError, withFloatInput } from "@duelo/core";
import {
  openRuntime,
  type HostTensor,
  type LoadedProgram,
  type LoadedValue,
  type Runtime,
} from "@duelo/runtime";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { pathError } from "../data/files.ts";
import { readCard } from "../function-card.ts";
import { inParts } from "../open-function.ts";
import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";
import type { FeatureNet, FeatureRequest } from "./feature-net.ts";
import { fitImages, resizerText, type Extent } from "./fit-images.ts";

export interface NetworkFile {
  /** An ONNX file that `duelo export RUN --function features` wrote, or another; see `openNetworkFile`. */
  readonly path: string;
  /** The name that is stated beside numbers; the file's and the beginning of its digest otherwise. */
  readonly name?: string;
  /** sha256 that the file must have. */
  readonly digest?: string;
  readonly threads?: number;
}

const pixelsAtOnce = 2 ** 18; // 64 maps of them have 64 MiB

/**
 * Opens a feature network from a file: one of Duelo's, or any ONNX file with one input of images
 * [n, C, H, W] and one output of features [n, D]; such a one is given bytes where it takes them, and
 * numbers from 0 to 1 where it takes floats. Throws UserError when the file is not there, has another
 * digest, or is no such network.
 */
export async function openNetworkFile(options: NetworkFile): Promise<FeatureNet> {
  const { path, threads } = options;
  const { bytes, digest } = await readNetwork(path);
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
    const plug = plugOf(program) ?? refuse(path);
    const name = options.name ?? `${basename(path)} (${digest.slice(0, 8)})`;
    return networkOf({ program, plug, name, digest, runtime, bytes });
  } catch (error) {
    await runtime.close();
    throw error;
  }
}

/** The bytes of a file and their sha256. Throws UserError when it is not there. */
export async function readNetwork(path: string): Promise<{ bytes: Buffer; digest: string }> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw pathError(path, error);
  });
  return { bytes, digest: createHash("sha256").update(bytes).digest("hex") };
}

function refuse(path: string): never {
  throw new UserError(
    `${path} is no feature network: that has one input of images and an output called features, a row an image. Make one with duelo export RUN --function features.`,
  );
}

/** Where images go in, in what form, and where features come out. */
interface Plug {
  readonly input: string;
  readonly extent: Extent;
  /** Numbers from 0 to 1 in place of bytes. */
  readonly takesShares: boolean;
  readonly features: string;
  readonly logits?: string;
  /** Outputs that are maps of activations. */
  readonly layers: readonly string[];
  /** A file that takes one image at a time. */
  readonly oneAtOnce?: boolean;
}

function plugOf(program: LoadedProgram): Plug | undefined {
  const { inputs, outputs } = readCard(program.metadata);
  if (inputs.length === 0) return strangersPlug(program);
  const [input] = inputs;
  const gives = outputs.find((o) => o.name === "features")?.shape.length === 1;
  if (input?.kind !== "image" || inputs.length !== 1 || !gives) return undefined;
  const [channels = 1, height = 1, width = 1] = input.shape;
  return {
    input: input.name,
    extent: [channels, height, width],
    takesShares: false,
    features: "features",
    ...(outputs.some((o) => o.name === "logits") ? { logits: "logits" } : {}),
    layers: outputs.filter((o) => o.shape.length === 3).map((o) => o.name),
  };
}

/** Of a file that says nothing of itself, by its shapes. */
function strangersPlug({ inputs, outputs }: LoadedProgram): Plug | undefined {
  const [input] = inputs;
  const rows = outputs.filter((o) => o.shape.length === 2);
  const features =
    rows.find((o) => o.name === "features") ?? (rows.length === 1 ? rows[0] : undefined);
  if (input === undefined || inputs.length !== 1 || features === undefined) return undefined;
  const [n, ...extent] = input.shape;
  const [channels = 0, height = 0, width = 0] = extent.map((d) => (typeof d === "number" ? d : 0));
  const known = input.shape.length === 4 && channels > 0 && height > 0 && width > 0;
  const free = isFree(n);
  if (!known || !(free || n === 1) || !["float32", "uint8"].includes(input.type)) return undefined;
  return {
    input: input.name,
    extent: [channels, height, width],
    takesShares: input.type === "float32",
    features: features.name,
    layers: outputs.filter((o) => o.shape.length === 4).map((o) => o.name),
    ...(free ? {} : { oneAtOnce: true }),
  };
}

const isFree = (extent: LoadedValue["shape"][number] | undefined): boolean =>
  typeof extent === "string" || (extent ?? 0) < 0;

/** A loaded network as something that images are judged by. */
export function networkOf(o: {
  program: LoadedProgram;
  plug: Plug;
  name: string;
  digest: string;
  runtime: Runtime;
  /** The file, for images that are no bytes. */
  bytes: Uint8Array;
}): FeatureNet {
  const { plug, name } = o;
  const { extent } = plug;
  let ofFloats: Promise<LoadedProgram> | undefined;
  const programFor = (pixels: FeatureRequest["pixels"]): Promise<LoadedProgram> => {
    if (plug.takesShares || !(pixels instanceof Float32Array)) return Promise.resolve(o.program);
    return (ofFloats ??= o.runtime.load(withFloatInput(o.bytes, plug.input)));
  };
  const fit = async (request: FeatureRequest): Promise<HostTensor> => {
    const fitted = await fitImages(request, extent, name);
    const data = plug.takesShares ? Float32Array.from(fitted, (v) => v / 255) : fitted;
    const dtype = data instanceof Float32Array ? "float32" : "uint8";
    return { dtype, shape: [request.shape[0], ...extent], data };
  };
  const call = (request: FeatureRequest, only: readonly string[]) =>
    callNetwork(request, { ...plug, only, fit, program: () => programFor(request.pixels) });
  return {
    name,
    digest: o.digest,
    resizer: resizerText(extent),
    classifies: plug.logits !== undefined,
    hasLayers: plug.layers.length > 0,
    async extract(request) {
      const { features, logits } = plug;
      return seen(
        await call(request, logits === undefined ? [features] : [features, logits]),
        plug,
      );
    },
    async activations(request) {
      return Object.values(await call(request, plug.layers)).flatMap((t) => pictures(t));
    },
    close: () => o.runtime.close(),
  };
}

/** Some outputs of a network for any number of images, fitted and fed part by part. */
export async function callNetwork(
  request: FeatureRequest,
  o: {
    readonly input: string;
    readonly extent: Extent;
    readonly oneAtOnce?: boolean;
    readonly only: readonly string[];
    readonly program: () => Promise<LoadedProgram>;
    fit(part: FeatureRequest): Promise<HostTensor>;
  },
): Promise<Record<string, HostTensor>> {
  const { pixels, shape } = request;
  const [n, ...rest] = shape;
  const [, height, width] = o.extent;
  const most = Math.min(64, Math.max(1, Math.floor(pixelsAtOnce / (height * width))));
  const nAtOnce = o.oneAtOnce === true ? 1 : most;
  const size = pixels.length / Math.max(n, 1);
  if (n < 1) await o.fit(request); // which refuses it
  const program = await o.program();
  return inParts({ ...request, n, nAtOnce, only: o.only }, async ({ from, count }) => {
    const part = pixels.subarray(from * size, (from + count) * size);
    return program.run({ [o.input]: await o.fit({ pixels: part, shape: [count, ...rest] }) });
  });
}

/** Features, and probabilities where there are logits. */
export function seen(
  results: Readonly<Record<string, HostTensor>>,
  names: { readonly features: string; readonly logits?: string },
): Awaited<ReturnType<FeatureNet["extract"]>> {
  const features = matrix(results[names.features]);
  if (names.logits === undefined) return { features };
  return { features, probabilities: softmaxRows(matrix(results[names.logits])) };
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
