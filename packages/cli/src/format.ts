const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `12,345`. */
export const count = (n: number): string => grouped.format(n);

/** `1 image`, `2 images`. */
export const plural = (n: number, noun: string): string =>
  `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

/** `8 s`, `4 m 05 s`, `2 h 10 m`; `?` while it is not known. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const [minutes, rest] = [Math.floor(whole / 60), whole % 60];
  if (minutes < 60) return `${minutes} m ${String(rest).padStart(2, "0")} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

/** `512 B`, `1.5 kB`, `24 MB`: powers of 1000, two figures. */
export function byteSize(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3), units.length - 1);
  const value = bytes / 1000 ** power;
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`;
}

/** A number in about three figures: `0.0132`, `1.24`, `-13.5`, `1.2e+7`. */
export function figures(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 1e5)) return value.toExponential(1);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size === 0 ? 2 : 4);
}

/** Rows in columns two spaces apart; the last column is left as long as it is. */
export function table(rows: readonly (readonly string[])[], indent = ""): string {
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, c) => (c === row.length - 1 ? cell : cell.padEnd(widths[c] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => `${indent}${line}\n`).join("");
}

/** Breaks text into lines of at most `width` letters; the first begins with `first`, others with as many spaces. */
export function wrapped(text: string, { first = "", width = 100 } = {}): string {
  const lines: string[] = [];
  let line = first;
  const blank = " ".repeat(first.length);
  for (const word of text.split(/\s+/)) {
    const gap = line.length > first.length ? " " : "";
    if (gap !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = blank + word;
    } else line += gap + word;
  }
  return [...lines, line].map((l) => `${l}\n`).join("");
}
