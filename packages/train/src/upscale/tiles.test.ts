import fc from "fast-check";
import { expect, test } from "vitest";
import { tilesAlong } from "./tiles.ts";

test("tiles lie inside, keep every place once, and have their neighbourhood around what they keep", () => {
  const sizes = fc.record({
    extent: fc.integer({ min: 1, max: 400 }),
    overlap: fc.integer({ min: 0, max: 20 }),
    inner: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(
    fc.property(sizes, ({ extent, overlap, inner }) => {
      const most = inner + 2 * overlap;
      const tiles = tilesAlong(extent, { most, overlap });
      expect(new Set(tiles.map((t) => t.size)).size).toBe(1);
      let at = 0;
      for (const { start, size, from, to } of tiles) {
        expect(size).toBeLessThanOrEqual(most);
        expect(from).toBe(at);
        expect(to).toBeGreaterThan(from);
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start + size).toBeLessThanOrEqual(extent);
        expect(from - start >= overlap || start === 0).toBe(true);
        expect(start + size - to >= overlap || start + size === extent).toBe(true);
        at = to;
      }
      expect(at).toBe(extent);
    }),
  );
});
