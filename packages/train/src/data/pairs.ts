import { UserError } from "@duelo/core";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { extname, join } from "node:path";
import { decodeWhole, PictureError, readHeader } from "./decode.ts";
import { locate } from "./locate.ts";
import type { Select } from "./named.ts";
import { pick, type Picture, type PictureSource, type Pixels, type Skipped } from "./source.ts";

/** Ways in which both halves of a pair come from one picture. */
export const derivations = ["halves", "grey", "x2", "x4"] as const;
/**
 * `halves`: x is the left half of each picture and pair the right one; `grey`: x is the lightness of
 * pair; `x2`, `x4`: x is pair at a half or a quarter of its size.
 */
export type Derivation = (typeof derivations)[number];

/** Where the second picture of each record comes from. */
export interface PairRequest {
  /** Another set, whose records are found by name; the same set unless said otherwise. */
  readonly spec?: string;
  readonly select?: Select;
  /** Makes both from one picture in place of another set. */
  readonly derive?: Derivation;
  /** Channels of the second picture; as `channels` of the first. */
  readonly channels?: 1 | 2 | 3 | 4;
}

/** Opens pictures that come two by two. Throws UserError. */
export async function locatePairs(options: {
  readonly spec: string;
  readonly select: Select;
  readonly pair: PairRequest;
}): Promise<PictureSource> {
  const { spec, select, pair } = options;
  const open = async (from: string, chosen: Select): Promise<PictureSource> => {
    const source = await locate({ spec: from, domain: "image", select: chosen });
    if (source.kind === "pictures") return source;
    throw new UserError(
      `${source.name} holds points, but this recipe trains on pairs of pictures.`,
    );
  };
  if (pair.derive !== undefined) {
    const source = await open(spec, select);
    return pair.derive === "halves" ? halves(source) : source;
  }
  if (pair.spec !== undefined || pair.select !== undefined) {
    const second = pair.select ?? (pair.spec === undefined ? select : {});
    return matched(await open(spec, select), await open(pair.spec ?? spec, second));
  }
  const folders = twoFolders(spec);
  if (folders !== undefined)
    return matched(await open(folders[0], select), await open(folders[1], select));
  throw new UserError(
    `${spec} holds single pictures, but this recipe trains on pairs. Name the second set with --to, or make pairs with --derive (${derivations.join(", ")}).`,
  );
}

/** The sub-folders A and B (or trainA and trainB) of a folder that has both. */
export function twoFolders(spec: string): readonly [a: string, b: string] | undefined {
  for (const [a, b] of [
    ["A", "B"],
    ["trainA", "trainB"],
  ] as const) {
    if (existsSync(join(spec, a)) && existsSync(join(spec, b)))
      return [join(spec, a), join(spec, b)];
  }
  return undefined;
}

/** What a record is matched by: its key, or its name without the extension. */
const keyOf = (source: PictureSource, index: number): string => {
  const name = source.nameOf(index);
  return source.keys?.[index] ?? name.slice(0, name.length - extname(name).length);
};

/** The records of two sets that have the same key; the others are left out and named. */
export function matched(a: PictureSource, b: PictureSource): PictureSource {
  const places = new Map(Array.from({ length: b.length }, (_, i) => [keyOf(b, i), i]));
  const kept: { a: number; b: number }[] = [];
  const skipped: Skipped[] = [...a.skipped, ...b.skipped];
  for (let i = 0; i < a.length; i++) {
    const other = places.get(keyOf(a, i));
    if (other === undefined) skipped.push(alone(a, i, b));
    else {
      places.delete(keyOf(a, i));
      kept.push({ a: i, b: other });
    }
  }
  skipped.push(...[...places.values()].map((i) => alone(b, i, a)));
  const indices = kept.map((k) => k.a);
  const at = (i: number): { a: number; b: number } => {
    const found = kept[i];
    if (found === undefined) throw new RangeError(`pair ${i} of ${kept.length}`);
    return found;
  };
  const { labels, classes, captions } = a;
  return {
    kind: "pictures",
    name: a.name === b.name ? a.name : `${a.name}-${b.name}`,
    layout: "pairs",
    length: kept.length,
    settings: { a: a.settings, b: b.settings },
    skipped,
    others: [...a.others, ...b.others],
    fingerprint: createHash("sha256").update(`${a.fingerprint}${b.fingerprint}`).digest("hex"),
    ...(labels && classes
      ? { labels: Int32Array.from(indices, (i) => labels[i] ?? 0), classes }
      : {}),
    ...(captions ? { captions: pick(captions, indices) } : {}),
    nameOf: (i) => a.nameOf(at(i).a),
    load: (i) => a.load(at(i).a),
    partner: async (i) => {
      const [first, second] = [await a.load(at(i).a), await b.load(at(i).b)];
      await demandSameShape(first, second, b.nameOf(at(i).b));
      return second;
    },
    close() {
      a.close();
      b.close();
    },
  };
}

const alone = (source: PictureSource, index: number, other: PictureSource): Skipped => ({
  file: source.nameOf(index),
  reason: `has no partner of that name in ${other.name}`,
});

/** Height and width may differ by one factor, as a photograph and its small copy do, and no more. */
async function demandSameShape(a: Picture, b: Picture, name: string): Promise<void> {
  const [one, two] = [await sizeOf(a), await sizeOf(b)];
  if (one.height * two.width === two.height * one.width) return;
  throw new PictureError(
    `is ${one.width} x ${one.height}, but its partner ${name} is ${two.width} x ${two.height}`,
  );
}

const sizeOf = (picture: Picture): Promise<{ height: number; width: number }> | Pixels =>
  "pixels" in picture ? picture.pixels : readHeader(picture.encoded);

/** Pictures that hold two side by side, as pix2pix's own sets do: left and right half. */
function halves(source: PictureSource): PictureSource {
  const half = async (i: number, right: boolean): Promise<Picture> => {
    const picture = await source.load(i);
    const whole =
      "pixels" in picture
        ? picture.pixels
        : await decodeWhole(picture.encoded, { height: 1, width: 1 });
    if (whole.width % 2 === 1)
      throw new PictureError(`is ${whole.width} pixels wide, which has no two halves`);
    return { pixels: cut(whole, right) };
  };
  const { uniform, ...rest } = source;
  return {
    ...rest,
    ...(uniform === undefined ? {} : { uniform: { ...uniform, width: uniform.width / 2 } }),
    layout: `${source.layout}, halves`,
    load: (i) => half(i, false),
    partner: (i) => half(i, true),
  };
}

function cut({ data, height, width, channels }: Pixels, right: boolean): Pixels {
  const row = (width / 2) * channels;
  const out = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) {
    const from = (2 * y + Number(right)) * row;
    out.set(data.subarray(from, from + row), y * row);
  }
  return { data: out, height, width: width / 2, channels };
}
