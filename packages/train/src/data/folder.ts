import { UserError } from "@duelo/core";
import { basename, extname } from "node:path";
import {
  isPictureName,
  listFiles,
  listingFingerprint,
  pictureFormats,
  readEncoded,
  type Entry,
  type Listed,
} from "./files.ts";
import { classesOf } from "./labels.ts";
import { isMetadataName, readMetadata } from "./metadata.ts";
import { PictureError } from "./decode.ts";
import type { PictureSource, Skipped } from "./source.ts";

const maxFileBytes = 2 ** 30;
const splitNames = new Set(["train", "test", "val", "valid", "validation", "dev"]);

/** A source of one picture a file, in the order given. Labels are used when every entry has one. */
export function pictureFiles(options: {
  readonly name: string;
  readonly layout: string;
  readonly entries: readonly Entry[];
  readonly fingerprint: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly skipped?: readonly Skipped[];
  readonly others?: readonly string[];
}): PictureSource {
  const { name, layout, entries, fingerprint, settings = {}, skipped = [], others = [] } = options;
  const labels = entries.flatMap((e) => e.label ?? []);
  const captioned = entries.some((e) => e.caption !== undefined);
  return {
    kind: "pictures",
    name,
    layout,
    length: entries.length,
    settings,
    skipped,
    others,
    fingerprint,
    ...(labels.length === entries.length && labels.length > 0 ? classesOf(labels) : {}),
    ...(captioned ? { captions: entries.map((e) => e.caption ?? "") } : {}),
    ...(entries.some((e) => e.key !== undefined)
      ? { keys: entries.map((e) => e.key ?? e.file.name) }
      : {}),
    nameOf: (i) => entries[i]?.file.name ?? `#${i}`,
    load: async (i) => {
      const file = entries[i]?.file;
      if (!file) throw new RangeError(`record ${i} of ${entries.length}`);
      return { encoded: await readPicture(file) };
    },
    close: () => {},
  };
}

async function readPicture(file: Listed): Promise<Uint8Array> {
  if (file.stats.size > maxFileBytes) throw new PictureError("larger than 1 GiB");
  return readEncoded(file.path);
}

function noPictures(root: string, files: readonly Listed[]): UserError {
  if (files.length === 0)
    return new UserError(`The folder ${root} is empty. Put pictures (${pictureFormats}) in it.`);
  const kinds = [
    ...new Set(files.map((f) => extname(f.name).toLowerCase() || "without extension")),
  ];
  return new UserError(
    `The folder ${root} holds no pictures, only ${files.length} other ${files.length === 1 ? "file" : "files"} (${kinds.slice(0, 4).join(", ")}). Pictures are ${pictureFormats} files.`,
  );
}

/** Class folders: the first part of the path is the class, when no picture lies outside of one. */
function classFolders(pictures: readonly Listed[], root: string): Entry[] | undefined {
  const tops = new Set(
    pictures.map((f) => (f.name.includes("/") ? (f.name.split("/")[0] ?? "") : "")),
  );
  if (tops.has("")) return undefined;
  if (tops.has("train") && [...tops].every((t) => splitNames.has(t)))
    throw new UserError(
      `The folder ${root} holds splits (${[...tops].join(", ")}), not classes. Name one of them: ${root.replace(/\/$/, "")}/train.`,
    );
  return pictures.map((file) => ({ file, label: file.name.split("/")[0] }));
}

/**
 * A folder of pictures. With `metadata.jsonl` or `metadata.csv` (Hugging Face's image folder) the set
 * is what they name; else sub-folders are classes; else the pictures have no labels.
 */
export function openFolder(root: string): PictureSource {
  const files = listFiles(root);
  const pictures = files.filter((f) => isPictureName(f.name));
  if (pictures.length === 0) throw noPictures(root, files);
  const name = basename(root);
  const others = files
    .filter((f) => !isPictureName(f.name) && !isMetadataName(f.name))
    .map((f) => f.name);
  const metadata = files.filter((f) => isMetadataName(f.name));
  if (metadata.length > 0) {
    const { entries, skipped } = readMetadata(metadata, pictures);
    const named = new Set(entries.map((e) => e.file.name));
    const fingerprint = listingFingerprint([...metadata, ...pictures]);
    others.push(...pictures.filter((f) => !named.has(f.name)).map((f) => f.name));
    return pictureFiles({
      name,
      layout: "image folder with metadata",
      entries,
      skipped,
      others,
      fingerprint,
    });
  }
  const classes = classFolders(pictures, root);
  return pictureFiles({
    name,
    layout: classes ? "class folders" : "image folder",
    entries: classes ?? pictures.map((file) => ({ file })),
    others,
    fingerprint: listingFingerprint(pictures),
  });
}
