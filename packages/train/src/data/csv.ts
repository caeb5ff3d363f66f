import { UserError } from "@duelo/core";
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import papaparse from "papaparse";
import { classesOf } from "./labels.ts";
import type { Skipped, VectorSource } from "./source.ts";

export const labelColumns = ["label", "class"];
const maxBytes = 500 * 2 ** 20; // what a JavaScript string holds

/** The rows of a CSV with a header; the separator is found by itself. */
export function readCsv(path: string): { columns: string[]; rows: Record<string, string>[] } {
  if (statSync(path).size > maxBytes)
    throw new UserError(
      `${basename(path)} is larger than 500 MiB. Save its numbers as .npy instead.`,
    );
  const text = readFileSync(path, "utf8").replace(/^\uFEFF/, "");
  const parsed = papaparse.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: "greedy",
  });
  const columns = parsed.meta.fields ?? [];
  if (columns.length === 0)
    throw new UserError(`${basename(path)} is empty: a CSV starts with a line of column names.`);
  const quotes = parsed.errors.find((e) => e.type === "Quotes");
  if (quotes)
    throw new UserError(
      `${basename(path)} has a quotation mark that never closes, in row ${(quotes.row ?? 0) + 1}.`,
    );
  return { columns, rows: parsed.data };
}

const isNumber = (text: string | undefined) =>
  text !== undefined && text.trim() !== "" && Number.isFinite(Number(text));

/** A column is numeric when most of its values are numbers; the rows where it is not are left out. */
function isNumeric(rows: readonly Record<string, string>[], column: string): boolean {
  return rows.filter((row) => isNumber(row[column])).length * 2 > rows.length;
}

/**
 * The numeric columns of a CSV as float32 vectors; a column named `label` or `class` becomes the
 * label. Other columns of words are left out and named in `settings`.
 */
export function openCsv(path: string, name: string): VectorSource {
  const { columns, rows } = readCsv(path);
  if (columns.every(isNumber))
    throw new UserError(
      `${basename(path)} starts with numbers, not with the names of its columns. Add a first line that names them.`,
    );
  const labelColumn = columns.find((c) => labelColumns.includes(c.toLowerCase()));
  const numeric = columns.filter((c) => c !== labelColumn && isNumeric(rows, c));
  if (numeric.length === 0)
    throw new UserError(
      `${basename(path)} has no column of numbers under the names ${columns.slice(0, 5).join(", ")}. Its first line must name the columns.`,
    );
  const skipped: Skipped[] = [];
  const kept = rows.filter((row, i) => {
    const bad = numeric.find((c) => !isNumber(row[c]));
    const reason =
      bad !== undefined
        ? `column ${bad} is ${row[bad]?.trim() ? `"${row[bad]}"` : "empty"}`
        : labelColumn !== undefined && !row[labelColumn]?.trim()
          ? `column ${labelColumn} is empty`
          : undefined;
    if (reason !== undefined) skipped.push({ file: `${basename(path)} row ${i + 1}`, reason });
    return reason === undefined;
  });
  const x = Float32Array.from(kept.flatMap((row) => numeric.map((c) => Number(row[c]))));
  const words = columns.filter((c) => c !== labelColumn && !numeric.includes(c));
  return {
    kind: "vectors",
    name,
    layout: "CSV",
    settings: { columns: numeric, ...(words.length > 0 ? { columnsLeftOut: words } : {}) },
    skipped,
    x,
    columns: numeric,
    ...(labelColumn !== undefined
      ? classesOf(kept.map((row) => row[labelColumn]?.trim() ?? ""))
      : {}),
  };
}
