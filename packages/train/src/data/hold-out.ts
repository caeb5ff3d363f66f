import { UserError } from "@duelo/core";
import { createHash, hash } from "node:crypto";
import type { Dataset, Part } from "./dataset.ts";

const nAtOnce = 256;

/** Throws UserError for a share that leaves nothing on either side. */
export function checkShare(share: number | undefined): void {
  if (share === undefined || (share > 0 && share < 1)) return;
  throw new UserError(
    `The share to hold out is ${share}; it must be above 0 and below 1, such as 0.1.`,
  );
}

/**
 * Divides records into those to train on and those held out, by the digests of their content: of
 * each class, the `share` (0 to 1) of lowest digest is held out, and at least one record stays. So
 * neither the order of the files nor the seed of a run matters, and records of equal content are
 * never on both sides.
 * @returns indices into `digests`, ascending
 */
export function divide(options: {
  readonly digests: readonly string[];
  /** Class of each record; one class for all without it. */
  readonly labels?: ArrayLike<number> | undefined;
  readonly share: number;
}): { train: number[]; heldOut: number[] } {
  const { digests, labels, share } = options;
  const classes = new Map<number, number[]>();
  for (let i = 0; i < digests.length; i++) {
    const label = labels?.[i] ?? 0;
    const members = classes.get(label);
    if (members) members.push(i);
    else classes.set(label, [i]);
  }
  const chosen = new Set<number>();
  for (const members of classes.values()) {
    const n = Math.min(Math.round(share * members.length), members.length - 1);
    for (const i of byDigest(members, digests).slice(0, n)) chosen.add(i);
  }
  const trained = new Set(digests.filter((_, i) => !chosen.has(i)));
  const train: number[] = [];
  const heldOut: number[] = [];
  for (const [i, digest] of digests.entries()) (trained.has(digest) ? train : heldOut).push(i);
  return { train, heldOut };
}

function byDigest(members: readonly number[], digests: readonly string[]): number[] {
  const digestOf = (i: number): string => digests[i] ?? "";
  return members.toSorted((a, b) =>
    digestOf(a) < digestOf(b) ? -1 : digestOf(a) > digestOf(b) ? 1 : 0,
  );
}

/**
 * The part of a set that is to be trained on or held out. `mirrored` says that the second half of
 * the records are the mirror images of the first; a mirror image goes where its picture goes.
 * @throws UserError when one of the parts would be empty
 */
export function takePart(
  dataset: Dataset,
  options: { readonly share: number; readonly part: Part; readonly mirrored: boolean },
): Dataset {
  const { share, part, mirrored } = options;
  if (part === "all") return dataset;
  const nBase = mirrored ? dataset.length / 2 : dataset.length;
  const { digests, labels } = readContent(dataset, nBase);
  const { [part]: chosen, heldOut } = divide({ digests, labels, share });
  if (heldOut.length === 0) {
    throw new UserError(
      `Holding out ${share} of the ${nBase} records of ${dataset.name} leaves none to hold out. Give a larger share, or more records.`,
    );
  }
  const indices = mirrored ? [...chosen, ...chosen.map((i) => i + nBase)] : chosen;
  return subset(dataset, {
    indices: Int32Array.from(indices),
    key: createHash("sha256")
      .update(JSON.stringify([dataset.key, share, part]))
      .digest("hex"),
    settings: {
      ...dataset.settings,
      records: chosen.length,
      holdOut: { share, part, by: "content, within each class", records: heldOut.length },
    },
  });
}

/** Digest of the content of each of the first `n` records, and their labels. */
function readContent(dataset: Dataset, n: number): { digests: string[]; labels?: Int32Array } {
  const { x, y } = dataset.fields;
  const size = x?.shape.reduce((a, b) => a * b, 1) ?? 0;
  const digests: string[] = [];
  const labels = new Int32Array(n);
  for (let from = 0; from < n; from += nAtOnce) {
    const count = Math.min(nAtOnce, n - from);
    const indices = Int32Array.from({ length: count }, (_, i) => from + i);
    const values =
      x?.dtype === "uint8" ? new Uint8Array(count * size) : new Float32Array(count * size);
    dataset.read(indices, {
      x: values,
      ...(y ? { y: labels.subarray(from, from + count) } : {}),
    });
    const bytes = new Uint8Array(values.buffer);
    const nBytes = bytes.length / count;
    for (let i = 0; i < count; i++)
      digests.push(hash("sha256", bytes.subarray(i * nBytes, (i + 1) * nBytes)));
  }
  return { digests, ...(y ? { labels } : {}) };
}

/** Some records of a set as a set. */
function subset(
  dataset: Dataset,
  view: { indices: Int32Array; key: string; settings: Dataset["settings"] },
): Dataset {
  const { indices, key, settings } = view;
  const { captions } = dataset;
  return {
    ...dataset,
    length: indices.length,
    key,
    settings,
    ...(captions ? { captions: Array.from(indices, (i) => captions[i] ?? "") } : {}),
    read(wantedIndices, out, places) {
      const mapped = Int32Array.from(wantedIndices, (i) => {
        const index = indices[i];
        if (index === undefined) throw new RangeError(`record ${i} of a set of ${indices.length}`);
        return index;
      });
      dataset.read(mapped, out, places);
    },
    close: () => dataset.close(),
  };
}
