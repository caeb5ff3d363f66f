import { cast, input, mul, optimize, toOnnx, topological, UserError } from "@duelo/core";
import { readdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { packageFolder } from "../data/named.ts";
import { metadataOf } from "../function-card.ts";
import { unlessMissing } from "../run/file-system.ts";
import { convertedNetwork, sha256 } from "./converted.ts";
import type { FeatureNet } from "./feature-net.ts";
import { kerasGraph, unpackWeights, type KerasLayer, type PackedWeight } from "./keras.ts";
import { openNetworkFile } from "./network-file.ts";

/** One of the two models of the npm package nsfwjs that give features. */
export interface PackagedModel {
  readonly name: string;
  /** Folder in the package. */
  readonly folder: string;
  /** Pixels on a side of what it takes; values are 0 to 1. */
  readonly side: number;
  readonly nFeatures: number;
  /** sha256 of its files in version 4.3.0: the description, then the parts of the weights. */
  readonly digest: string;
}

export const packagedModels: readonly PackagedModel[] = [
  {
    name: "nsfwjs-mobilenet-v2",
    folder: "mobilenet_v2",
    side: 224,
    nFeatures: 1280,
    digest: "6538192f6b4d73e4d62a4828f3836cbb7418120e3edeea38adf448e75642677c",
  },
  {
    name: "nsfwjs-inception-v3",
    folder: "inception_v3",
    side: 299,
    nFeatures: 2048,
    digest: "d6bddb58a2b046dc11ed17247f8efc5ae8a5781f6b492aaf4fdd02e25c82ca91",
  },
];

const layer = "average_pooling2d_"; // the last of them is the mean that both end their features with
/** Part of the name of what is kept: other rules make another file. */
const conversion = 1;

/**
 * Opens a model of the installed package, converted to ONNX once and kept in the cache folder by its
 * digest. A kept file that was damaged is made anew. Throws UserError where the package is not
 * installed or is another version.
 */
export async function openPackagedModel(request: {
  readonly model: PackagedModel;
  readonly cacheDir: string;
  readonly threads?: number;
}): Promise<FeatureNet> {
  const { model, cacheDir } = request;
  const source = await readModel(model);
  const { path, digest } = await convertedNetwork({
    ...{ cacheDir, name: model.name, key: `${conversion} ${model.digest}` },
    make: async () => convert(model, source),
  });
  const threads = request.threads === undefined ? {} : { threads: request.threads };
  return openNetworkFile({ path, name: model.name, digest, ...threads });
}

interface ModelFiles {
  readonly modelTopology: {
    readonly model_config: { readonly config: { readonly layers: readonly KerasLayer[] } };
  };
  readonly weightsManifest: readonly { readonly weights: readonly PackedWeight[] }[];
}
interface Source {
  readonly model: ModelFiles;
  readonly bytes: Uint8Array;
}

/** The files of a model, which are modules of the package; loaded only when they are the known ones. */
async function readModel({ name, folder, digest }: PackagedModel): Promise<Source> {
  const place = packageFolder("nsfwjs");
  if (place === undefined) {
    throw new UserError(
      `Features ${name} need the npm package nsfwjs, which is not installed. Run: npm install --legacy-peer-deps nsfwjs@4.3.0.`,
    );
  }
  const dir = join(place, "dist/models", folder);
  const files = ((await unlessMissing(readdir(dir))) ?? []).filter((f) => f.endsWith(".js"));
  const parts = files.filter((f) => f.startsWith("group")).toSorted();
  const paths = ["model.min.js", ...parts].map((f) => join(dir, f));
  const contents = await unlessMissing(Promise.all(paths.map((path) => readFile(path))));
  if (contents === undefined || sha256(Buffer.concat(contents)) !== digest) {
    throw new UserError(
      `The files of ${name} in ${dir} are not those of nsfwjs 4.3.0. Run: npm install --legacy-peer-deps nsfwjs@4.3.0.`,
    );
  }
  const load = createRequire(import.meta.url);
  const [model, ...shards] = paths.map((path) => load(path) as unknown);
  const bytes = Buffer.concat(shards.map((text) => Buffer.from(text as string, "base64")));
  return { model: model as ModelFiles, bytes };
}

/** The model as a feature network's file: bytes of pixels in, `features` out, any number at once. */
function convert(model: PackagedModel, source: Source): Uint8Array {
  const { name, side, nFeatures } = model;
  const { layers } = source.model.modelTopology.model_config.config;
  const packed = source.model.weightsManifest.flatMap((group) => group.weights);
  const weights = unpackWeights(packed, source.bytes);
  const to = layers.findLast((l) => l.name.startsWith(layer))?.name ?? layer;
  const traceAt = (n: number) => {
    const x = input("x", { dtype: "uint8", shape: [n, 3, side, side] });
    const parts = { layers, weights, to, x: mul(cast(x, "float32"), 1 / 255) };
    const { y: features, initializers } = kerasGraph(parts);
    const inputs = topological([features]).filter((t) => t.op.name === "Input");
    return { graph: optimize({ inputs, outputs: { features } }), initializers };
  };
  const { graph, initializers } = traceAt(5);
  const card = {
    ...{ recipe: name, function: "features", step: 0, classes: [] },
    inputs: [{ name: "x", kind: "image", shape: [3, side, side], range: [0, 1] }],
    outputs: [{ name: "features", shape: [nFeatures] }],
  } as const;
  return toOnnx(graph, {
    name,
    initializers,
    freeBatch: { other: traceAt(7).graph },
    metadata: metadataOf(card),
  });
}
