import {
  besideGrid,
  findRun,
  openData,
  readField,
  takePictures,
  type DataRequest,
  type Pictures,
} from "@duelo/train";
import { cacheDir } from "duelo";
import { writeFileSync } from "node:fs";
import { someOf } from "./tables/held-out.ts";
import { scoresOf, translated } from "./tables/translation.ts";

/*
 * How near a run that was trained on phosphor icons without pairs comes to the filled icon, for the thin pictures
 * that its --hold-out kept apart; and a picture of some in threes: thin, made, filled. Each side of a run holds out
 * its own tenth, so the filled picture of such an icon may have been trained on.
 *   npx tsx scripts/translated-icons.ts RUN PICTURE.png
 */
const [name = "latest", picture = "icons.png"] = process.argv.slice(2);
const { dir, options } = await findRun({ root: "runs", run: name });
const requests = options["dataRequest"] as unknown as Record<string, DataRequest>;
const request = Object.values(requests)[0];
if (request?.holdOut === undefined) throw new Error(`Run ${name} held nothing out.`);

const side = request.height ?? 32;
const thin = { ...request, select: { weight: "thin" }, flip: false, cacheDir: cacheDir() } as const; // decoded as in training
const pair = { spec: "phosphor", select: { weight: "fill" }, channels: 1 } as const;
const { holdOut: _, ...whole } = thin;
const [all, apart] = [
  await openData({ ...whole, labels: "ignore", pair }),
  await openData({ ...thin, part: "heldOut" }),
];
const read = (set: typeof all, field: string): Pictures => ({
  shape: [set.length, 1, side, side],
  data: Uint8Array.from(
    readField(
      set,
      field,
      Int32Array.from({ length: set.length }, (_, i) => i),
    ).data,
  ),
});
const pixels = ({ data }: Pictures, i: number): string =>
  data.subarray(i * side * side, (i + 1) * side * side).join();

const given = read(apart, "x");
const every = read(all, "x");
const places = new Map(Array.from({ length: all.length }, (_, i) => [pixels(every, i), i]));
const found = Array.from({ length: apart.length }, (_, i) => places.get(pixels(given, i)) ?? -1);
if (found.includes(-1)) throw new Error("an icon that was held out has no pair");
const wanted = takePictures(read(all, "pair"), found);
const made = await translated(given, { runs: "runs", run: dir, function: "sample", seed: 1 });
for (const [row, a] of Object.entries({ "thin icon": given, made })) {
  const scores = Object.entries(scoresOf(a, wanted)).map(([key, v]) => `${key} ${v.toFixed(3)}`);
  console.log(`${row}: ${scores.join(", ")}`);
}
const shown = [given, made, wanted].map((p) => someOf(p, 24));
writeFileSync(picture, await besideGrid(shown));
for (const set of [all, apart]) set.close();
