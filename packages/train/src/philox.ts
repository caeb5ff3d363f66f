/** Ten rounds, written out in 16-bit halves because JavaScript has no 32 x 32 -> 64 multiply. */
function philox(
  out: Uint32Array,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  k0: number,
  k1: number,
) {
  for (let round = 0; round < 10; round++) {
    // hi and lo words of 0xd2511f53 * c0
    const aL = c0 & 0xffff;
    const aH = c0 >>> 16;
    const aMid = (Math.imul(aH, 0x1f53) >>> 0) + (Math.imul(aL, 0x1f53) >>> 16);
    const aLow = (Math.imul(aL, 0xd251) >>> 0) + (aMid & 0xffff);
    const hiA = (Math.imul(aH, 0xd251) + (aMid >>> 16) + (aLow >>> 16)) | 0;
    const loA = Math.imul(c0, 0xd2511f53);
    // hi and lo words of 0xcd9e8d57 * c2
    const bL = c2 & 0xffff;
    const bH = c2 >>> 16;
    const bMid = (Math.imul(bH, 0x8d57) >>> 0) + (Math.imul(bL, 0x8d57) >>> 16);
    const bLow = (Math.imul(bL, 0xcd9e) >>> 0) + (bMid & 0xffff);
    const hiB = (Math.imul(bH, 0xcd9e) + (bMid >>> 16) + (bLow >>> 16)) | 0;
    const loB = Math.imul(c2, 0xcd9e8d57);
    c0 = hiB ^ c1 ^ k0;
    c1 = loB;
    c2 = hiA ^ c3 ^ k1;
    c3 = loA;
    k0 = (k0 + 0x9e3779b9) | 0;
    k1 = (k1 + 0xbb67ae85) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * Philox4x32-10: four 32-bit words from a counter of four words and a key of two. For one key no two
 * counters give the same four words.
 *
 * Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  const out = new Uint32Array(4);
  philox(out, ...counter, ...key);
  return out;
}
