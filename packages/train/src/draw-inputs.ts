import { suggestion, UserError } from "@duelo/core";
import { drawNoise } from "./draw-noise.ts";
import type { Feeds } from "./feeder.ts";
import type { FunctionCard } from "./function-card.ts";

/**
 * Noise and classes for every input of a function that is not of a record. Throws UserError for a class
 * or truncation that it has no use for.
 */
export function drawInputs(
  request: {
    readonly n: number;
    readonly seed?: number;
    readonly truncation?: number | undefined;
    readonly label?: string | undefined;
    /** The class of each sample in place of `label`. */
    readonly labels?: Int32Array;
    /** Which samples; 0 to n - 1 unless said otherwise. */
    readonly numbers?: ArrayLike<number>;
  },
  { inputs, classes }: FunctionCard,
): Feeds {
  const { n, seed = 0, truncation, label } = request;
  const numbers = request.numbers ?? Int32Array.from({ length: n }, (_, i) => i);
  const drawn = inputs.filter((i) => i.ofRecord === undefined);
  if (truncation !== undefined && !drawn.some((i) => i.kind === "normal")) {
    throw new UserError("Truncation needs a generator of normal noise, which this one is not.");
  }
  if (label !== undefined && !drawn.some((i) => i.kind === "label")) {
    throw new UserError("This generator knows no classes, so --label has nothing to choose.");
  }
  const feeds: Feeds = {};
  for (const input of drawn) {
    feeds[input.name] =
      input.kind === "label"
        ? { dtype: "int32", shape: [n], data: request.labels ?? labelsFor(numbers, label, classes) }
        : drawNoise({ input, n, seed, numbers, truncation });
  }
  return feeds;
}

/** The class of each sample by its number: `label`, by name or number, or every class in turn. Throws UserError. */
export function labelsFor(
  numbers: ArrayLike<number>,
  label: string | undefined,
  classes: readonly string[],
): Int32Array {
  if (label === undefined) return Int32Array.from(numbers, (i) => i % classes.length);
  const number = /^\d+$/.test(label) ? Number(label) : Number.NaN;
  const index = classes.includes(label) ? classes.indexOf(label) : number;
  if (!Number.isInteger(index) || index < 0 || index >= classes.length) {
    const near = suggestion(label, classes);
    throw new UserError(`There is no class "${label}".${near} Classes: ${classes.join(", ")}.`);
  }
  return new Int32Array(numbers.length).fill(index);
}
