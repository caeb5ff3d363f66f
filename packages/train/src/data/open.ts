import { UserError } from "@duelo/core";
import { createHash } from "node:crypto";
import {
  readLabels,
  refuseTooMany,
  spread,
  wanted,
  warnSkipped,
  type DataRequest,
  type Dataset,
} from "./dataset.ts";
import { derivePairs } from "./derive.ts";
import { checkShare, takePart } from "./hold-out.ts";
import { locate } from "./locate.ts";
import { namedSets } from "./named.ts";
import { locatePairs } from "./pairs.ts";
import { openPictures } from "./pictures.ts";
import type { Hooks, PictureSource, Source, VectorSource } from "./source.ts";

function checkNumber(value: number | undefined, name: string, high: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 1 && value <= high)) return;
  throw new UserError(
    `The ${name} of the data is ${value}; it must be a whole number from 1 to ${high}.`,
  );
}

function checkDomain(source: Source, domain: "image" | "vector"): void {
  if (source.kind === "pictures" && domain === "vector")
    throw new UserError(
      `${source.name} holds pictures, but this recipe trains on points or tables, such as ring8 or a .csv file.`,
    );
  if (source.kind === "vectors" && domain === "image")
    throw new UserError(
      `${source.name} holds points, but this recipe trains on pictures, such as emoji or a folder of them.`,
    );
}

function checkLabels(source: Source, labels: DataRequest["labels"]): void {
  if (labels !== "require" || source.labels) return;
  const remedy =
    source.kind === "pictures"
      ? "Put each class in a sub-folder of its own, or add a metadata.csv with the columns file_name and label."
      : "They are a column named label of a .csv file.";
  throw new UserError(`${source.name} has no labels, but this recipe needs them. ${remedy}`);
}

function openVectors(source: VectorSource, request: DataRequest, hooks: Hooks): Dataset {
  const dim = source.columns.length;
  const nAll = source.x.length / dim;
  refuseTooMany({
    name: source.name,
    total: nAll + source.skipped.length,
    skipped: source.skipped,
  });
  warnSkipped(source.skipped, hooks);
  const indices = spread(nAll, request.limit);
  const x = Float32Array.from(
    { length: indices.length * dim },
    (_, i) => source.x[(indices[Math.floor(i / dim)] ?? 0) * dim + (i % dim)] ?? 0,
  );
  const labels =
    source.labels && request.labels !== "ignore"
      ? Int32Array.from(indices, (i) => source.labels?.[i] ?? 0)
      : undefined;
  const key = createHash("sha256")
    .update(x)
    .update(labels ?? "")
    .update(JSON.stringify([dim, source.classes]))
    .digest("hex");
  return {
    name: source.name,
    length: indices.length,
    fields: {
      x: { dtype: "float32", shape: [dim] },
      ...(labels ? { y: { dtype: "int32", shape: [] } } : {}),
    },
    ...(labels && source.classes ? { classes: source.classes } : {}),
    key,
    settings: {
      layout: source.layout,
      records: indices.length,
      ...source.settings,
      ...(request.limit === undefined ? {} : { limit: request.limit }),
    },
    skipped: source.skipped,
    read(indices, out) {
      readLabels(labels, indices, out);
      const to = wanted(out, "x", Float32Array, indices.length * dim);
      if (!to) return;
      for (let i = 0; i < indices.length; i++) {
        const from = (indices[i] ?? 0) * dim;
        if (!(from >= 0 && from < x.length))
          throw new RangeError(`record ${indices[i]} of a set of ${x.length / dim}`);
        for (let j = 0; j < dim; j++) to[i * dim + j] = x[from + j] ?? 0;
      }
    },
    close: () => {},
  };
}

function checkMany(source: Source, limit: number | undefined): void {
  if (source.kind !== "pictures") return;
  if (limit === 1)
    throw new UserError(`A limit of 1 leaves one picture of ${source.name}. Take hundreds.`);
  if (source.length + source.skipped.length !== 1) return;
  throw new UserError(
    `${source.name} holds one picture only. A GAN learns what many pictures share: give it hundreds.`,
  );
}

/** Opens pictures, and makes pairs of them where they are derived from one set. */
async function openPairsOr(
  source: PictureSource,
  request: DataRequest,
  hooks: Hooks,
): Promise<Dataset> {
  const how = request.pair?.derive;
  if (how === undefined || how === "halves") return openPictures(source, request, hooks);
  const { channels: ofX, pair, ...rest } = request;
  const channels = pair?.channels ?? (how === "grey" ? 3 : ofX);
  const whole = channels === undefined ? rest : { ...rest, channels };
  return derivePairs(await openPictures(source, whole, hooks), how);
}

/**
 * The test split of a named set that has one and is not narrowed to a split already: what is held
 * out of it.
 */
export function ownHeldOut({
  spec,
  select = {},
}: Pick<DataRequest, "spec" | "select">): Readonly<Record<string, string>> | undefined {
  const own = namedSets.find((set) => set.name === spec)?.heldOut;
  return own && !Object.keys(own).some((key) => key in select) ? own : undefined;
}

/**
 * Opens data for training. Pictures are decoded once, by all cores, into `cacheDir`; later opens check
 * that copy and read from it. Files that cannot be read are reported to `hooks.warn` and left out.
 *
 * Throws `UserError` when the data is not there, is of the wrong kind or size, has no labels where they
 * are required, when more than one record in ten (or all) cannot be used, or when the held-out part
 * is asked for and nothing is held out.
 */
export async function openData(request: DataRequest, hooks: Hooks = {}): Promise<Dataset> {
  checkNumber(request.height, "height", 8192);
  checkNumber(request.width, "width", 8192);
  checkNumber(request.limit, "limit", 2 ** 30);
  checkNumber(request.jitter || undefined, "jitter", 8192);
  checkShare(request.holdOut);
  const { holdOut: share, part = "train", flip: mirrored = false } = request;
  const own = ownHeldOut(request);
  if (own !== undefined) {
    const select = part === "heldOut" ? { ...request.select, ...own } : request.select;
    const whole = await openWhole({ ...request, ...(select ? { select } : {}) }, hooks);
    if (share === undefined) return whole;
    return { ...whole, settings: { ...whole.settings, holdOut: { part, by: own } } };
  }
  const whole = await openWhole(request, hooks);
  try {
    if (share !== undefined) return takePart(whole, { share, part, mirrored });
    if (part !== "heldOut") return whole;
    throw new UserError(
      `Nothing of ${whole.name} is held out. Train with --hold-out 0.1, or name other data.`,
    );
  } catch (error) {
    whole.close();
    throw error;
  }
}

/** Everything that a request names, nothing held out. */
async function openWhole(request: DataRequest, hooks: Hooks): Promise<Dataset> {
  const { spec, domain, select = {}, pair } = request;
  const source = await (pair === undefined
    ? locate({ spec, domain, select })
    : locatePairs({ spec, select, pair }));
  try {
    checkDomain(source, domain);
    checkLabels(source, request.labels);
    checkMany(source, request.limit);
    return source.kind === "pictures"
      ? await openPairsOr(source, request, hooks)
      : openVectors(source, request, hooks);
  } finally {
    if (source.kind === "pictures") source.close();
  }
}
