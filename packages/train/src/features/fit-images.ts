import { UserError } from "@duelo/core";
import sharp from "sharp";
import type { FeatureRequest } from "./feature-net.ts";

type Extent = readonly [channels: number, height: number, width: number];

/** How `fitImages` works, as it is stated beside a number. */
export const resizerText = ([channels, height, width]: Extent): string =>
  `${height}x${width} by sharp's Lanczos filter (support 3, antialiased), on bytes; ` +
  (channels === 1 ? "grey alone" : "grey shown in all colours");

/**
 * Images at the size and with the channels that a network takes. Grey ones may be shown in colour;
 * coloured ones are never made grey. Throws UserError.
 */
export async function fitImages(
  { pixels, shape }: FeatureRequest,
  to: Extent,
  network: string,
): Promise<Uint8Array> {
  const [n, c, h, w] = shape;
  if (pixels.length !== n * c * h * w)
    throw new RangeError(`${pixels.length} bytes do not fill the shape [${shape.join(", ")}]`);
  if (n < 1) throw new UserError(`${network} was given no images.`);
  if (c !== to[0] && c !== 1) {
    const [has, takes] = [c, to[0]].map((k) => `${k} ${k === 1 ? "channel" : "channels"}`);
    throw new UserError(
      `${network} takes images of ${takes}, and these have ${has}. Choose another network, or give the data as ${takes}.`,
    );
  }
  const sized = h === to[1] && w === to[2] ? pixels : await resized(pixels, shape, to);
  return c === to[0] ? sized : repeated(sized, { n, size: to[1] * to[2], times: to[0] });
}

async function resized(
  pixels: Uint8Array,
  [n, c, h, w]: FeatureRequest["shape"],
  [, height, width]: Extent,
): Promise<Uint8Array> {
  const out = new Uint8Array(n * c * height * width);
  for (let plane = 0; plane < n * c; plane++) {
    const from = pixels.subarray(plane * h * w, (plane + 1) * h * w);
    const { data } = await sharp(from, { raw: { width: w, height: h, channels: 1 } })
      .resize(width, height, { fit: "fill", kernel: "lanczos3" })
      .toColourspace("b-w")
      .raw()
      .toBuffer({ resolveWithObject: true });
    out.set(data, plane * height * width);
  }
  return out;
}

function repeated(grey: Uint8Array, o: { n: number; size: number; times: number }): Uint8Array {
  const out = new Uint8Array(o.n * o.size * o.times);
  for (let i = 0; i < o.n * o.times; i++) {
    const image = Math.floor(i / o.times);
    out.set(grey.subarray(image * o.size, (image + 1) * o.size), i * o.size);
  }
  return out;
}
