import { UserError } from "@duelo/core";
import type { DataTable, FieldSpec, ImageField, Recipe } from "@duelo/zoo";
import type { DataRequest, Dataset } from "./data/dataset.ts";
import { openData } from "./data/open.ts";
import { twoFolders, type Derivation } from "./data/pairs.ts";
import type { Hooks } from "./data/source.ts";

/** The data sets of a run, by the stream that recipes name; at least one. */
export type Streams = Readonly<Record<string, Dataset>>;

/** What a user says of data beyond one set: the other set of a recipe of pairs or of two domains. */
export interface OtherSet {
  /** The other set: matched by name for pairs, by nothing for domains. The same set when left out. */
  readonly to?: string;
  readonly toSelect?: Readonly<Record<string, string>>;
  readonly toChannels?: 1 | 3 | 4;
  /** Makes pairs from one set. */
  readonly derive?: Derivation;
}

export const streamName = (field: FieldSpec): string => field.stream ?? "data";

/** What a recipe's field is called in its data set: y for labels, x for its stream's first, then pair. */
export function fieldIn(data: DataTable, name: string): "x" | "y" | "pair" {
  const field = data[name];
  if (field?.domain === "label") return "y";
  const stream = field && streamName(field);
  const first = Object.entries(data).find(
    ([, f]) => f.domain !== "label" && streamName(f) === stream,
  );
  return first === undefined || first[0] === name ? "x" : "pair";
}

/** The first data set: that of `--data`. */
export function firstOf(streams: Streams): Dataset {
  const [first] = Object.values(streams);
  if (first === undefined) throw new TypeError("a run has a data set");
  return first;
}

export function closeAll(streams: Streams | undefined): void {
  for (const dataset of Object.values(streams ?? {})) dataset.close();
}

/** The field of a recipe as its data set has it. */
export const datasetField = (data: DataTable, streams: Streams, name: string) => {
  const field = data[name];
  return field && streams[streamName(field)]?.fields[fieldIn(data, name)];
};

/**
 * One request for each stream of a recipe, from what all have in common and the user's other set.
 * Throws UserError when a set is missing or too many.
 */
export function streamRequests(
  recipe: Recipe,
  common: DataRequest,
  other: OtherSet,
): Record<string, DataRequest> {
  const fields = Object.values(recipe.data);
  const names = [...new Set(fields.map(streamName))];
  const imagesOf = (stream: string | undefined): ImageField[] =>
    fields.filter((f): f is ImageField => f.domain === "image" && streamName(f) === stream);
  const { to, toSelect, toChannels, derive } = other;
  const [first = "data", second] = names;
  const channels = toChannels ?? imagesOf(second ?? first)[second === undefined ? 1 : 0]?.channels;
  const ofOther = channels === undefined ? {} : { channels };
  if (second !== undefined) {
    if (derive !== undefined)
      throw new UserError(
        `Recipe ${recipe.name} trains on two sets without pairs, so --derive has no use. Name the second with --to.`,
      );
    return twoDomains(recipe, common, { first, second, to, toSelect, ofOther });
  }
  if (imagesOf(first).length < 2) {
    const given = to ?? derive ?? (toSelect === undefined ? undefined : "");
    if (given === undefined) return { [first]: common };
    throw new UserError(
      `Recipe ${recipe.name} trains on one set. Leave out --to, --to-select and --derive.`,
    );
  }
  const pair = {
    ...(to === undefined ? {} : { spec: to }),
    ...(toSelect === undefined ? {} : { select: toSelect }),
    ...(derive === undefined ? {} : { derive }),
    ...ofOther,
  };
  return { [first]: { ...common, pair } };
}

function twoDomains(
  recipe: Recipe,
  common: DataRequest,
  o: {
    first: string;
    second: string;
    to: string | undefined;
    toSelect: OtherSet["toSelect"];
    ofOther: Pick<DataRequest, "channels">;
  },
): Record<string, DataRequest> {
  const { select: _, ...rest } = common;
  const folders = twoFolders(common.spec);
  if (o.to === undefined && o.toSelect === undefined && folders === undefined)
    throw new UserError(
      `Recipe ${recipe.name} trains on two sets. Name the second with --to, or give a folder with the sub-folders A and B.`,
    );
  const inFolders = o.to === undefined && o.toSelect === undefined ? folders : undefined;
  const [specA, specB] = inFolders ?? [common.spec, o.to ?? common.spec];
  const chosen = o.toSelect === undefined ? {} : { select: o.toSelect };
  return {
    [o.first]: { ...common, spec: specA },
    [o.second]: { ...rest, ...o.ofOther, spec: specB, ...chosen },
  };
}

/** Opens the data of every stream and checks that the recipe's nets can take it. Throws UserError. */
export async function openStreams(
  recipe: Recipe,
  requests: Readonly<Record<string, DataRequest>>,
  options: Readonly<Record<string, number | string | boolean>>,
  hooks: Hooks,
): Promise<Streams> {
  const streams: Record<string, Dataset> = {};
  try {
    for (const [name, request] of Object.entries(requests))
      streams[name] = await openData(request, hooks);
    for (const [name, field] of Object.entries(recipe.data)) {
      const shape = datasetField(recipe.data, streams, name)?.shape;
      const why = field.domain === "image" && shape && field.refuse?.(shape, options);
      if (typeof why === "string")
        throw new UserError(`Recipe ${recipe.name} cannot take these images: ${why}.`);
    }
    return streams;
  } catch (error) {
    closeAll(streams);
    throw error;
  }
}
