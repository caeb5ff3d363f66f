import { InvalidArgumentError } from "commander";

/** A whole number of at least `least`, and at most `most` where there is such. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  const upTo = most === Number.MAX_SAFE_INTEGER ? "up" : `to ${most.toLocaleString("en")}`;
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It takes a whole number from ${least} ${upTo}.`);
    }
    return value;
  };
}

/** A number from `least` to `most`. */
export function between(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= least && value <= most)) {
      throw new InvalidArgumentError(`It takes a number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** A number above 0. */
export function positive(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < Infinity)) {
    throw new InvalidArgumentError("It takes a number above 0.");
  }
  return value;
}

/** A number from 0 up. */
export function zeroUp(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= 0 && value < Infinity)) {
    throw new InvalidArgumentError("It takes a number from 0 up.");
  }
  return value;
}

/** A number above 0 and below 1. */
export function share(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1)) {
    throw new InvalidArgumentError("It takes a number above 0 and below 1.");
  }
  return value;
}

/** A number from 0 to 1. */
export const part = between(0, 1);

/** Whole numbers from 0 up, such as `0,2,5` or `0-3,8`. */
export function numbers(text: string): number[] {
  const parts = text.split(",").map((part) => /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part.trim()));
  const listed = parts.flatMap((match) => {
    const [, first, last = first] = match ?? [];
    const n = Number(last) - Number(first) + 1;
    if (!(n >= 1 && n <= 10_000))
      throw new InvalidArgumentError("It takes numbers such as 0,2,5 or 0-3.");
    return Array.from({ length: n }, (_, i) => Number(first) + i);
  });
  return listed;
}

/** Numbers such as `0,0.5,1`. */
export function values(text: string): number[] {
  const listed = text.split(",").map((part) => (part.trim() === "" ? NaN : Number(part)));
  if (listed.every((v) => Number.isFinite(v))) return listed;
  throw new InvalidArgumentError("It takes numbers such as 0,0.5,1.");
}

/** Two names with a comma between them. */
export function two(text: string): [string, string] {
  const [first = "", second = "", ...more] = text.split(",").map((part) => part.trim());
  if (first !== "" && second !== "" && more.length === 0) return [first, second];
  throw new InvalidArgumentError("It takes two, with a comma between them: woman,man.");
}

/** Collects pairs of names of an option that may be repeated. */
export const twos = (
  text: string,
  before: readonly [string, string][] = [],
): [string, string][] => [...before, two(text)];

/** 1 grey, 3 colour, 4 colour and alpha. */
export function channels(text: string): 1 | 3 | 4 {
  if (text === "1") return 1;
  if (text === "3") return 3;
  if (text === "4") return 4;
  throw new InvalidArgumentError("It takes 1, 3 or 4.");
}

/** `64`, or `96x64`: height by width, in pixels. */
export function size(text: string): { height: number; width: number } {
  const [, height, width = height] = /^(\d{1,5})(?:x(\d{1,5}))?$/.exec(text) ?? [];
  if (!(Number(height) > 0 && Number(width) > 0)) {
    throw new InvalidArgumentError(
      "It takes pixels, 1 to 99,999: 64, or 96x64 for height and width.",
    );
  }
  return { height: Number(height), width: Number(width) };
}

/** Collects `key=value` options that may be repeated. */
export function pair(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const cut = text.indexOf("=");
  if (cut < 1) throw new InvalidArgumentError("It takes key=value.");
  return { ...before, [text.slice(0, cut)]: text.slice(cut + 1) };
}
