import { UserError } from "@duelo/core";
import type { Fit } from "./decode.ts";
import type { PairRequest } from "./pairs.ts";
import { leftOutLine, type Hooks, type Skipped } from "./source.ts";

/**
 * One field of a record. Pictures: x uint8 [C, H, W], and in pairs `pair` beside it; points and tables:
 * x float32 [D]; labels: y int32 [].
 */
export interface Field {
  readonly dtype: "uint8" | "float32" | "int32";
  readonly shape: readonly number[];
}

export type Batch = Readonly<Record<string, Uint8Array | Float32Array | Int32Array>>;

export interface Dataset {
  readonly name: string;
  /** Records; mirrored ones count. */
  readonly length: number;
  readonly fields: Readonly<Record<string, Field>>;
  /** Names of the values of y. */
  readonly classes?: readonly string[];
  readonly captions?: readonly string[];
  /** Digest of every record, label and caption: equal keys train equally. */
  readonly key: string;
  /** Everything that decided the records, resolved, for options.json. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly skipped: readonly Skipped[];
  /** Pixels by which the decoded pictures are larger than x, at each side's axis; 0 when left out. */
  readonly jitter?: number;
  /**
   * Copies records into arrays of the caller, one for each field wanted: `out.x` of length
   * `indices.length * C * H * W`, row after row. `places` says where to cut x out of larger pictures:
   * row and column of each record, 0 to `jitter`; the middle without it. Synchronous; nothing is
   * decoded here.
   */
  read(indices: ArrayLike<number>, out: Batch, places?: ArrayLike<number>): void;
  close(): void;
}

/** Which records of a set: those to train on, those that are never trained on, or both. */
export type Part = "train" | "heldOut" | "all";

/** What the recipe needs and the user asked for. */
export interface DataRequest {
  /** A named set (`namedSets`), or the path of a folder or file. */
  readonly spec: string;
  readonly domain: "image" | "vector";
  /** Pixels; one alone means a square; without either, the pictures' own size. */
  readonly height?: number;
  readonly width?: number;
  /** 1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha; without it, 1 if all are grey, else 3. */
  readonly channels?: 1 | 2 | 3 | 4;
  /** How a picture of another shape is fitted; `crop` (centred) unless said otherwise. */
  readonly fit?: Fit;
  /** The colour under transparent pixels, and around padded pictures; white unless said otherwise. */
  readonly background?: string;
  /** Decodes so many pixels larger, so that a part at a random place can be cut out at each turn. */
  readonly jitter?: number;
  /** Asks for two pictures a record, x and `pair`, both of one size unless derived. */
  readonly pair?: PairRequest;
  /** Adds the mirror image of every picture: record i + n is record i mirrored, of n pictures. */
  readonly flip?: boolean;
  /** `use` unless said otherwise: labels if there are any. */
  readonly labels?: "require" | "use" | "ignore";
  /** At most so many records, evenly spaced over the set. */
  readonly limit?: number;
  /**
   * The share (above 0, below 1) of the records that is never trained on; which ones follows from
   * their content alone, class by class. A named set with a test split of its own holds that out.
   */
  readonly holdOut?: number;
  /** `train` unless said otherwise; without anything held out, that is all. */
  readonly part?: Part;
  readonly cacheDir: string;
  /** Narrows a named set, such as `{ group: "animals-nature" }`. */
  readonly select?: Readonly<Record<string, string>>;
}

/** Refuses a set of which nothing, or less than nine tenths, can be read. */
export function refuseTooMany(options: {
  readonly name: string;
  readonly total: number;
  readonly skipped: readonly Skipped[];
}): void {
  const { name, total, skipped } = options;
  if (skipped.length * 10 <= total && skipped.length < total) return;
  const shown = skipped.slice(0, 3).map((s) => `${s.file} (${s.reason})`);
  if (skipped.length > shown.length) shown.push(`and ${skipped.length - shown.length} more`);
  const share =
    skipped.length === total
      ? `None of the ${total} records of ${name} can be used`
      : `${skipped.length} of ${total} records of ${name} cannot be used, more than one in ten`;
  throw new UserError(`${share}: ${shown.join("; ")}. Repair or remove them first.`);
}

/** Names the first twenty records that were left out; `skipped` of the data set holds them all. */
export function warnSkipped(skipped: readonly Skipped[], hooks: Hooks): void {
  for (const one of skipped.slice(0, 20)) hooks.warn?.(leftOutLine(one));
  if (skipped.length > 20) hooks.warn?.(`Left out ${skipped.length - 20} more records like these.`);
}

/** `limit` indices spread evenly over 0..n-1, or all of them. */
export function spread(n: number, limit = n): number[] {
  const count = Math.min(n, limit);
  return Array.from({ length: count }, (_, i) => Math.floor((i * n) / count));
}

/** Array `name` of a batch, checked; undefined when the caller does not want that field. */
export function wanted<T extends Uint8Array | Float32Array | Int32Array>(
  out: Batch,
  name: string,
  type: abstract new (...args: never[]) => T,
  length: number,
): T | undefined {
  const array = out[name];
  if (array === undefined) return undefined;
  if (!(array instanceof type) || array.length !== length)
    throw new RangeError(`batch array ${name} must be a ${type.name} of length ${length}`);
  return array;
}

/** Reads y for `indices`. */
export function readLabels(
  labels: Int32Array | undefined,
  indices: ArrayLike<number>,
  out: Batch,
): void {
  const y = labels && wanted(out, "y", Int32Array, indices.length);
  if (y)
    for (let i = 0; i < indices.length; i++) y[i] = labels[(indices[i] ?? 0) % labels.length] ?? 0;
}
