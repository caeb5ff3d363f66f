import { UserError } from "@duelo/core";
import sharp from "sharp";
import { escapeHtml } from "./html.ts";

/** Pictures as networks hold them. */
export interface Pixels {
  /** Values of all pictures, one after the other. */
  readonly pixels: Float32Array | Uint8Array;
  /** Number, channels (1 grey, 2 grey and alpha, 3 RGB, 4 RGB and alpha), height, width. */
  readonly shape: readonly [n: number, c: number, h: number, w: number];
  /** The values that become 0 and 255. */
  readonly range: readonly [low: number, high: number];
}

export interface GridOptions extends Pixels {
  /** Pictures in a row; the square root of their number, rounded up, unless said otherwise. */
  readonly columns?: number;
  /** Pixels between pictures; 2 unless said otherwise. */
  readonly gap?: number;
  /**
   * Each pixel becomes a square of so many; unless said otherwise, as many as bring the longer side
   * nearest to 64 pixels (at least 1).
   */
  readonly scale?: number;
  /** A name before each row. */
  readonly rowLabels?: readonly string[];
  /** A name above each column. */
  readonly columnLabels?: readonly string[];
}

/** Values in `range` as bytes: round(255 (v - low) / (high - low)), cut at 0 and 255; NaN is 0. */
export function toBytes(
  pixels: Float32Array | Uint8Array,
  range: readonly [low: number, high: number],
): Uint8Array {
  const [low, high] = range;
  const bytes = new Uint8Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) {
    const value = Math.round((255 * ((pixels[i] ?? 0) - low)) / (high - low));
    bytes[i] = Math.min(Math.max(value, 0), 255);
  }
  return bytes;
}

const mostPixels = 0x3fff ** 2; // what sharp takes: 268 million

/** Throws UserError for a grid of more pixels than can be written. */
export function demandGrid(o: Pick<GridOptions, "shape" | "columns" | "gap" | "scale">): void {
  const { height, width } = layoutOf(o);
  if (height * width <= mostPixels) return;
  throw new UserError(
    `${o.shape[0]} pictures side by side would be ${width} x ${height} pixels, and at most 268 million can be written. Ask for fewer at once.`,
  );
}

function layoutOf({
  shape: [n, , h, w],
  gap = 2,
  ...o
}: Pick<GridOptions, "shape" | "columns" | "gap" | "scale">) {
  const scale = o.scale ?? Math.max(1, Math.round(64 / Math.max(h, w)));
  const nColumns = Math.max(1, Math.min(n, o.columns ?? Math.ceil(Math.sqrt(n))));
  const nRows = Math.ceil(n / nColumns);
  const pitch = { y: h * scale + gap, x: w * scale + gap };
  const [height, width] = [nRows * pitch.y - gap, nColumns * pitch.x - gap];
  return { scale, nColumns, pitch, height, width };
}

/**
 * Pictures side by side, row after row, as a PNG with as many channels as they have.
 * @throws RangeError when the pixels do not fill the shape, or there are not 1 to 4 channels; UserError as `demandGrid`
 */
export async function imageGrid(options: GridOptions): Promise<Uint8Array> {
  const { shape, rowLabels, columnLabels } = options;
  const [n, c, h, w] = shape;
  checkPixels(options);
  demandGrid(options);
  const { scale, nColumns, pitch, ...pictures } = layoutOf(options);
  const left = rowLabels ? labelWidth(rowLabels) : 0;
  const above = columnLabels ? labelHeight : 0;
  const [height, width] = [above + pictures.height, left + pictures.width];
  const canvas = emptyCanvas({ height, width, c });
  const bytes = toBytes(options.pixels, options.range);
  for (let i = 0; i < n; i++) {
    const top = above + Math.floor(i / nColumns) * pitch.y;
    const from = left + (i % nColumns) * pitch.x;
    for (let y = 0; y < h * scale; y++) {
      const row = i * c * h * w + Math.floor(y / scale) * w;
      let to = ((top + y) * width + from) * c;
      for (let x = 0; x < w * scale; x++) {
        const pixel = row + Math.floor(x / scale);
        for (let channel = 0; channel < c; channel++) {
          canvas[to++] = bytes[pixel + channel * h * w] ?? 0;
        }
      }
    }
  }
  const picture = raw({ bytes: canvas, c, height, width });
  if (!rowLabels && !columnLabels) return picture.png().toBuffer();
  const strips = [
    ...(rowLabels ? [rowStrip({ rowLabels, width: left, height, above, pitch: pitch.y })] : []),
    ...(columnLabels ? [columnStrip({ columnLabels, width, left, pitch: pitch.x })] : []),
  ];
  return sharp(await picture.png().toBuffer())
    .composite(strips.map((input) => ({ input, left: 0, top: 0 })))
    .png()
    .toBuffer();
}

/** Each picture as a PNG of its own, in order. @throws RangeError as `imageGrid` does */
export async function encodeImages(options: Pixels): Promise<Uint8Array[]> {
  const [n, c, h, w] = options.shape;
  checkPixels(options);
  const bytes = toBytes(options.pixels, options.range);
  const files: Uint8Array[] = [];
  for (let i = 0; i < n; i++) {
    const one = new Uint8Array(c * h * w);
    for (let p = 0; p < h * w; p++) {
      for (let channel = 0; channel < c; channel++) {
        one[p * c + channel] = bytes[(i * c + channel) * h * w + p] ?? 0;
      }
    }
    files.push(await raw({ bytes: one, c, height: h, width: w }).png().toBuffer());
  }
  return files;
}

function checkPixels({ pixels, shape }: Pixels): void {
  const [n, c, h, w] = shape;
  if (!(n >= 1 && c >= 1 && c <= 4 && h >= 1 && w >= 1)) {
    throw new RangeError(`pictures of shape [${shape.join(", ")}]: n, h, w from 1, c from 1 to 4`);
  }
  if (pixels.length !== n * c * h * w) {
    throw new RangeError(`${pixels.length} values do not fill the shape [${shape.join(", ")}]`);
  }
}

/** White; where there is alpha, transparent. */
function emptyCanvas({ height, width, c }: { height: number; width: number; c: number }) {
  const canvas = new Uint8Array(height * width * c).fill(255);
  if (c % 2 === 0) for (let i = c - 1; i < canvas.length; i += c) canvas[i] = 0;
  return canvas;
}

function raw(picture: { bytes: Uint8Array; c: number; height: number; width: number }) {
  const { bytes, c, height, width } = picture;
  const channels = ([1, 2, 3, 4] as const)[c - 1] ?? 3;
  const image = sharp(bytes, { raw: { width, height, channels } });
  return c < 3 ? image.toColourspace("b-w") : image;
}

const fontSize = 13;
const nLetters = 20;
const shorten = (text: string): string => {
  const letters = [...text];
  return letters.length > nLetters ? `${letters.slice(0, nLetters - 1).join("")}…` : text;
};

function labelWidth(labels: readonly string[]): number {
  const longest = Math.max(0, ...labels.map((label) => [...shorten(label)].length));
  return Math.ceil(longest * fontSize * 0.62) + 12;
}

const labelHeight = 20;

/** The names of the rows, each at the middle of its row, on white. */
function rowStrip(options: {
  rowLabels: readonly string[];
  width: number;
  height: number;
  above: number;
  pitch: number;
}): Buffer {
  const { rowLabels, width, height, above, pitch } = options;
  const texts = rowLabels.map((label, row) => {
    const y = Math.round(above + (row + 0.5) * pitch + fontSize * 0.3);
    return `<text x="${width - 8}" y="${y}">${escapeHtml(shorten(label))}</text>`;
  });
  return strip({ width, height, anchor: "end", texts });
}

/** The names of the columns, each above the middle of its column, on white. */
function columnStrip(options: {
  columnLabels: readonly string[];
  width: number;
  left: number;
  pitch: number;
}): Buffer {
  const { columnLabels, width, left, pitch } = options;
  const texts = columnLabels.map((label, column) => {
    const x = Math.round(left + (column + 0.5) * pitch);
    return `<text x="${x}" y="${labelHeight - 6}">${escapeHtml(shorten(label))}</text>`;
  });
  return strip({ width, height: labelHeight, anchor: "middle", texts });
}

const strip = (o: {
  width: number;
  height: number;
  anchor: "end" | "middle";
  texts: readonly string[];
}): Buffer =>
  Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${o.width}" height="${o.height}">` +
      `<rect width="100%" height="100%" fill="white"/>` +
      `<g font-family="sans-serif" font-size="${fontSize}" fill="#333" text-anchor="${o.anchor}">${o.texts.join("")}</g></svg>`,
  );
