import { UserError } from "@duelo/core";
import { existsSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { openBytes } from "./bytes.ts";
import { fileFingerprint } from "./files.ts";
import type { PictureSource } from "./source.ts";

/**
 * CIFAR binary (A. Krizhevsky, "The CIFAR-10 and CIFAR-100 datasets"): records of one label byte
 * (CIFAR-10) or a coarse and a fine one (CIFAR-100), then 32 x 32 red, green and blue planes.
 */
const side = 32;
const planeBytes = side * side;

function classNames(dir: string, nLabelBytes: number): string[] | undefined {
  const path = join(dir, nLabelBytes === 1 ? "batches.meta.txt" : "fine_label_names.txt");
  if (!existsSync(path)) return undefined;
  return readFileSync(path, "utf8").split(/\r?\n/).filter(Boolean);
}

function labelBytes(path: string): 1 | 2 {
  const size = statSync(path).size;
  const is10 = size > 0 && size % (1 + 3 * planeBytes) === 0;
  const is100 = size > 0 && size % (2 + 3 * planeBytes) === 0;
  if (is10 && is100) return existsSync(join(dirname(path), "fine_label_names.txt")) ? 2 : 1;
  if (!is10 && !is100)
    throw new UserError(
      `${basename(path)} has ${size} bytes, which is no whole number of CIFAR-10 (3,073) or CIFAR-100 (3,074) records. Download or unpack it again.`,
    );
  return is10 ? 1 : 2;
}

/** The training files of a CIFAR folder as its archive unpacks, in order; empty when it is none. */
export function cifarFiles(dir: string): string[] {
  const ten = [1, 2, 3, 4, 5].map((i) => join(dir, `data_batch_${i}.bin`));
  const names = existsSync(join(dir, "fine_label_names.txt")) ? [join(dir, "train.bin")] : ten;
  return names.filter((path) => existsSync(path));
}

function readLabels(
  files: readonly { read(i: number): Uint8Array; n: number }[],
  at: number,
): Int32Array {
  return Int32Array.from(
    files.flatMap((f) => Array.from({ length: f.n }, (_, i) => f.read(i)[at] ?? 0)),
  );
}

/** Pictures and labels of CIFAR files; for CIFAR-100 the fine labels. */
export function openCifar(options: {
  readonly paths: readonly string[];
  readonly name: string;
}): PictureSource {
  const { paths, name } = options;
  const nLabelBytes = labelBytes(paths[0] ?? "");
  const recordBytes = nLabelBytes + 3 * planeBytes;
  const files = paths.map((path) => {
    const size = statSync(path).size;
    const bytes = openBytes(path, () => Math.ceil(size / recordBytes) * recordBytes);
    return {
      path,
      n: size / recordBytes,
      bytes,
      read: (i: number) => bytes.read(i * recordBytes, recordBytes),
    };
  });
  const where = files.flatMap((file) => Array.from({ length: file.n }, (_, i) => ({ file, i })));
  const labels = readLabels(files, nLabelBytes - 1);
  const nClasses = nLabelBytes === 1 ? 10 : 100;
  const wrong = labels.findIndex((label) => label >= nClasses);
  if (wrong >= 0)
    throw new UserError(
      `${name}: record ${wrong} has label ${labels[wrong]}, but CIFAR-${nClasses} has ${nClasses} classes. The file is damaged, or not CIFAR.`,
    );
  const classes =
    classNames(dirname(paths[0] ?? ""), nLabelBytes) ??
    Array.from({ length: nClasses }, (_, i) => String(i));
  return {
    kind: "pictures",
    name,
    layout: `CIFAR-${nClasses}`,
    length: where.length,
    uniform: { height: side, width: side, channels: 3 },
    settings: {},
    skipped: [],
    others: [],
    fingerprint: fileFingerprint(paths),
    labels,
    classes,
    nameOf: (i) => `${basename(where[i]?.file.path ?? name)} #${where[i]?.i ?? i}`,
    load: async (i) => {
      const at = where[i];
      if (!at) throw new RangeError(`record ${i} of ${where.length}`);
      return { pixels: interleave(at.file.read(at.i).subarray(nLabelBytes)) };
    },
    close: () => {
      for (const file of files) file.bytes.close();
    },
  };
}

function interleave(planes: Uint8Array) {
  const data = new Uint8Array(planes.length);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < planeBytes; i++) data[3 * i + c] = planes[c * planeBytes + i] ?? 0;
  return { data, height: side, width: side, channels: 3 };
}
