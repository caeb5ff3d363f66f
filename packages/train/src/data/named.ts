import { suggestion, UserError } from "@duelo/core";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { openEmoji } from "./emoji.ts";
import { listFiles, listingFingerprint } from "./files.ts";
import { pictureFiles } from "./folder.ts";
import { digitsSheet, digitsTable } from "./digits.ts";
import { openIdxPictures } from "./idx.ts";
import type { PictureSource, Source } from "./source.ts";
import { stackPictures } from "./stacked.ts";
import { openToy, toys } from "./toy.ts";

export type Select = Readonly<Record<string, string>>;

/** A set that Duelo knows by name. */
export interface NamedSet {
  readonly name: string;
  /** What is in it, in one line. */
  readonly about: string;
  /** How to get it where it is not installed, in one sentence. */
  readonly get: string;
  readonly domain: "image" | "vector";
  /** What `select` can choose, and the choices. */
  readonly choices: Readonly<Record<string, readonly string[]>>;
  /** The part of it that its makers keep for testing, as a choice of `select`. */
  readonly heldOut?: Select;
  /** Where it is installed; undefined when it is not. */
  find(): string | undefined;
  /** Opens what `find` found. */
  open(place: string, select: Select): Source | Promise<Source>;
}

const here = createRequire(import.meta.url);

/** The folder of an installed npm package, looked for from here and from the working folder. */
export function packageFolder(name: string): string | undefined {
  const paths = [here, createRequire(join(process.cwd(), "x.js"))].flatMap(
    (r) => r.resolve.paths(name) ?? [],
  );
  return paths
    .map((path) => join(path, name))
    .find((path) => existsSync(join(path, "package.json")));
}

const existing = (path: string): string | undefined => (existsSync(path) ? path : undefined);
const apt = (name: string) =>
  `On Debian or Ubuntu, run: apt-get install --no-install-recommends ${name}.`;

const emojiGroups =
  "smileys-emotion,people-body,animals-nature,food-drink,travel-places,activities,objects,symbols,flags".split(
    ",",
  );
const weights = ["thin", "light", "regular", "bold", "fill", "duotone"];
const fashionClasses =
  "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot".split(",");

/** The emoji of one npm package; `styles` are folders in it to choose one of. */
function emojiSet(o: {
  readonly name: string;
  readonly about: string;
  readonly package: string;
  readonly folder: string;
  readonly styles?: Readonly<Record<string, string>>;
}): NamedSet {
  const styles = o.styles === undefined ? {} : { style: Object.keys(o.styles) };
  return {
    name: o.name,
    about: o.about,
    get: `Run: npm install ${o.package} emojibase-data.`,
    domain: "image",
    choices: { ...styles, group: emojiGroups, tone: ["none", "all"] },
    find() {
      const pictures = packageFolder(o.package);
      return packageFolder("emojibase-data") && pictures ? join(pictures, o.folder) : undefined;
    },
    open(place, select) {
      const style = select["style"] ?? Object.keys(o.styles ?? {})[0];
      return openEmoji({
        name: o.name,
        pictures: join(place, o.styles?.[style ?? ""] ?? ""),
        data: packageFolder("emojibase-data") ?? "",
        groups: select["group"]?.split(",") ?? emojiGroups,
        tones: select["tone"] === "all",
        ...(style === undefined ? {} : { settings: { style } }),
      });
    },
  };
}

const emojiSets: readonly NamedSet[] = [
  emojiSet({
    name: "emoji",
    about: "1,855 Fluent 3-D emoji, 256 x 256 with alpha, 9 groups as classes, with captions",
    package: "@lobehub/fluent-emoji-3d",
    folder: "assets",
  }),
  emojiSet({
    name: "openmoji",
    about: "1,914 emoji as drawings (SVG) in two styles, color and black: the same in line alone",
    package: "openmoji",
    folder: "",
    styles: { color: "color/svg", black: "black/svg" },
  }),
  emojiSet({
    name: "emoji-google",
    about: "the emoji in Google's style, 64 x 64 with alpha",
    package: "emoji-datasource-google",
    folder: "img/google/64",
  }),
  emojiSet({
    name: "emoji-twitter",
    about: "the emoji in Twitter's style, 64 x 64 with alpha",
    package: "emoji-datasource-twitter",
    folder: "img/twitter/64",
  }),
];

const fashion: NamedSet = {
  name: "fashion-mnist",
  about: "60,000 grey pictures of clothes, 28 x 28, 10 classes (split=test: 10,000 more)",
  get: apt("dataset-fashion-mnist"),
  domain: "image",
  choices: { split: ["train", "test"] },
  heldOut: { split: "test" },
  find: () => existing("/usr/share/datasets/fashion-mnist"),
  open(place, select) {
    const prefix = select["split"] === "test" ? "t10k" : "train";
    const path = join(place, `${prefix}-images-idx3-ubyte.gz`);
    const source = openIdxPictures({ path, name: "fashion-mnist", classes: fashionClasses });
    return { ...source, settings: { split: select["split"] ?? "train" } };
  },
};

const stackedFashion: NamedSet = {
  ...fashion,
  name: "stacked-fashion",
  about: "128,000 pictures with a grey one of fashion-mnist in each channel, 1,000 classes",
  open(place, select) {
    const base = fashion.open(place, select) as PictureSource;
    return stackPictures({ base, name: "stacked-fashion", length: 128_000 });
  },
};

const phosphor: NamedSet = {
  name: "phosphor",
  about: "9,072 line icons (SVG), 1,512 in each of 6 weights as classes, with captions",
  get: "Run: npm install @phosphor-icons/core.",
  domain: "image",
  choices: { weight: weights },
  find() {
    const folder = packageFolder("@phosphor-icons/core");
    return folder && join(folder, "assets");
  },
  open(place, select) {
    const chosen = select["weight"]?.split(",") ?? weights;
    const files = listFiles(place).filter((f) => chosen.includes(f.name.split("/")[0] ?? ""));
    const entries = files.map((file) => {
      const label = file.name.split("/")[0] ?? "";
      const caption = basename(file.name, ".svg")
        .replace(new RegExp(`-${label}$`), "")
        .replaceAll("-", " ");
      return { file, label, caption, key: caption };
    });
    return pictureFiles({
      name: "phosphor",
      layout: "class folders",
      entries,
      fingerprint: listingFingerprint(files),
      settings: { weights: chosen },
    });
  },
};

const digits: NamedSet = {
  name: "digits",
  about: "5,000 handwritten digits, grey, 20 x 20, 10 classes (OpenCV's digits.png)",
  get: apt("opencv-doc"),
  domain: "image",
  choices: {},
  find: () => existing("/usr/share/doc/opencv-doc/examples/data/digits.png"),
  open: (place) => digitsSheet(place),
};

const digits8: NamedSet = {
  name: "digits-8x8",
  about: "1,797 handwritten digits, grey, 8 x 8, 10 classes (scikit-learn's digits)",
  get: apt("python3-sklearn"),
  domain: "image",
  choices: {},
  find: () => existing("/usr/lib/python3/dist-packages/sklearn/datasets/data/digits.csv.gz"),
  open: (place) => digitsTable(place),
};

function toySet(name: keyof typeof toys, about: string): NamedSet {
  return {
    name,
    about,
    get: "It is built in.",
    domain: "vector",
    choices: {},
    find: () => "",
    open: () => openToy(name),
  };
}

export const namedSets: readonly NamedSet[] = [
  ...emojiSets,
  fashion,
  stackedFashion,
  phosphor,
  digits,
  digits8,
  toySet("ring8", "100,000 points from 8 Gaussians on the unit circle, sigma 0.01"),
  toySet("grid25", "100,000 points from 25 Gaussians on a 5 x 5 grid, sigma 0.05"),
  toySet("ring5", "100,000 points from 5 Gaussians on a circle of radius 0.1, sigma 0.005"),
  toySet(
    "ring10",
    "100,000 points from 10 Gaussians on the unit circle, sigma 0.05: where ring5 goes in discogan-2d",
  ),
];

function checkSelect(set: NamedSet, select: Select): void {
  for (const [key, value] of Object.entries(select)) {
    const keys = Object.keys(set.choices);
    const choices = set.choices[key];
    if (!choices)
      throw new UserError(
        `${set.name} cannot be narrowed by "${key}"; ${keys.length > 0 ? `it can by ${keys.join(" and ")}` : "it is one whole"}.${suggestion(key, keys)}`,
      );
    const wrong = value.split(",").find((v) => !choices.includes(v));
    if (wrong !== undefined)
      throw new UserError(
        `${set.name} has no ${key} "${wrong}"; there are ${choices.join(", ")}.${suggestion(wrong, choices)}`,
      );
  }
}

/** Opens a named set, or says in one sentence how to get it. */
export async function openNamed(set: NamedSet, select: Select): Promise<Source> {
  checkSelect(set, select);
  const place = set.find();
  if (place === undefined)
    throw new UserError(`The set ${set.name} is not installed here. ${set.get}`);
  return set.open(place, select);
}
