/** Why one file or row was left out. `file` is the name that the user knows. */
export interface Skipped {
  readonly file: string;
  readonly reason: string;
}

/** The sentence for one that was left out. */
export const leftOutLine = ({ file, reason }: Skipped): string => `Left out ${file}: ${reason}.`;

/** Pixels as they came: rows of interleaved channels, `data.length === height * width * channels`. */
export interface Pixels {
  readonly data: Uint8Array; // [H, W, C]
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** One record before decoding: the bytes of a file, or pixels from a packed set. */
export type Picture = { readonly encoded: Uint8Array } | { readonly pixels: Pixels };

interface SourceBase {
  /** Short name for people: `emoji`, `photos`. */
  readonly name: string;
  /** What it was read as: "image folder", "IDX", ... */
  readonly layout: string;
  /** Class of each record, an index into `classes`. */
  readonly labels?: Int32Array;
  readonly classes?: readonly string[];
  readonly captions?: readonly string[];
  /** What was chosen on the way in (group, split, ...), for `settings`. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Records that are known to be unusable before anything is decoded. */
  readonly skipped: readonly Skipped[];
}

/** Pictures that can be loaded one by one. */
export interface PictureSource extends SourceBase {
  readonly kind: "pictures";
  readonly length: number;
  /** The size of every record, when the layout fixes it. */
  readonly uniform?: { readonly height: number; readonly width: number; readonly channels: number };
  /** Files that are not pictures and were passed over. */
  readonly others: readonly string[];
  /** Changes whenever a file is added, removed, renamed or written; reads no content. */
  readonly fingerprint: string;
  /** What each record is matched by when two sets make pairs; its name without extension otherwise. */
  readonly keys?: readonly string[];
  nameOf(index: number): string;
  load(index: number): Promise<Picture>;
  /** The picture that goes with it, where records are pairs. */
  partner?(index: number): Promise<Picture>;
  close(): void;
}

/** Vectors, all in memory. */
export interface VectorSource extends SourceBase {
  readonly kind: "vectors";
  readonly x: Float32Array; // [N, D]
  readonly columns: readonly string[]; // names of the D columns
}

export type Source = PictureSource | VectorSource;

export interface Hooks {
  progress?(done: number, total: number, what: string): void;
  warn?(line: string): void;
  signal?: AbortSignal;
}

/** `values` at `indices`, as the same kind of array. */
export function pick<T>(values: readonly T[], indices: readonly number[]): T[] {
  return indices.flatMap((i) => values.slice(i, i + 1));
}
