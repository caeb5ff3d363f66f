import { UserError } from "@duelo/core";
import sharp, { type Sharp } from "sharp";
import type { Picture, Pixels } from "./source.ts";

/** Larger pictures are refused before anything is allocated: 8,192 x 8,192. */
export const maxPixels = 2 ** 26;

export type Fit = "crop" | "pad" | "stretch";

/** What every record of a set is turned into. */
export interface Target {
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 2 | 3 | 4; // grey, grey and alpha, RGB, RGB and alpha
  readonly fit: Fit;
  readonly background: string; // #rrggbb
}

/** A picture that cannot be used; the message is the reason, without the file's name. */
export class PictureError extends Error {}

/** What the header says, after the EXIF rotation. */
export interface Header {
  readonly height: number;
  readonly width: number;
  readonly format: string;
  readonly grey: boolean;
  readonly alpha: boolean;
  /** Above 1 for an animation or a file of several pages, of which the first is decoded. */
  readonly frames: number;
}

function reasonOf(error: unknown): PictureError {
  const text = error instanceof Error ? error.message : String(error);
  if (/unsupported image format/i.test(text))
    return new PictureError("not in a picture format that can be read, or cut short");
  const detail = text
    .replace(/^Input buffer has corrupt header:/i, "")
    .split("\n")
    .map((line) => line.trim())
    .findLast((line) => line !== "");
  return new PictureError(`damaged or cut short${detail ? ` (${detail.slice(0, 120)})` : ""}`);
}

/** Reads the header of an encoded picture and refuses what is empty, broken or too large. */
export async function readHeader(encoded: Uint8Array): Promise<Header> {
  if (encoded.length === 0) throw new PictureError("empty file");
  const meta = await sharp(encoded, { limitInputPixels: false })
    .metadata()
    .catch((error: unknown) => {
      throw reasonOf(error);
    });
  const { width, height } = meta.autoOrient;
  if (width * height > maxPixels)
    throw new PictureError(
      `${width} x ${height} pixels is above the limit of ${Math.floor(maxPixels / 1e6)} million`,
    );
  const grey = meta.space === "b-w" || meta.space === "grey16";
  const { format, hasAlpha: alpha, pages: frames = 1 } = meta;
  return { height, width, format, grey, alpha, frames };
}

/** SVG is drawn at 72 dots an inch unless that is smaller than `target`; then as large as is needed. */
function densityFor(header: Header, target: { height: number; width: number }): number {
  const { height, width } = header;
  const wanted = Math.ceil(Math.max(1, target.height / height, target.width / width));
  const most = Math.floor(Math.min(2400 / 72, Math.sqrt(maxPixels / (height * width))));
  return 72 * Math.max(1, Math.min(wanted, most));
}

/**
 * Decodes a file whole (nothing is shrunk while loading, which alters pixels): first frame, EXIF
 * rotation applied, colours converted to 8-bit sRGB by the embedded profile, alpha kept.
 */
export async function decodeWhole(
  encoded: Uint8Array,
  target: { height: number; width: number },
): Promise<Pixels> {
  const header = await readHeader(encoded);
  const density = header.format === "svg" ? { density: densityFor(header, target) } : {};
  try {
    const { data, info } = await sharp(encoded, {
      failOn: "error",
      limitInputPixels: maxPixels,
      ...density,
    })
      .autoOrient()
      .toColourspace("srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    return { data, height: info.height, width: info.width, channels: info.channels };
  } catch (error) {
    throw reasonOf(error);
  }
}

const sharpFit = { crop: "cover", pad: "contain", stretch: "fill" } as const;

function toSharp(pixels: Pixels): Sharp {
  const { data, height, width } = pixels;
  const channels =
    pixels.channels === 1 ? 1 : pixels.channels === 2 ? 2 : pixels.channels === 3 ? 3 : 4;
  return sharp(data, { raw: { height, width, channels }, limitInputPixels: maxPixels });
}

async function run(image: Sharp): Promise<Pixels> {
  const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { data, height: info.height, width: info.width, channels: info.channels };
}

/** Resizes with an antialiased Lanczos-3 filter, alpha premultiplied, and converts the channels. */
async function conform(pixels: Pixels, target: Target): Promise<Pixels> {
  const { height, width, channels, fit, background } = target;
  const keepsAlpha = channels === 2 || channels === 4;
  const sameSize = pixels.height === height && pixels.width === width;
  if (sameSize && pixels.channels === channels) return pixels;
  let image = toSharp(pixels);
  if (!keepsAlpha) image = image.flatten({ background });
  if (!sameSize) {
    const border = keepsAlpha ? { r: 0, g: 0, b: 0, alpha: 0 } : background;
    if (keepsAlpha) image = image.ensureAlpha();
    image = image.resize({
      height,
      width,
      fit: sharpFit[fit],
      kernel: "lanczos3",
      background: border,
    });
  }
  if (channels === 1) return run(image.toColourspace("b-w"));
  if (channels === 3) return run(image.toColourspace("srgb"));
  const rgba = await run(image.toColourspace("srgb").ensureAlpha());
  return channels === 4 ? rgba : greyAlpha(rgba);
}

async function greyAlpha(rgba: Pixels): Promise<Pixels> {
  const grey = await run(toSharp(rgba).removeAlpha().toColourspace("b-w"));
  const data = new Uint8Array(grey.data.length * 2);
  for (let i = 0; i < grey.data.length; i++) {
    data[2 * i] = grey.data[i] ?? 0;
    data[2 * i + 1] = rgba.data[4 * i + 3] ?? 0;
  }
  return { data, height: rgba.height, width: rgba.width, channels: 2 };
}

/** Interleaved rows to planes: [H, W, C] to [C, H, W]. */
export function toPlanes(pixels: Pixels): Uint8Array {
  const { data, channels } = pixels;
  if (channels === 1) return data;
  const area = pixels.height * pixels.width;
  const out = new Uint8Array(area * channels);
  for (let c = 0; c < channels; c++)
    for (let i = 0, from = c, to = c * area; i < area; i++, from += channels)
      out[to + i] = data[from] ?? 0;
  return out;
}

/** One record of the set, [C, H, W]. Throws `PictureError` with the reason. */
export async function toRecord(picture: Picture, target: Target): Promise<Uint8Array> {
  const pixels = "pixels" in picture ? picture.pixels : await decodeWhole(picture.encoded, target);
  return toPlanes(await conform(pixels, target));
}

/** A colour as people write it (`white`, `#fff`, `rgb(0, 0, 0)`), as #rrggbb. */
export async function resolveColour(colour: string): Promise<string> {
  try {
    const { data } = await sharp({
      create: { width: 1, height: 1, channels: 3, background: colour },
    })
      .raw()
      .toBuffer({ resolveWithObject: true });
    return `#${data.toString("hex").slice(0, 6)}`;
  } catch {
    throw new UserError(
      `The background "${colour}" is not a colour. Write a name such as white, or #rrggbb.`,
    );
  }
}

/** What decided the pixels beyond the target, for `settings`. */
export const decoder = {
  resize: "lanczos3, antialiased, whole decode",
  sharp: sharp.versions.sharp,
  libvips: sharp.versions.vips,
} as const;
