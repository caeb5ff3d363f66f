/**
 * The generator sfc32 (C. Doty-Humphrey, PractRand): 128 bits of state of which 32 count, so that no
 * state comes back within 2^32 words. As state it takes four words that are random already.
 *
 * In plain JavaScript, but every sum is cut to 32 bits at once and `9 * c` stands for `c + (c << 3)`:
 * otherwise V8 computes in float64, five times as slow.
 */
export class Sfc32 {
  readonly #state: Int32Array;

  constructor(state: Uint32Array) {
    this.#state = Int32Array.from(state);
  }

  /** Fills `out` with the next words, -2^31..2^31-1. */
  generate(out: Int32Array): void {
    const state = this.#state;
    let a = state[0] ?? 0;
    let b = state[1] ?? 0;
    let c = state[2] ?? 0;
    let d = state[3] ?? 0;
    for (let i = 0; i < out.length; i++) {
      const word = (((a + b) | 0) + d) | 0;
      d = (d + 1) | 0;
      a = b ^ (b >>> 9);
      b = Math.imul(c, 9);
      c = (((c << 21) | (c >>> 11) | 0) + word) | 0;
      out[i] = word;
    }
    state.set([a, b, c, d]);
  }

  /** The same words one at a time, from a few that are made ahead. */
  oneByOne(): () => number {
    const ahead = new Int32Array(64);
    let at = ahead.length;
    return () => {
      if (at === ahead.length) {
        this.generate(ahead);
        at = 0;
      }
      return ahead[at++] ?? 0;
    };
  }
}
