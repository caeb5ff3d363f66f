// How near the translations of a run's held-out pairs are to the true pictures, beside the identity
// map (what was given, unchanged):
//
//   npx tsx --conditions=source scripts/tables/pairs.ts RUN [--runs FOLDER]

import { openFunction, openRunData, readField, ssim } from "@duelo/train";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { runs: { type: "string", default: "runs" } },
  allowPositionals: true,
  strict: false,
});
const [run = "latest"] = positionals;
const runs = String(values["runs"]);
const cacheDir = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "duelo");

const f = await openFunction({ runs, run, threads: 1 });
const streams = await openRunData({ info: f.run, cacheDir, part: "heldOut" });
const [dataset] = Object.values(streams);
const input = f.card.inputs.find((i) => i.kind === "image")?.name;
if (dataset === undefined || input === undefined) throw new Error("this run translates no pairs");

const all = Int32Array.from({ length: dataset.length }, (_, i) => i);
const given = readField(dataset, "x", all);
const wanted = readField(dataset, "pair", all);
const made = Object.values(await f.call({ [input]: given }))[0];
if (made === undefined) throw new Error("this run makes nothing");

type Shape = readonly [number, number, number, number];
const unit = (data: ArrayLike<number>, [low, high]: readonly [number, number]) =>
  Float32Array.from(data, (v) => Math.min(Math.max((v - low) / (high - low), 0), 1));
const truth = { shape: wanted.shape as unknown as Shape, data: unit(wanted.data, [0, 255]) };
const mean = (v: ArrayLike<number>): number => Array.from(v).reduce((a, b) => a + b, 0) / v.length;

/** Means over pairs of L1, PSNR and SSIM, of values 0 to 1. */
function scores(data: Float32Array): string {
  const size = data.length / all.length;
  const errors = Array.from(data, (v, i) => Math.abs(v - (truth.data[i] ?? 0)));
  const psnr = Array.from(all, (i) => {
    const part = errors.slice(i * size, (i + 1) * size).map((e) => e * e);
    return -10 * Math.log10(Math.max(mean(part), 1e-10));
  });
  const alike = ssim({ a: { shape: truth.shape, data }, b: truth, range: 1 });
  return `L1 ${mean(errors).toFixed(4)}  PSNR ${mean(psnr).toFixed(2)} dB  SSIM ${mean(alike).toFixed(3)}`;
}

console.log(`${f.run.name}: ${dataset.length} held-out pairs`);
console.log(`made      ${scores(unit(made.data, f.card.outputs[0]?.range ?? [-1, 1]))}`);
if (given.data.length === wanted.data.length)
  console.log(`identity  ${scores(unit(given.data, [0, 255]))}`);
await f.close();
dataset.close();
