import { bootstrapMean } from "../metrics/bootstrap.ts";
import { psnr as psnrOf, takePictures, type PicturePair } from "../metrics/pictures.ts";
import { ssim as ssimOf } from "../metrics/ssim.ts";
import type { Metric } from "./metric.ts";
import { picturesOf } from "./side.ts";

/** Pictures held against those that they should be, one by one, in the order of their names. */
function pairMetric(o: {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly leastPixels?: number;
  of(pair: PicturePair): Float64Array;
}): Metric {
  const { of, ...facts } = o;
  return {
    ...facts,
    better: "higher",
    needs: ["images", "pairs"],
    leastRows: 1,
    onRequest: true,
    async compute({ generated, reference, seed, brief }) {
      const [a, b] = [picturesOf(generated), picturesOf(reference)];
      const values = new Float64Array(generated.n);
      for (let i = 0; i < values.length; i++) {
        const pair = { a: takePictures(a, [i]), b: takePictures(b, [i]), range: 255 };
        values[i] = Math.min(of(pair)[0] ?? 0, mostDecibels);
      }
      const { estimate: value, low, high } = bootstrapMean({ values, seed });
      return [
        {
          ...{ metric: o.name, title: o.title, better: "higher", value },
          ...{ nGenerated: generated.n, nReference: reference.n },
          ...(brief ? {} : { interval: [low, high] as const }),
        },
      ];
    },
  };
}

/** What equal pictures count as, whose ratio has no end: half a step of a byte in every pixel is 54. */
const mostDecibels = 100;

export const psnr = pairMetric({
  name: "psnr",
  title: "PSNR",
  about:
    "How little each picture differs from the one of the same place in the other folder, in decibels; equal ones count as 100. A blurred picture does well.",
  of: psnrOf,
});

export const ssim = pairMetric({
  name: "ssim",
  title: "SSIM",
  about:
    "How alike each picture and the one of the same place in the other folder are in small windows, 1 being equal.",
  leastPixels: 11,
  of: ssimOf,
});
