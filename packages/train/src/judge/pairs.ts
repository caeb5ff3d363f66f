import { bootstrapMean, mean } from "../metrics/bootstrap.ts";
import {
  l1Distance,
  mostDecibels,
  psnr as psnrOf,
  takePictures,
  type PicturePair,
} from "../metrics/pictures.ts";
import { ssim as ssimOf } from "../metrics/ssim.ts";
import { around } from "./floor.ts";
import type { Metric } from "./metric.ts";
import { picturesOf, type Side } from "./side.ts";

/** Pictures held against those that they should be, one by one: the other of a pair, or of the same place in a folder. */
function pairMetric(o: {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly better: "higher" | "lower";
  readonly leastPixels?: number;
  of(pair: PicturePair): Float64Array;
}): Metric {
  const { of, ...facts } = o;
  const valuesOf = (made: Side, wanted: Side): Float64Array => {
    const [a, b] = [picturesOf(made), picturesOf(wanted)];
    return Float64Array.from({ length: made.n }, (_, i) => {
      const pair = { a: takePictures(a, [i]), b: takePictures(b, [i]), range: 255 };
      return Math.min(of(pair)[0] ?? 0, mostDecibels);
    });
  };
  return {
    ...facts,
    needs: ["images", "pairs"],
    leastRows: 1,
    async compute({ generated, reference, pairs, seed, brief }) {
      const values = valuesOf(generated, reference);
      const { estimate: value, low, high } = bootstrapMean({ values, seed });
      const before = pairs?.given && valuesOf(pairs.given, reference);
      return [
        {
          ...{ metric: o.name, title: o.title, better: o.better, value },
          ...{ nGenerated: generated.n, nReference: reference.n },
          ...(brief ? {} : { interval: [low, high] as const }),
          ...(before === undefined ? {} : againstGiven(values, before)),
        },
      ];
    },
  };
}

/** Below so many the quantile's terms are no good. */
const fewestPairs = 5;

/** The mean of what was given, and a 95 % interval of the mean difference: Student's, as there may be few. */
function againstGiven(values: Float64Array, before: Float64Array) {
  const given = mean(before);
  const n = values.length;
  if (n < fewestPairs) return { given };
  const differences = values.map((v, i) => v - (before[i] ?? 0));
  const change = mean(differences);
  const squares = differences.map((d) => (d - change) ** 2);
  const standardError = Math.sqrt(mean(squares) / (n - 1));
  return { given, change: around(change, { standardError, resamples: n }) };
}

/** What equal pictures count as, whose ratio has no end: half a step of a byte in every pixel is 54. */

export const l1 = pairMetric({
  name: "l1",
  title: "L1 distance",
  about:
    "The mean distance of a pixel from that of the picture it should be: of a run, the other of a pair that was held out; of a folder, the one of the same place in the other folder. 0 is equal, 1 black for white.",
  better: "lower",
  of: l1Distance,
});

export const psnr = pairMetric({
  name: "psnr",
  title: "PSNR",
  about:
    "How little each picture differs from the one that it should be, as for l1, in decibels; equal ones count as 100. A blurred picture does well.",
  better: "higher",
  of: psnrOf,
});

export const ssim = pairMetric({
  name: "ssim",
  title: "SSIM",
  about:
    "How alike each picture and the one that it should be, as for l1, are in small windows, 1 being equal.",
  better: "higher",
  leastPixels: 11,
  of: ssimOf,
});
