import { UserError } from "@duelo/core";
import { findOption, readOption, type OptionSpec, type OptionValue, type Recipe } from "@duelo/zoo";
import { fillUniform, streamOf } from "../random.ts";

/** Where values of an option are looked for: anywhere between two numbers, or among a few values. */
export type Range = { readonly from: number; readonly to: number } | readonly OptionValue[];

/** Options of a trial, those searched over alone. */
export type Choice = Readonly<Record<string, OptionValue>>;

/** A range that fits its option. */
export type Axis =
  | {
      readonly name: string;
      readonly kind: "number" | "int";
      readonly from: number;
      readonly to: number;
      /** The logarithm is uniform, as the range spans more than a decade. */
      readonly log: boolean;
    }
  | { readonly name: string; readonly kind: "values"; readonly values: readonly OptionValue[] };

/** Ranges of options, each checked; what a search draws from. */
export type Space = readonly Axis[];

/** `1e-5..1e-2`, or `16,32,64`, as a range. Throws UserError. */
export function readRange(name: string, text: string): Range {
  const [, from, to] = /^(.+?)\.\.(.+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined) return text.split(",").map((value) => value.trim());
  const ends = { from: Number(from), to: Number(to) };
  if (Number.isNaN(ends.from) || Number.isNaN(ends.to)) {
    throw new UserError(
      `The range ${name}=${text} has no numbers at its ends. Write it as ${name}=1e-5..1e-2, or list values: ${name}=16,32,64.`,
    );
  }
  return ends;
}

/**
 * Checks ranges against the options of a recipe.
 * @throws UserError for no range, an unknown option, an empty range, or a value that the option does not take
 */
export function spaceOf(recipe: Recipe, over: Readonly<Record<string, Range>>): Space {
  const axes = Object.entries(over).map(([name, range]) => {
    const spec = findOption(recipe.options, name);
    return "from" in range ? between(name, spec, range) : among(name, spec, range);
  });
  if (axes.length > 0) return axes.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  throw new UserError(
    "There is nothing to search over. Give at least one range, such as --over lr=1e-5..1e-2 or --over width=16,32,64.",
  );
}

function between(name: string, spec: OptionSpec, range: { from: number; to: number }): Axis {
  const { from, to } = range;
  if (spec.kind === "choice" || spec.kind === "flag") {
    const words = spec.kind === "flag" ? ["true", "false"] : spec.choices;
    throw new UserError(
      `Option ${name} takes words, not a range of numbers. List them: ${name}=${words.join(",")}.`,
    );
  }
  readOption(name, spec, from);
  readOption(name, spec, to);
  if (from >= to) {
    throw new UserError(
      `The range ${name}=${from}..${to} is empty: it has to begin below its end.`,
    );
  }
  const kind = spec.kind === "int" ? "int" : "number";
  return { name, kind, from, to, log: from > 0 && to / from > 10 };
}

function among(name: string, spec: OptionSpec, given: readonly OptionValue[]): Axis {
  if (given.every((value) => value === "")) {
    throw new UserError(`The range of ${name} is empty: it has no values.`);
  }
  const values = [...new Set(given.map((value) => readOption(name, spec, value)))];
  if (values.length > 1) return { name, kind: "values", values };
  throw new UserError(
    `The range of ${name} has one value, which leaves nothing to search. Use --set ${name}=${values[0]}.`,
  );
}

/** So many draws in a row that are not new: there is nothing more to find. */
const enoughDraws = 1000;

/**
 * The first `n` different trials of a seed, or as many as there are. The first ones of more are the
 * same: a trial depends on the seed and those before it.
 */
export function drawTrials(o: { space: Space; n: number; seed: number }): Choice[] {
  const { space, n, seed } = o;
  const found = new Map<string, Choice>();
  for (let counter = 0, last = 0; found.size < n && counter - last <= enoughDraws; counter++) {
    const choice = Object.fromEntries(
      space.map((axis) => [axis.name, valueAt(axis, uniformAt(axis.name, seed, counter))]),
    );
    const key = JSON.stringify(choice);
    if (found.has(key)) continue;
    found.set(key, choice);
    last = counter;
  }
  return [...found.values()];
}

function uniformAt(name: string, seed: number, counter: number): number {
  const u = new Float32Array(1);
  fillUniform(u, { seed, stream: streamOf(`tune ${name}`), counter });
  return u[0] ?? 0;
}

/** The value of an axis at a share `u` of it, 0 to below 1; numbers in three figures, to be read and typed. */
function valueAt(axis: Axis, u: number): OptionValue {
  if (axis.kind === "values") {
    return axis.values[Math.floor(u * axis.values.length)] ?? axis.values[0] ?? 0;
  }
  const { from, to, log, kind } = axis;
  // A whole number stands for the half on either side of it, so that both ends are as likely as others.
  const [low, high] = kind === "int" ? [from - 0.5, to + 0.5] : [from, to];
  const at = log ? low * (high / low) ** u : low + (high - low) * u;
  const value = kind === "int" ? Math.round(at) : Number(at.toPrecision(3));
  return Math.min(Math.max(value, from), to);
}
