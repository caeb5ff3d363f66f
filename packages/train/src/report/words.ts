/** `1,234,567`; at most `digits` significant digits where the number is not whole. */
export function numberText(value: number, digits = 3): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1000)
    return Math.round(value).toLocaleString("en");
  return value.toLocaleString("en", { maximumSignificantDigits: digits });
}

/** `45 s`, `4 min 31 s`, `2 h 5 min`. */
export function durationText(timeMs: number): string {
  const seconds = Math.round(timeMs / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `1 step`, `3 steps`. */
export const plural = (count: number, noun: string): string =>
  `${numberText(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Any value of `options.json` as a person would write it. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return value;
  return JSON.stringify(value) ?? "";
}
