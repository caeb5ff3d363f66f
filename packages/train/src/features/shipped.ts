import { readInitializers } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { Context, Recipe } from "@duelo/zoo";
import { readFile } from "node:fs/promises";
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
  return openNetworkFile({
    path: pathOf(name),
    name,
    digest,
    ...(threads === undefined ? {} : { threads }),
  });
}

const pathOf = (name: string): string =>
  fileURLToPath(new URL(`../../features/${name}.onnx`, import.meta.url));

/** What the frozen nets of a recipe hold: weights and statistics of shipped networks, by state entry. */
export async function frozenState(
  recipe: Recipe,
  context: Context,
): Promise<Record<string, HostTensor>> {
  const state: Record<string, HostTensor> = {};
  for (const [net, name] of Object.entries(recipe.frozen(context))) {
    if (name !== undefined) Object.assign(state, await shippedState({ name, net }));
  }
  return state;
}

/** The weights and statistics of a shipped network, as entries of a net of the name `net`. */
export async function shippedState(o: {
  readonly name: string;
  readonly net: string;
}): Promise<Record<string, HostTensor>> {
  if (!shippedNets.some((n) => n.name === o.name)) throw new TypeError(`no network "${o.name}"`);
  const variables = Object.entries(readInitializers(await readFile(pathOf(o.name))));
  const entries = variables.map(
    ([name, { shape, data }]) =>
      [name.replace(/^C\./, `${o.net}.`), { dtype: "float32", shape, data }] as const,
  );
  return Object.fromEntries(entries);
}
