import { fileURLToPath } from "node:url";
import type { FeatureNet } from "./feature-net.ts";
import { openNetworkFile } from "./network-file.ts";

/** A network that Duelo trained and that comes with it, in `packages/train/features`. */
export interface ShippedNet {
  readonly name: string;
  readonly about: string;
  /** sha256 of its file. */
  readonly digest: string;
}

/** How each was trained, and how good it is, is in `docs/guide/features.md`. */
export const shippedNets: readonly ShippedNet[] = [
  {
    name: "fashion-classifier",
    about: "96 features of a small classifier of Fashion-MNIST that Duelo trained",
    digest: "7f96227ea47c7306befb01951806ddd6fcc0e3dfcc4f4363eb3fed45f5dae1b8",
  },
  {
    name: "emoji-classifier",
    about: "64 features of a small classifier of emoji in colour that Duelo trained",
    digest: "133988da1237769025eb83e8018146030884ea29dadf78fc604be1d7035f74f6",
  },
];

/** Throws UserError when its file is damaged. */
export function openShippedNet(
  { name, digest }: ShippedNet,
  { threads }: { readonly threads?: number },
): Promise<FeatureNet> {
  const path = fileURLToPath(new URL(`../../features/${name}.onnx`, import.meta.url));
  return openNetworkFile({ path, name, digest, ...(threads === undefined ? {} : { threads }) });
}
