import { toPlanes } from "../data/decode.ts";
import type { Pixels } from "../data/source.ts";
import { bicubicResizer } from "../bicubic.ts";
import { spreadColours } from "./alpha.ts";
import { planesFor, type Enlarged, type Enlarger } from "./enlarger.ts";
import { tilesAlong, type Tile } from "./tiles.ts";

/** Pixels of a tile's side and beyond what is kept of it, where nothing else is asked for. */
export const usual = { most: 200, overlap: 16 } as const;
/** Pixels by which a picture is mirrored beyond its sides, where a network would see nothing but zeros. */
const border = 8;

export interface Tools {
  readonly enlarger: Enlarger;
  readonly most?: number;
  readonly overlap?: number;
  /** Of tiles. */
  progress?(done: number, total: number): void;
  readonly signal?: AbortSignal;
}

/** Rows of the enlarged picture, interleaved, a row of tiles at a time. */
export async function* enlargedStrips(
  { data, height, width, channels }: Pixels,
  { enlarger, progress, signal, ...rest }: Tools,
): AsyncGenerator<Uint8Array> {
  const { factor } = enlarger;
  const { most, overlap } = { ...usual, ...rest };
  const all = toPlanes({ data, height, width, channels });
  const area = height * width;
  const planes = planesFor(enlarger.channels, { planes: all, channels, area });
  const nColours = enlarger.channels === 1 ? 1 : 3;
  const alpha =
    channels % 2 === 0
      ? { data: all.subarray((channels - 1) * area, channels * area), height, width }
      : undefined;
  if (alpha !== undefined)
    spreadColours(planes.subarray(0, nColours * area), alpha, { passes: usual.overlap });
  const [rows, columns] = [height, width].map((n) => tilesWithin(n, { most, overlap }));
  if (rows === undefined || columns === undefined) return;
  const size = enlarger.sizeOf({ height, width, channels });
  const { channels: nOut, width: wide } = size;
  const enlargeAlpha = bicubicResizer({ height, width }, size);
  let done = 0;
  for (const down of rows) {
    const [from, to] = [down.from * factor, down.to * factor];
    const strip = new Uint8Array((to - from) * wide * nOut);
    for (const across of columns) {
      signal?.throwIfAborted();
      const part = await enlarger.enlarge({ planes, height, width }, { down, across });
      place(part, { strip, wide, nOut, nColours, down, across, factor });
      progress?.(++done, rows.length * columns.length);
    }
    if (alpha !== undefined) {
      const seen = enlargeAlpha(alpha.data, { first: from, end: to });
      for (let i = 0; i < seen.length; i++) strip[i * nOut + nOut - 1] = seen[i] ?? 0;
    }
    yield strip;
  }
}

/** Tiles of a stretch that goes on by `border` on either side, of which nothing is kept. */
const tilesWithin = (extent: number, o: { most: number; overlap: number }): Tile[] =>
  tilesAlong(extent + 2 * border, o)
    .map(({ start, size, from, to }) => ({
      ...{ start: start - border, size },
      from: Math.max(from - border, 0),
      to: Math.min(to - border, extent),
    }))
    .filter(({ from, to }) => to > from);

/** Puts what is kept of a tile into its row of tiles, as bytes; a grey picture takes the mean of the colours. */
function place(
  { values, range: [low, high] }: Enlarged,
  o: {
    strip: Uint8Array;
    wide: number;
    nOut: number;
    nColours: number;
    down: Tile;
    across: Tile;
    factor: number;
  },
): void {
  const { down, across, factor } = o;
  const [tileH, tileW] = [down.size * factor, across.size * factor];
  const [top, left] = [(down.from - down.start) * factor, (across.from - across.start) * factor];
  const nColumns = (across.to - across.from) * factor;
  const gain = 255 / (high - low);
  const isMean = o.nOut < 3 && o.nColours === 3;
  const area = tileH * tileW;
  for (let c = 0; c < (isMean ? 1 : o.nColours); c++) {
    for (let y = 0; y < (down.to - down.from) * factor; y++) {
      const from = (c * tileH + top + y) * tileW + left;
      let to = (y * o.wide + across.from * factor) * o.nOut + c;
      for (let x = 0; x < nColumns; x++, to += o.nOut) {
        const at = from + x;
        const first = values[at] ?? 0;
        const seen = isMean
          ? (first + (values[at + area] ?? 0) + (values[at + 2 * area] ?? 0)) / 3
          : first;
        const value = Math.round((seen - low) * gain);
        o.strip[to] = Math.min(Math.max(value, 0), 255);
      }
    }
  }
}
