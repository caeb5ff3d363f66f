/**
 * Counter-based random numbers: every number is a function of (seed, stream, counter, position) alone,
 * so there is no generator state to save and resuming is exact.
 *
 * Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

/** Which numbers: `seed` 0..2^53-1, `stream` 0..2^32-1 (see `streamOf`), `counter` 0..2^53-1 (a step). */
export interface RandomKey {
  readonly seed: number;
  readonly stream: number;
  readonly counter: number;
}

const word = 2 ** 32;

/** Rounds of Philox, written out in 16-bit halves because JavaScript has no 32 x 32 -> 64 multiply. */
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

/** Philox4x32-10: four 32-bit words from a counter of four words and a key of two. */
export function philox4x32(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): Uint32Array {
  const out = new Uint32Array(4);
  philox(out, ...counter, ...key);
  return out;
}

function whole(value: number, below: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0 || value >= below)
    throw new RangeError(`${name} is ${value}; it must be a whole number from 0 to below ${below}`);
  return value;
}

/** Calls `use` with blocks 0, 1, ... of four words; a key owns 2^32 blocks, so no two keys overlap. */
function blocks(n: number, key: RandomKey, use: (words: Uint32Array, block: number) => void): void {
  const seed = whole(key.seed, 2 ** 53, "seed");
  const counter = whole(key.counter, 2 ** 53, "counter");
  const stream = whole(key.stream, word, "stream");
  const words = new Uint32Array(4);
  const c1 = (counter % word) | 0;
  const c2 = Math.floor(counter / word) | 0;
  const k0 = (seed % word) | 0;
  const k1 = Math.floor(seed / word) | 0;
  for (let block = 0; block < n; block++) {
    philox(words, block | 0, c1, c2, stream | 0, k0, k1);
    use(words, block);
  }
}

/** A stream number from a name such as "dcgan D z": FNV-1a, 32 bits. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Fills `out` with words, each uniform over 0..2^32-1. */
export function fillWords(out: Uint32Array, key: RandomKey): void {
  blocks(Math.ceil(out.length / 4), key, (words, block) => {
    const at = block * 4;
    for (let i = 0; i < 4 && at + i < out.length; i++) out[at + i] = words[i] ?? 0;
  });
}

/** Fills `out` uniformly over [0, 1): multiples of 2^-24, each exact in float32. */
export function fillUniform(out: Float32Array, key: RandomKey): void {
  blocks(Math.ceil(out.length / 4), key, (words, block) => {
    const at = block * 4;
    for (let i = 0; i < 4 && at + i < out.length; i++)
      out[at + i] = ((words[i] ?? 0) >>> 8) * 2 ** -24;
  });
}

/**
 * Fills `out` with N(0, 1) by Box-Muller: two words give two values, computed in float64 and rounded
 * to float32. The largest magnitude is sqrt(2 ln 2^32) = 6.66.
 */
export function fillNormal(out: Float32Array, key: RandomKey): void {
  const n = out.length;
  const turn = 2 * Math.PI * 2 ** -32;
  blocks(Math.ceil(n / 4), key, (words, block) => {
    const at = block * 4;
    for (let i = 0; i < 4 && at + i < n; i += 2) {
      const radius = Math.sqrt(-2 * Math.log(((words[i] ?? 0) + 1) * 2 ** -32));
      const angle = turn * (words[i + 1] ?? 0);
      out[at + i] = radius * Math.cos(angle);
      if (at + i + 1 < n) out[at + i + 1] = radius * Math.sin(angle);
    }
  });
}

/** Fills `out` with whole numbers uniform over 0..n-1 (`n` 1..2^31); the bias is below n * 2^-53. */
export function fillInts(out: Int32Array, n: number, key: RandomKey): void {
  whole(n - 1, 2 ** 31, "n - 1");
  blocks(Math.ceil(out.length / 2), key, (words, block) => {
    const at = block * 2;
    for (let i = 0; i < 2 && at + i < out.length; i++) {
      const high = (words[2 * i] ?? 0) >>> 5; // 27 bits
      const low = (words[2 * i + 1] ?? 0) >>> 6; // 26 bits
      out[at + i] = Math.floor((high * 2 ** 26 + low) * 2 ** -53 * n);
    }
  });
}
