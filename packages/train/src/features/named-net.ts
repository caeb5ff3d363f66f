import { suggestion, UserError } from "@duelo/core";
import { isStateDict, openClassic } from "./classic.ts";
import type { FeatureNet } from "./feature-net.ts";
import { openNetworkFile } from "./network-file.ts";
import { openPackagedModel, packagedModels } from "./nsfwjs.ts";
import { rawPixels } from "./raw.ts";
import { openShippedNet, shippedNets } from "./shipped.ts";

/** A feature network that can be asked for by name. */
export interface NamedNet {
  readonly name: string;
  /** What it is, in one line. */
  readonly about: string;
  open(request: Places): Promise<FeatureNet>;
}

interface Places {
  /** Where converted networks are kept. */
  readonly cacheDir: string;
  readonly threads?: number;
}

export const featureNets: readonly NamedNet[] = [
  {
    name: "pixels",
    about: "the pixels as they are, 0 to 1: no network",
    open: async () => rawPixels,
  },
  ...shippedNets.map((net) => ({
    name: net.name,
    about: net.about,
    open: (places: Places) => openShippedNet(net, places),
  })),
  ...packagedModels.map((model) => ({
    name: model.name,
    about: `${model.nFeatures} features of a network in the npm package nsfwjs, which was trained to sort out indecent pictures`,
    open: (places: Places) => openPackagedModel({ model, ...places }),
  })),
];

/** Whether `name` is the path of a network rather than a name. */
export const isNetworkFile = (name: string): boolean => name.endsWith(".onnx") || isStateDict(name);

/**
 * A feature network by name, by the path of an ONNX file (see `openNetworkFile`), or by the path of the
 * weights of the network of FID.
 * @throws UserError with the nearest name, when a file is none, or when a package is not installed
 */
export async function featureNet(request: { readonly name: string } & Places): Promise<FeatureNet> {
  const { name, threads } = request;
  if (isStateDict(name)) return openClassic({ ...request, path: name });
  if (isNetworkFile(name))
    return openNetworkFile({ path: name, ...(threads === undefined ? {} : { threads }) });
  const known = featureNets.find((net) => net.name === name);
  return (
    known?.open(request) ??
    noFeatures(
      name,
      featureNets.map((net) => net.name),
    )
  );
}

/** Throws UserError with the nearest of `names`. */
export function noFeatures(name: string, names: readonly string[]): never {
  throw new UserError(
    `There are no features "${name}".${suggestion(name, names)} Features: ${names.join(", ")}, or the path of an ONNX file.`,
  );
}
