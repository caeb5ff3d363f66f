import { besideGrid, findRun, takePictures, type DataRequest, type Pictures } from "@duelo/train";
import { cacheDir } from "duelo";
import { writeFileSync } from "node:fs";
import { readHeldOut, someOf } from "./tables/held-out.ts";
import { scoresOf, translated } from "./tables/translation.ts";

/*
 * How near a run that was trained on phosphor icons without pairs comes to the filled icon, for the thin pictures
 * that its --hold-out kept apart; and a picture of some in threes: thin, made, filled. Each side of a run holds out
 * its own tenth, so the filled picture of such an icon may have been trained on.
 *   npx tsx scripts/translated-icons.ts RUN PICTURE.png
 */
const [name = "latest", picture = "icons.png"] = process.argv.slice(2);
const { dir, options } = await findRun({ root: "runs", run: name });
const [request] = Object.values(options["dataRequest"] as unknown as Record<string, DataRequest>);
if (request?.holdOut === undefined) throw new Error(`Run ${name} held nothing out.`);

const { height: side = 32, ...decoded } = request; // as in training
const thin = { ...decoded, select: { weight: "thin" }, cacheDir: cacheDir() };
const pair = { spec: "phosphor", select: { weight: "fill" }, channels: 1 } as const;
const { x: every, pair: filled } = await readHeldOut({ ...thin, part: "all", pair }, { side });
const { x: given } = await readHeldOut({ ...thin, part: "heldOut" }, { side });
if (filled === undefined) throw new Error("the icons have no filled ones");

const pixels = ({ data }: Pictures, i: number): string =>
  data.subarray(i * side * side, (i + 1) * side * side).join();

const places = new Map(Array.from({ length: every.shape[0] }, (_, i) => [pixels(every, i), i]));
const found = Array.from({ length: given.shape[0] }, (_, i) => places.get(pixels(given, i)) ?? -1);
if (found.includes(-1)) throw new Error("an icon that was held out has no pair");
const wanted = takePictures(filled, found);
const made = await translated(given, { runs: "runs", run: dir, function: "sample", seed: 1 });
for (const [row, a] of Object.entries({ "thin icon": given, made })) {
  const scores = Object.entries(scoresOf(a, wanted)).map(([key, v]) => `${key} ${v.toFixed(3)}`);
  console.log(`${row}: ${scores.join(", ")}`);
}
const shown = [given, made, wanted].map((p) => someOf(p, 24));
writeFileSync(picture, await besideGrid(shown));
