import { philox4x32 } from "./philox.ts";
import { Sfc32 } from "./sfc32.ts";
import { normalsOf } from "./ziggurat.ts";

/**
 * Random numbers by key: every number is a function of (seed, stream, counter, position) alone, so there
 * is no generator state to save and resuming is exact. A counter-based generator turns the key into the
 * state of a fast one (`docs/decisions/random-numbers.md`).
 */

/** Which numbers: `seed` 0..2^53-1, `stream` 0..2^32-1 (see `streamOf`), `counter` 0..2^53-1 (a step). */
export interface RandomKey {
  readonly seed: number;
  readonly stream: number;
  readonly counter: number;
}

const word = 2 ** 32;

function whole(value: number, below: number, name: string): number {
  if (!Number.isSafeInteger(value) || value < 0 || value >= below)
    throw new RangeError(`${name} is ${value}; it must be a whole number from 0 to below ${below}`);
  return value;
}

/** Generator number `index` of a key. With one seed no two keys or indices begin in the same state. */
function generator(key: RandomKey, index: number): Sfc32 {
  const seed = whole(key.seed, 2 ** 53, "seed");
  const counter = whole(key.counter, 2 ** 53, "counter");
  const stream = whole(key.stream, word, "stream");
  const high = (n: number): number => Math.floor(n / word);
  return new Sfc32(
    philox4x32(
      [index, (counter % word) | 0, high(counter) | 0, stream | 0],
      [(seed % word) | 0, high(seed) | 0],
    ),
  );
}

/** Further words of a key, for values that need more than one. */
const moreOf = (key: RandomKey): (() => number) => generator(key, 1).oneByOne();

const wordsIn = (out: Float32Array | Uint32Array): Int32Array =>
  new Int32Array(out.buffer, out.byteOffset, out.length);

/** A stream number from a name such as "dcgan D z": FNV-1a, 32 bits. */
export function streamOf(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** Fills `out` with words, each uniform over 0..2^32-1. */
export function fillWords(out: Uint32Array, key: RandomKey): void {
  generator(key, 0).generate(wordsIn(out));
}

/** Fills `out` uniformly over [0, 1): multiples of 2^-24, each exact in float32. */
export function fillUniform(out: Float32Array, key: RandomKey): void {
  const words = wordsIn(out);
  generator(key, 0).generate(words);
  for (let i = 0; i < words.length; i++) out[i] = ((words[i] ?? 0) >>> 8) * 2 ** -24;
}

/** Fills `out` with N(0, 1), computed in float64 and rounded to float32. */
export function fillNormal(out: Float32Array, key: RandomKey): void {
  const words = wordsIn(out);
  generator(key, 0).generate(words);
  normalsOf(words, out, moreOf(key));
}

/** Fills `out` with whole numbers uniform over 0..n-1 (`n` 1..2^31); the bias is below n * 2^-53. */
export function fillInts(out: Int32Array, n: number, key: RandomKey): void {
  whole(n - 1, 2 ** 31, "n - 1");
  generator(key, 0).generate(out);
  const next = moreOf(key);
  for (let i = 0; i < out.length; i++) {
    const high = (out[i] ?? 0) >>> 0; // 32 bits
    const low = next() >>> 11; // 21 bits
    out[i] = Math.floor((high * 2 ** 21 + low) * 2 ** -53 * n);
  }
}
