import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";

/** Samples of one side of a judgement: what was made, or what it is held against. All in memory. */
export interface Side {
  /** For people: `0003-dcgan-emoji at step 3,000`, `emoji`, `made`. */
  readonly name: string;
  /** Training steps behind the generator that made them. */
  readonly step?: number;
  /** Of one sample: [C, H, W] of images, [D] of points and rows of a table. */
  readonly shape: readonly number[];
  readonly n: number;
  /** Records of the set that they were taken of, where that has more. */
  readonly of?: number;
  /** Whether the judged run was trained on that set. */
  readonly trainedOn?: boolean;
  /** Images as uint8, one after the other; points as float32. */
  readonly data: Uint8Array | Float32Array;
  /** Class of each sample, where there are classes. */
  readonly labels?: Int32Array;
  readonly classes: readonly string[];
  /** Digest of all of it: equal keys are equal samples. */
  readonly key: string;
  /** How images came to their size, such as `crop to 32x32`. */
  readonly resizer: string;
  /** Which part of a set: `train`, `split=test`, `held out`; left out where it is the whole. */
  readonly split?: string;
}

/** Whether two lists of classes are the same, in the same order. */
export const sameClasses = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((name, i) => name === b[i]);

export const areImages = ({ shape }: Side): boolean => shape.length === 3;

/** Points as a matrix, a row a sample; images as their raw values. The memory is shared for points. */
export function rowsOf({ n, data }: Side): Matrix {
  const cols = n === 0 ? 0 : data.length / n;
  return { rows: n, cols, data: data instanceof Float32Array ? data : Float32Array.from(data) };
}

/** Images as pictures from 0 to 255; the memory is shared. */
export function picturesOf({ shape, n, data }: Side): Pictures {
  const [c = 1, h = 1, w = 1] = shape;
  return { shape: [n, c, h, w], data };
}

/** `3x64x64` as people say it: `64 x 64 pixels, RGB`. */
export function shapeText(shape: readonly number[]): string {
  const [c = 0, h, w] = shape;
  if (h === undefined || w === undefined) return `rows of ${c} numbers`;
  const colours = ["", "grey", "grey and alpha", "RGB", "RGB and alpha"][c] ?? `${c} channels`;
  return `${h} x ${w} pixels, ${colours}`;
}
