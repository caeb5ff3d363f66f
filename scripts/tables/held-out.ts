import {
  bootstrapMean,
  openData,
  readField,
  takePictures,
  type DataRequest,
  type Pictures,
} from "@duelo/train";
import { spread } from "../../packages/train/src/data/dataset.ts";
import { withInterval } from "./jobs.ts";

/** Square pictures that no row is trained on, none of them mirrored: their `x`, and `pair` where they are pairs. */
export async function readHeldOut(
  request: Omit<DataRequest, "domain" | "height" | "width" | "labels">,
  { side, most = Infinity }: { readonly side: number; readonly most?: number | undefined },
): Promise<{ readonly x: Pictures; readonly pair: Pictures | undefined }> {
  const square = { domain: "image", height: side, width: side, labels: "ignore" } as const;
  const dataset = await openData({ ...request, ...square, flip: false });
  try {
    const n = Math.min(dataset.length, most);
    const indices = Int32Array.from({ length: n }, (_, i) => i);
    const of = (field: string): Pictures | undefined => {
      const [channels] = dataset.fields[field]?.shape ?? [];
      if (channels === undefined) return undefined;
      const { data } = readField(dataset, field, indices);
      return { shape: [n, channels, side, side], data: Uint8Array.from(data) };
    };
    const x = of("x");
    if (x === undefined) throw new TypeError(`${dataset.name} has no pictures`);
    return { x, pair: of("pair") };
  } finally {
    dataset.close();
  }
}

/** At most so many pictures, spread over all, to be shown. */
export function someOf(all: Pictures, most: number) {
  const { shape, data } = takePictures(all, spread(all.shape[0], most));
  return { pixels: Uint8Array.from(data), shape, range: [0, 255] as const };
}

/** The mean of a score of each picture, with its interval. */
export const meanOf = (name: string, values: Float64Array): Record<string, number> =>
  withInterval(name, bootstrapMean({ values, seed: 0 }));
