import { UserError } from "@duelo/core";
import { bootstrap, mean } from "../metrics/bootstrap.ts";
import { drawPairs, type RowPairs } from "../metrics/draw.ts";
import { perceptualDistance } from "../metrics/perceptual.ts";
import { takePictures, type Pictures } from "../metrics/pictures.ts";
import { msSsimDiversity } from "../metrics/ssim.ts";
import { equalRows } from "./floor.ts";
import type { Evidence, Metric, Score } from "./metric.ts";
import { picturesOf } from "./side.ts";

/**
 * Random pairs that are looked at: five a picture, as more of few pictures tell little, and up to 1,000;
 * fewer of large pictures, whose every pair costs more.
 */
function pairsFor({ shape: [n, c, h, w] }: Pictures): number {
  const affordable = Math.max(100, (1000 * 3 * 64 * 64) / (c * h * w));
  return Math.round(Math.min(1000, affordable, 5 * n));
}

export const msSsim: Metric = {
  name: "ms-ssim",
  aliases: ["diversity"],
  title: "MS-SSIM of pairs",
  about:
    "How alike two samples are on average, 1 being equal: well above the data's value, they are too alike. It says nothing of quality.",
  better: "neither",
  needs: ["images"],
  leastRows: 2,
  leastPixels: 11,
  async compute(evidence) {
    const { generated, reference, seed } = evidence;
    const of = (pictures: Pictures) =>
      msSsimDiversity({ pictures, range: 255, pairs: pairsFor(pictures), seed });
    const own = of(picturesOf(generated));
    const title = own.scales < 5 ? `${this.title} (${own.scales} of 5 scales)` : this.title;
    const base = { ...scoreOf(this, evidence), title, value: own.mean };
    if (evidence.brief) return [base];
    const floor = of(takePictures(picturesOf(reference), equalRows(evidence))).mean;
    return [{ ...base, interval: pairsInterval(own, generated.n, seed), floor }];
  },
};

export const perceptual: Metric = {
  name: "perceptual",
  aliases: ["lpips"],
  title: "Perceptual distance of pairs",
  about:
    "How far apart two samples are on average to the layers of the feature network, as LPIPS measures with another network: well below the data's value, they are too alike.",
  better: "neither",
  needs: ["images", "layers"],
  leastRows: 2,
  onRequest: true,
  async compute(evidence) {
    const { generated, reference, seed, by } = evidence;
    const of = async (pictures: Pictures) => {
      const drawn = drawPairs({ pairs: pairsFor(pictures), of: pictures.shape[0], seed });
      const [a, b] = [takePictures(pictures, drawn.first), takePictures(pictures, drawn.second)];
      return { ...drawn, values: await apart(a, b, by) };
    };
    const own = await of(picturesOf(generated));
    const title = `${this.title} to ${by.name}`;
    const base = { ...scoreOf(this, evidence), title, value: mean(own.values) };
    if (evidence.brief) return [base];
    const real = await of(takePictures(picturesOf(reference), equalRows(evidence)));
    const interval = pairsInterval(own, generated.n, seed);
    return [{ ...base, interval, floor: mean(real.values) }];
  },
};

const atOnce = 32; // pairs: their activations are held together

/** Perceptual distance of each pair, by the layers of the feature network with all weights 1. */
export async function apart(
  a: Pictures,
  b: Pictures,
  { activations, name }: Evidence["by"],
): Promise<Float64Array> {
  if (activations === undefined)
    throw new UserError(`Distances by layers need features that have some, and ${name} have none.`);
  const n = a.shape[0];
  const values = new Float64Array(n);
  for (let from = 0; from < n; from += atOnce) {
    const rows = Array.from({ length: Math.min(atOnce, n - from) }, (_, i) => from + i);
    const left = await activations(takePictures(a, rows));
    const right = await activations(takePictures(b, rows));
    const layers = left.flatMap((layer, i) => (right[i] ? [{ a: layer, b: right[i] }] : []));
    values.set(perceptualDistance(layers), from);
  }
  return values;
}

const scoreOf = (
  { name, better }: Metric,
  { generated, reference }: Evidence,
): Omit<Score, "title" | "value"> => ({
  ...{ metric: name, better, nGenerated: generated.n, nReference: reference.n },
});

/**
 * By a bootstrap over the samples, as pairs share them: a pair counts as often as both of its samples were
 * drawn.
 */
function pairsInterval(
  { values, first, second }: RowPairs & { values: Float64Array },
  n: number,
  seed: number,
): readonly [number, number] {
  const average = mean(values);
  const times = new Float64Array(n);
  const { low, high } = bootstrap({
    rows: n,
    statistic(rows) {
      times.fill(0);
      for (const row of rows) times[row] = (times[row] ?? 0) + 1;
      let [sum, weights] = [0, 0];
      for (const [p, value] of values.entries()) {
        const weight = (times[first[p] ?? 0] ?? 0) * (times[second[p] ?? 0] ?? 0);
        weights += weight;
        sum += weight * value;
      }
      return weights === 0 ? average : sum / weights;
    },
    seed,
  });
  return [low, high];
}
