import { imageGrid, toBytes } from "../report/grid.ts";
import type { Evidence } from "./metric.ts";
import { nearestRows } from "./nearest.ts";
import { areImages, type Side } from "./side.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";

const nShown = 12;

/**
 * Generated images above the nearest real ones by the features: a row of generated ones, a row of the
 * nearest of the data trained on and, where some is held out, of the nearest of that. Of pairs, what was
 * given, what was made of it, and what it should be. None for points.
 */
export async function neighboursPicture(evidence: Evidence): Promise<Uint8Array | undefined> {
  const { generated, reference, heldOut, pairs, features } = evidence;
  if (!areImages(generated)) return undefined;
  const n = Math.min(nShown, generated.n);
  const chosen = Int32Array.from({ length: n }, (_, i) => Math.floor((i * generated.n) / n));
  const of = takeRows(features.fake, chosen);
  const nearest = (among: Matrix): ArrayLike<number> => nearestRows({ of, among }).rows;
  const row = (label: string, side: Side, indices: ArrayLike<number> = chosen) => {
    return { label, side, indices };
  };
  const rows = pairs
    ? [
        ...(pairs.given ? [row("given", pairs.given)] : []),
        row("generated", generated),
        row("real", reference),
      ]
    : [row("generated", generated), row("nearest real", reference, nearest(features.real))];
  if (heldOut !== undefined && features.heldOut !== undefined)
    rows.push(row("nearest held out", heldOut, nearest(features.heldOut)));
  const [c = 1, h = 1, w = 1] = generated.shape;
  const pixels = new Uint8Array(rows.length * n * c * h * w);
  for (const [r, { side, indices }] of rows.entries()) {
    for (let i = 0; i < n; i++) pixels.set(imageOf(side, indices[i] ?? 0), (r * n + i) * c * h * w);
  }
  const shape = [rows.length * n, c, h, w] as const;
  const rowLabels = rows.map(({ label }) => label);
  return imageGrid({ pixels, shape, range: [0, 255], columns: n, rowLabels });
}

function imageOf({ data, n }: Side, index: number): Uint8Array {
  const size = data.length / n;
  const values = data.subarray(index * size, (index + 1) * size);
  return values instanceof Uint8Array ? values : toBytes(values, [0, 255]);
}
