import { sizeOf, stridesOf, type NdArray, type Shape } from "../ir.ts";

// What the float64 definitions of operations share.

/** The i-th of a list that is known to be long enough. */
export function nth<T>(list: readonly T[], i: number): T {
  const item = list[i];
  if (item === undefined) throw new TypeError(`operand ${i} is missing`);
  return item;
}

/** Makes an array by a function of the index along each axis, whose argument is reused. */
export function tabulate(shape: Shape, value: (index: readonly number[]) => number): Float64Array {
  const out = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let k = 0; k < out.length; k++) {
    out[k] = value(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next === shape[axis] ? 0 : next;
      if (next !== shape[axis]) break;
    }
  }
  return out;
}

/** Reads an array by the index along each axis; 0 outside of it. */
export function reader(x: NdArray): (index: readonly number[]) => number {
  const strides = stridesOf(x.shape);
  return (index) => {
    let k = 0;
    for (let axis = 0; axis < index.length; axis++) {
      const i = index[axis] ?? 0;
      if (i < 0 || i >= (x.shape[axis] ?? 0)) return 0;
      k += i * (strides[axis] ?? 0);
    }
    return x.data[k] ?? 0;
  };
}

/** `shape` with the extent of one axis replaced. */
export const withAxis = (shape: Shape, axis: number, extent: number): Shape =>
  shape.map((d, i) => (i === axis ? extent : d));

/** Applies f to each line of values along an axis; lines may change their length, all alike. */
export function mapLines(
  x: NdArray,
  axis: number,
  f: (line: Float64Array) => ArrayLike<number>,
): Float64Array {
  const n = x.shape[axis] ?? 1;
  const inner = sizeOf(x.shape.slice(axis + 1));
  const outer = x.data.length / (n * inner);
  const parts: number[][] = [];
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const line = Float64Array.from({ length: n }, (_, k) => x.data[(o * n + k) * inner + i] ?? 0);
      parts.push(Array.from(f(line)));
    }
  }
  const m = parts[0]?.length ?? 0;
  return Float64Array.from({ length: outer * m * inner }, (_, k) => {
    const o = Math.floor(k / (m * inner));
    const j = Math.floor(k / inner) % m;
    return parts[o * inner + (k % inner)]?.[j] ?? 0;
  });
}
