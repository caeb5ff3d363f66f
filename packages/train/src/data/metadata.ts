import { UserError } from "@duelo/core";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { z } from "zod";
import { labelColumns, readCsv } from "./csv.ts";
import type { Entry, Listed } from "./files.ts";
import type { Skipped } from "./source.ts";

const captionColumns = ["text", "caption", "prompt"];
const rowSchema = z.record(z.string(), z.unknown());

export const isMetadataName = (name: string): boolean =>
  ["metadata.jsonl", "metadata.csv"].includes(posix.basename(name));

function readRows(file: Listed): Record<string, unknown>[] {
  if (file.name.endsWith(".csv")) return readCsv(file.path).rows;
  const lines = readFileSync(file.path, "utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    try {
      return [rowSchema.parse(JSON.parse(line))];
    } catch {
      throw new UserError(
        `${file.name} line ${i + 1} is not a JSON object. Each line is one, with a file_name.`,
      );
    }
  });
}

/** The value of the first of `columns` in the row, as text; undefined when there is none. */
function valueOf(row: Record<string, unknown>, columns: readonly string[]): string | undefined {
  for (const [column, value] of Object.entries(row)) {
    if (!columns.includes(column.toLowerCase())) continue;
    if (typeof value === "number") return String(value);
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return undefined;
}

/**
 * Entries of Hugging Face's image-folder convention: each row has a `file_name`, relative to the
 * folder of its metadata file, and may have a `label` (or `class`) and a `text` (or `caption`).
 * A name can only mean a file that was found below the folder, so none leads out of it.
 */
export function readMetadata(
  metadata: readonly Listed[],
  pictures: readonly Listed[],
): { entries: Entry[]; skipped: Skipped[] } {
  const found = new Map(pictures.map((f) => [f.name, f]));
  const entries: Entry[] = [];
  const skipped: Skipped[] = [];
  for (const file of metadata) {
    for (const [i, row] of readRows(file).entries()) {
      const fileName = row["file_name"];
      if (typeof fileName !== "string" || fileName === "")
        throw new UserError(
          `${file.name} row ${i + 1} has no file_name. Each row names its picture there.`,
        );
      const path = posix.normalize(posix.join(posix.dirname(file.name), fileName));
      if (posix.isAbsolute(fileName) || path.startsWith("../"))
        throw new UserError(
          `${file.name} row ${i + 1} names ${fileName}, which leads out of the folder. Only files inside it are read.`,
        );
      const picture = found.get(path);
      if (!picture) skipped.push({ file: path, reason: `named in ${file.name}, but not there` });
      else
        entries.push({
          file: picture,
          label: valueOf(row, labelColumns),
          caption: valueOf(row, captionColumns),
        });
    }
  }
  if (!entries.some((e) => e.label !== undefined)) return { entries, skipped };
  for (const e of entries.filter((e) => e.label === undefined))
    skipped.push({ file: e.file.name, reason: "has no label in the metadata" });
  return { entries: entries.filter((e) => e.label !== undefined), skipped };
}
