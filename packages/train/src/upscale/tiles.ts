/** A stretch of an axis that is computed at once, and the part of it that is kept. */
export interface Tile {
  readonly start: number;
  readonly size: number;
  /** Kept are the places `from` to `to`, which follow those of the tile before. */
  readonly from: number;
  readonly to: number;
}

/**
 * Covers an axis with tiles of at most `most` places that lie inside it, so that what is kept of each has
 * at least `overlap` places of its tile on either side, except where the axis ends. All have one size.
 */
export function tilesAlong(
  extent: number,
  { most, overlap }: { readonly most: number; readonly overlap: number },
): Tile[] {
  if (extent <= most) return [{ start: 0, size: extent, from: 0, to: extent }];
  const n = Math.ceil((extent - 2 * overlap) / (most - 2 * overlap));
  const size = Math.ceil((extent - 2 * overlap) / n) + 2 * overlap;
  const startOf = (i: number): number => Math.min(i * (size - 2 * overlap), extent - size);
  const cutAfter = (i: number): number => Math.floor((startOf(i) + size + startOf(i + 1)) / 2);
  return Array.from({ length: n }, (_, i) => ({
    start: startOf(i),
    size,
    from: i === 0 ? 0 : cutAfter(i - 1),
    to: i === n - 1 ? extent : cutAfter(i),
  }));
}
