import { suggestion, UserError } from "@duelo/core";

interface Documented {
  /** One line for `--help`. */
  readonly about: string;
  /** Where the default comes from: `(Table 2)`, `[1: train.py]`, `ours: …`. */
  readonly source: string;
}
export interface NumberOption extends Documented {
  readonly kind: "number" | "int";
  readonly default: number;
  readonly min: number;
  readonly max: number;
}
export interface ChoiceOption<T extends string = string> extends Documented {
  readonly kind: "choice";
  readonly default: T;
  readonly choices: readonly T[];
}
export interface FlagOption extends Documented {
  readonly kind: "flag";
  readonly default: boolean;
}
export type OptionSpec = NumberOption | ChoiceOption | FlagOption;
export type OptionTable = Readonly<Record<string, OptionSpec>>;
export type OptionValue = number | string | boolean;

/** The values of an option table, by name. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends NumberOption
    ? number
    : T[K] extends ChoiceOption<infer C>
      ? C
      : boolean;
};

type Made<S> = Omit<S, "kind">;
/** A whole number from `min` to `max`. */
export const int = (o: Made<NumberOption>): NumberOption => ({ kind: "int", ...o });
/** A number from `min` to `max`. */
export const number = (o: Made<NumberOption>): NumberOption => ({ kind: "number", ...o });
/** One of a few words. */
export const choice = <const T extends string>(o: Made<ChoiceOption<T>>): ChoiceOption<T> => ({
  kind: "choice",
  ...o,
});
/** True or false. */
export const flag = (o: Made<FlagOption>): FlagOption => ({ kind: "flag", ...o });

/** Checks one value, given as itself or as text. Throws UserError. */
export function readOption(name: string, spec: OptionSpec, given: OptionValue): OptionValue {
  if (spec.kind === "flag") {
    if (given === true || given === "true") return true;
    if (given === false || given === "false") return false;
    throw new UserError(`Option ${name} is "${given}"; it takes true or false.`);
  }
  if (spec.kind === "choice") {
    if (spec.choices.includes(String(given))) return String(given);
    const near = suggestion(String(given), spec.choices);
    throw new UserError(
      `Option ${name} is "${given}"; it takes ${spec.choices.join(", ")}.${near}`,
    );
  }
  const value = typeof given === "string" && given.trim() !== "" ? Number(given) : given;
  const whole = spec.kind === "int" ? "a whole number" : "a number";
  const fits =
    typeof value === "number" &&
    value >= spec.min &&
    value <= spec.max &&
    (spec.kind === "number" || Number.isInteger(value));
  if (!fits) {
    throw new UserError(
      `Option ${name} is "${given}"; it takes ${whole} from ${spec.min} to ${spec.max}.`,
    );
  }
  return value;
}

/** An option of a table by name. Throws UserError with the nearest name. */
export function findOption(table: OptionTable, name: string): OptionSpec {
  const spec = Object.hasOwn(table, name) ? table[name] : undefined;
  if (spec !== undefined) return spec;
  const known = Object.keys(table);
  const near = suggestion(name, known) || ` Options: ${known.join(", ")}.`;
  throw new UserError(`There is no option "${name}".${near}`);
}

/**
 * All values of a table: `given` over the defaults, each checked; a name that is not in the table
 * is refused with the nearest one suggested. Throws UserError.
 */
export function resolveOptions(
  table: OptionTable,
  given: Readonly<Record<string, OptionValue>>,
): Record<string, OptionValue> {
  for (const name of Object.keys(given)) findOption(table, name);
  return Object.fromEntries(
    Object.entries(table).map(([name, spec]) => [
      name,
      readOption(name, spec, given[name] ?? spec.default),
    ]),
  );
}
