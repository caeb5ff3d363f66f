import { UserError } from "@duelo/core";
import sharp from "sharp";
import type { FeatureRequest } from "./feature-net.ts";
import { lanczos, resample } from "./resample.ts";

export type Extent = readonly [channels: number, height: number, width: number];

/** How `fitImages` works, as it is stated beside a number. */
export const resizerText = ([channels, height, width]: Extent): string =>
  `${height}x${width} by sharp's Lanczos filter (support 3, antialiased), on bytes; ` +
  (channels === 1 ? "grey alone" : "grey shown in all colours");

/**
 * Images at the size and with the channels that a network takes. Grey ones may be shown in colour;
 * coloured ones are never made grey. Throws UserError.
 */
export async function fitImages(
  request: FeatureRequest,
  to: Extent,
  network: string,
): Promise<FeatureRequest["pixels"]> {
  const { pixels, shape } = request;
  const [, , h, w] = shape;
  checkImages(request, to, network);
  const [, height, width] = to;
  if (h === height && w === width) return inColours(request, to);
  const sized =
    pixels instanceof Float32Array
      ? resample(
          { data: pixels, height: h, width: w },
          {
            rows: lanczos({ before: h, after: height }),
            columns: lanczos({ before: w, after: width }),
          },
        )
      : await resized(pixels, shape, to);
  return inColours({ pixels: sized, shape: [shape[0], shape[1], height, width] }, to);
}

/** Throws UserError for no images, and for colours that would have to become grey. */
export function checkImages({ pixels, shape }: FeatureRequest, to: Extent, network: string): void {
  const [n, c, h, w] = shape;
  if (pixels.length !== n * c * h * w)
    throw new RangeError(`${pixels.length} numbers do not fill the shape [${shape.join(", ")}]`);
  if (n < 1) throw new UserError(`${network} was given no images.`);
  if (c === to[0] || c === 1) return;
  const [has, takes] = [c, to[0]].map((k) => `${k} ${k === 1 ? "channel" : "channels"}`);
  throw new UserError(
    `${network} takes images of ${takes}, and these have ${has}. Choose another network, or give the data as ${takes}.`,
  );
}

const together = 3; // planes that go through sharp as the colours of one image, which it keeps apart

async function resized(
  pixels: Uint8Array,
  [n, c, h, w]: FeatureRequest["shape"],
  [, height, width]: Extent,
): Promise<Uint8Array> {
  const [size, newSize, planes] = [h * w, height * width, n * c];
  const out = new Uint8Array(planes * newSize);
  const mixed = new Uint8Array(together * size);
  for (let first = 0; first < planes; first += together) {
    const count = Math.min(together, planes - first);
    for (let k = 0; k < count; k++) {
      const from = (first + k) * size;
      for (let i = 0; i < size; i++) mixed[together * i + k] = pixels[from + i] ?? 0;
    }
    const { data } = await sharp(mixed, { raw: { width: w, height: h, channels: together } })
      .resize(width, height, { fit: "fill", kernel: "lanczos3" })
      .raw()
      .toBuffer({ resolveWithObject: true });
    for (let k = 0; k < count; k++) {
      const to = (first + k) * newSize;
      for (let i = 0; i < newSize; i++) out[to + i] = data[together * i + k] ?? 0;
    }
  }
  return out;
}

/** Grey images repeated in every channel; others as they are. */
export function inColours({ pixels, shape }: FeatureRequest, to: Extent): FeatureRequest["pixels"] {
  const [n, c, h, w] = shape;
  if (c === to[0]) return pixels;
  const size = h * w;
  const out =
    pixels instanceof Float32Array
      ? new Float32Array(n * size * to[0])
      : new Uint8Array(n * size * to[0]);
  for (let i = 0; i < n; i++) {
    const image = pixels.subarray(i * size, (i + 1) * size);
    for (let k = 0; k < to[0]; k++) out.set(image, (i * to[0] + k) * size);
  }
  return out;
}
