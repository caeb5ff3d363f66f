import { readdirSync } from "node:fs";

/**
 * What is particular to a recipe, in a file of its name beside this one: its smallest size, and the
 * numbers of trained weights at its full size, worked out from its source's layers one by one.
 */
export interface Facts {
  readonly tiny: Readonly<Record<string, number | string | boolean>>;
  /** One record of every field but labels, at the tiny and at the full size. */
  readonly shapes: readonly [tiny: readonly number[], full: readonly number[]];
  /** Of all stages of training together. */
  readonly parameters: Readonly<Record<string, number>>;
  /** What the authors counted, where that is not the defaults with ten classes. */
  readonly full?: {
    readonly nClasses?: number;
    readonly options?: Readonly<Record<string, number | string | boolean>>;
  };
  /**
   * Weights that are scaled where they are used, by the beginning of their names (the last that fits
   * counts), with the standard deviation that they are kept at.
   */
  readonly equalised?: Readonly<Record<string, number>>;
  /** Shape of one record's part of each result of each function but `sample`. */
  readonly outputs?: Readonly<Record<string, readonly number[]>>;
  /** Biases on which no loss depends: batch norm takes them away, or a difference of two means does. */
  readonly idle?: readonly string[];
}

const ending = ".facts.ts";

/** The names of all recipes about which there are facts. */
export const factNames = (): string[] =>
  readdirSync(import.meta.dirname).flatMap((file) =>
    file.endsWith(ending) ? [file.slice(0, -ending.length)] : [],
  );

/** The facts about the recipe of that name. */
export async function factsOf(recipe: string): Promise<Facts> {
  const file = (await import(`./${recipe}.facts.ts`)) as { default: Facts };
  return file.default;
}

/** Weights and biases of a dense layer. */
export const linear = (from: number, to: number): number => (from + 1) * to;
/** Weights of square kernels of side k between these channels. */
export const kernels = (k: number, ...channels: readonly number[]): number =>
  channels.slice(1).reduce((n, to, i) => n + k * k * (channels[i] ?? 0) * to, 0);
/** Gains and shifts of batch norms. */
export const norms = (...channels: readonly number[]): number =>
  channels.reduce((n, c) => n + 2 * c, 0);
export const total = (...numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Weights of the convolutions and norms of the shipped classifier of emoji. */
export const emojiClassifier =
  kernels(3, 3, 16, 32, 32, 64, 64, 64, 64) + norms(16, 32, 32, 64, 64, 64, 64);
