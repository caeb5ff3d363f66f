import { UserError } from "@duelo/core";
import { fillWords } from "../random.ts";

/** An endless shuffled order: every epoch visits every record once, in an order of its own. */
export interface Sampler {
  /**
   * The records at positions `cursor` to `cursor + n - 1` of the order, and the cursor after them. The
   * cursor (0 at first) is the whole state: the same cursor always gives the same records.
   */
  nextBatch(cursor: number, n: number): { readonly indices: Int32Array; readonly cursor: number };
}

const nRounds = 8;

/** The 32-bit finaliser of MurmurHash3: every input bit moves every output bit. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * A keyed permutation of 0..length-1 in constant memory: a Feistel network over the smallest even
 * number of bits that holds `length`, applied again while the result falls outside (cycle walking; at
 * most four times on average). Black and Rogaway, "Ciphers with arbitrary finite domains", 2002.
 */
function permute(index: number, length: number, halfBits: number, roundKeys: Uint32Array): number {
  const mask = (1 << halfBits) - 1;
  let value = index;
  do {
    let left = value >>> halfBits;
    let right = value & mask;
    for (let round = 0; round < nRounds; round++) {
      const next = left ^ (mix(right ^ (roundKeys[round] ?? 0)) & mask);
      left = right;
      right = next;
    }
    value = (left << halfBits) | right; // at most 30 bits
  } while (value >= length);
  return value;
}

/** `length` 1..2^30 records; `seed` and `stream` as in `RandomKey`. */
export function createSampler(options: {
  readonly length: number;
  readonly seed: number;
  readonly stream: number;
}): Sampler {
  const { length, seed, stream } = options;
  if (!Number.isInteger(length) || length < 1 || length > 2 ** 30)
    throw new UserError(`A set of ${length} records cannot be shuffled: it takes 1 to ${2 ** 30}.`);
  const halfBits = Math.max(1, Math.ceil(Math.log2(length) / 2));
  const roundKeys = new Uint32Array(nRounds);
  let keyedFor = -1;
  return {
    nextBatch(cursor, n) {
      const indices = new Int32Array(n);
      for (let i = 0; i < n; i++) {
        const epoch = Math.floor((cursor + i) / length);
        if (epoch !== keyedFor) fillWords(roundKeys, { seed, stream, counter: epoch });
        keyedFor = epoch;
        indices[i] = permute((cursor + i) % length, length, halfBits, roundKeys);
      }
      return { indices, cursor: cursor + n };
    },
  };
}
