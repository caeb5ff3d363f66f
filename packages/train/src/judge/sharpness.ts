import { UserError } from "@duelo/core";
import { bootstrapMean, mean } from "../metrics/bootstrap.ts";
import type { Metric } from "./metric.ts";
import type { Side } from "./side.ts";

/**
 * How sharp each image is: the mean absolute Laplacian of its grey values,
 * |4 v(y, x) - v(y - 1, x) - v(y + 1, x) - v(y, x - 1) - v(y, x + 1)|, in units of 0 to 255. Noise
 * counts as sharpness, so read it beside a distance. 0 for images below 3 x 3 pixels.
 */
export function sharpness(side: Side): Float64Array {
  const [c = 1, h = 1, w = 1] = side.shape;
  const result = new Float64Array(side.n);
  if (h < 3 || w < 3) return result;
  const nColours = c < 3 ? 1 : 3; // alpha is no colour
  const grey = new Float64Array(h * w);
  for (let i = 0; i < side.n; i++) {
    grey.fill(0);
    for (let colour = 0; colour < nColours; colour++) {
      const from = (i * c + colour) * h * w;
      for (let p = 0; p < h * w; p++) {
        grey[p] = (grey[p] ?? 0) + (side.data[from + p] ?? 0) / nColours;
      }
    }
    result[i] = meanLaplacian(grey, h, w);
  }
  return result;
}

function meanLaplacian(v: Float64Array, h: number, w: number): number {
  let sum = 0;
  for (let y = 1; y < h - 1; y++) {
    for (let x = 1; x < w - 1; x++) {
      const p = y * w + x;
      const around = (v[p - w] ?? 0) + (v[p + w] ?? 0) + (v[p - 1] ?? 0) + (v[p + 1] ?? 0);
      sum += Math.abs(4 * (v[p] ?? 0) - around);
    }
  }
  return sum / ((h - 2) * (w - 2));
}

/** Sharpness of what is made over that of the data; 1 when they are as sharp. */
export const sharpnessRatio: Metric = {
  name: "sharpness",
  better: "neither",
  title: "Sharpness, of the data's",
  about:
    "Mean absolute Laplacian of the grey values over that of the data: below 1 is blurrier than the data, above 1 sharper, or noisier.",
  needs: ["images"],
  leastRows: 1,
  async compute({ generated, reference, seed }) {
    const real = mean(sharpness(reference));
    if (real === 0) throw new UserError(`The images of ${reference.name} are flat, without edges.`);
    const values = sharpness(generated).map((v) => v / real);
    const { estimate, low, high } = bootstrapMean({ values, seed });
    return [
      {
        ...{ metric: "sharpness", title: this.title, better: "neither", value: estimate },
        ...{ nGenerated: generated.n, nReference: reference.n, floor: 1 },
        interval: [low, high],
      },
    ];
  },
};
