import { readdir } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

/** The first `n` pictures of the emoji package on white, as bytes [n, 3, size, size]; for tests. */
export async function emojiPixels(options: {
  n: number;
  size: number;
  /** Gaussian blur in pixels, as a network might paint that has not learnt much yet. */
  blur?: number;
}): Promise<Uint8Array> {
  const { n, size, blur } = options;
  const dir = `${dirname(fileURLToPath(import.meta.resolve("@lobehub/fluent-emoji-3d/package.json")))}/assets`;
  const names = (await readdir(dir)).toSorted().slice(0, n);
  const pixels = new Uint8Array(n * 3 * size * size);
  for (const [i, name] of names.entries()) {
    const resized = await sharp(`${dir}/${name}`)
      .flatten({ background: "white" })
      .resize(size, size)
      .png()
      .toBuffer();
    const image = blur === undefined ? sharp(resized) : sharp(resized).blur(blur);
    const { data } = await image.raw().toBuffer({ resolveWithObject: true });
    for (let p = 0; p < data.length; p++) {
      pixels[(i * 3 + (p % 3)) * size * size + Math.floor(p / 3)] = data[p] ?? 0;
    }
  }
  return pixels;
}
