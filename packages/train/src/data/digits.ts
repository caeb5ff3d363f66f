import { UserError } from "@duelo/core";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { decodeWhole } from "./decode.ts";
import { fileFingerprint } from "./files.ts";
import type { PictureSource } from "./source.ts";

interface Digits {
  readonly name: string;
  readonly path: string;
  readonly side: number;
  readonly data: Uint8Array; // [N, side, side]
  readonly labels: Int32Array; // [N]
}

function digitsSource({ name, path, side, data, labels }: Digits): PictureSource {
  const size = side * side;
  return {
    kind: "pictures",
    name,
    layout: "digits",
    length: labels.length,
    uniform: { height: side, width: side, channels: 1 },
    settings: {},
    skipped: [],
    others: [],
    fingerprint: fileFingerprint([path]),
    labels,
    classes: Array.from({ length: 10 }, (_, i) => String(i)),
    nameOf: (i) => `${name} #${i}`,
    load: async (i) => ({
      pixels: {
        data: data.subarray(i * size, (i + 1) * size),
        height: side,
        width: side,
        channels: 1,
      },
    }),
    close: () => {},
  };
}

/** OpenCV's digits.png: 50 rows of 100 digits of 20 x 20, five rows for each of 0 to 9. */
export async function digitsSheet(path: string): Promise<PictureSource> {
  const side = 20;
  const sheet = await decodeWhole(readFileSync(path), { height: 1, width: 1 });
  if (sheet.width !== 2000 || sheet.height !== 1000)
    throw new UserError(
      `${path} is ${sheet.width} x ${sheet.height} pixels, not the 2000 x 1000 of OpenCV's digits.`,
    );
  const data = new Uint8Array(5000 * side * side);
  for (let y = 0; y < 1000; y++)
    for (let x = 0; x < 2000; x++) {
      const digit = Math.floor(y / side) * 100 + Math.floor(x / side);
      data[(digit * side + (y % side)) * side + (x % side)] =
        sheet.data[(y * 2000 + x) * sheet.channels] ?? 0;
    }
  const labels = Int32Array.from({ length: 5000 }, (_, i) => Math.floor(i / 500));
  return digitsSource({ name: "digits", path, side, data, labels });
}

/** scikit-learn's digits.csv.gz: 64 values 0..16 and the digit, in each line. */
export function digitsTable(path: string): PictureSource {
  const lines = gunzipSync(readFileSync(path), { maxOutputLength: 2 ** 24 })
    .toString("utf8")
    .trim()
    .split("\n");
  const rows = lines.map((line) => line.split(",").map(Number));
  const data = Uint8Array.from(
    rows.flatMap((row) => row.slice(0, 64).map((v) => Math.round((v * 255) / 16))),
  );
  const labels = Int32Array.from(rows, (row) => row[64] ?? 0);
  if (data.length !== labels.length * 64)
    throw new UserError(`${path} does not hold lines of 65 numbers.`);
  return digitsSource({ name: "digits-8x8", path, side: 8, data, labels });
}
