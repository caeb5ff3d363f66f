import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { z } from "zod";
import { fileFingerprint, listFiles, listingFingerprint, type Entry } from "./files.ts";
import { pictureFiles } from "./folder.ts";
import type { PictureSource } from "./source.ts";

const skinSchema = z.object({ hexcode: z.string(), label: z.string() });
const emojiSchema = z.array(
  skinSchema.extend({ group: z.int().optional(), skins: z.array(skinSchema).optional() }),
);
const groupsSchema = z.object({ groups: z.record(z.string(), z.string()) });

/**
 * Code points as both packages mean them: without the variation selector FE0F, which one writes and
 * the other leaves out, without the tag that ends a flag (E007F), and without leading zeros.
 */
function codePoints(hex: string): string {
  const codes = hex.split(/[-_]/).map((code) => Number.parseInt(code, 16));
  return codes
    .filter((code) => code !== 0xfe0f && code !== 0xe007f)
    .map((code) => code.toString(16))
    .join("-");
}

interface Meaning {
  readonly group: string;
  readonly caption: string;
  readonly tone: boolean; // one of the five skin tones of another emoji
}

function readMeanings(data: string): Map<string, Meaning> {
  const json = (path: string): unknown => JSON.parse(readFileSync(join(data, path), "utf8"));
  const { groups } = groupsSchema.parse(json("meta/groups.json"));
  const out = new Map<string, Meaning>();
  for (const { hexcode, label, group, skins } of emojiSchema.parse(json("en/data.json"))) {
    const name = groups[String(group)];
    if (name === undefined || name === "component") continue;
    out.set(codePoints(hexcode), { group: name, caption: label, tone: false });
    for (const skin of skins ?? [])
      out.set(codePoints(skin.hexcode), { group: name, caption: skin.label, tone: true });
  }
  return out;
}

/**
 * Emoji of one style, files named by code points, with the groups of emojibase-data as classes and
 * its labels as captions. The five skin tones of 300 people and hands are near copies that would be
 * half of the set: they come only with `tones`. An emoji that is there under two names, with and
 * without FE0F or zeros, is taken once. Two styles are matched by code points.
 */
export function openEmoji(options: {
  readonly name: string;
  readonly pictures: string;
  readonly data: string;
  readonly groups: readonly string[];
  readonly tones: boolean;
  readonly settings?: Readonly<Record<string, unknown>>;
}): PictureSource {
  const { name, pictures, data, groups, tones, settings = {} } = options;
  const meanings = readMeanings(data);
  const taken = new Set<string>();
  const entries: Entry[] = [];
  for (const file of listFiles(pictures)) {
    const code = codePoints(basename(file.name, extname(file.name)));
    const meaning = meanings.get(code);
    if (!meaning || taken.has(code) || (meaning.tone && !tones) || !groups.includes(meaning.group))
      continue;
    taken.add(code);
    entries.push({ file, label: meaning.group, caption: meaning.caption, key: code });
  }
  const fingerprint =
    listingFingerprint(entries.map((e) => e.file)) +
    fileFingerprint([join(data, "en/data.json"), join(data, "meta/groups.json")]);
  return pictureFiles({
    name,
    layout: "emoji",
    entries,
    fingerprint,
    settings: { groups, tones, ...settings },
  });
}
