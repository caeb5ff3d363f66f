import { sizeOf, type Shape } from "../ir.ts";

/** Where random numbers come from; the caller owns seed and position. */
export interface RandomSource {
  /** Fills with N(0, 1). */
  normal(out: Float32Array): void;
  /** Fills with U[0, 1). */
  uniform(out: Float32Array): void;
}

/** Draws the initial value of a parameter of `shape`, row-major. */
export type Initializer = (shape: Shape, random: RandomSource) => Float32Array;

/** Number of inputs and outputs that one unit of a weight [out, in, ...kernel] sees. */
export function fans(shape: Shape): { fanIn: number; fanOut: number } {
  const field = sizeOf(shape.slice(2));
  return { fanIn: (shape[1] ?? shape[0] ?? 1) * field, fanOut: (shape[0] ?? 1) * field };
}

export const zeros: Initializer = (shape) => new Float32Array(sizeOf(shape));
export const ones: Initializer = (shape) => new Float32Array(sizeOf(shape)).fill(1);
export const constantOf =
  (value: number): Initializer =>
  (shape) =>
    new Float32Array(sizeOf(shape)).fill(value);

/** N(mean, std^2). */
export function normal({ mean = 0, std }: { mean?: number; std: number }): Initializer {
  return (shape, random) => {
    const out = new Float32Array(sizeOf(shape));
    random.normal(out);
    return out.map((v) => mean + std * v);
  };
}

/** U[low, high). */
export function uniform({ low, high }: { low: number; high: number }): Initializer {
  return (shape, random) => {
    const out = new Float32Array(sizeOf(shape));
    random.uniform(out);
    return out.map((v) => low + (high - low) * v);
  };
}

/** U(-b, b) with b = gain sqrt(6 / (fanIn + fanOut)) (Glorot, Bengio 2010, Eq. 16). */
export const xavierUniform =
  ({ gain = 1 }: { gain?: number } = {}): Initializer =>
  (shape, random) => {
    const { fanIn, fanOut } = fans(shape);
    const high = gain * Math.sqrt(6 / (fanIn + fanOut));
    return uniform({ low: -high, high })(shape, random);
  };

/** N(0, gain^2 / fanIn); gain sqrt(2) before ReLU (He et al. 2015, Eq. 10). */
export const heNormal =
  ({ gain = Math.SQRT2 }: { gain?: number } = {}): Initializer =>
  (shape, random) =>
    normal({ std: gain / Math.sqrt(fans(shape).fanIn) })(shape, random);

/** U(-b, b) with b = gain sqrt(3 / fanIn): the uniform of heNormal's variance. */
export const heUniform =
  ({ gain = Math.SQRT2 }: { gain?: number } = {}): Initializer =>
  (shape, random) => {
    const high = gain * Math.sqrt(3 / fans(shape).fanIn);
    return uniform({ low: -high, high })(shape, random);
  };

/** U(-b, b) with b = 1 / sqrt(fanIn): what PyTorch gives linear and convolution layers. */
export const fanInUniform =
  ({ fanIn }: { fanIn?: number } = {}): Initializer =>
  (shape, random) => {
    const high = 1 / Math.sqrt(fanIn ?? fans(shape).fanIn);
    return uniform({ low: -high, high })(shape, random);
  };

/**
 * Rows (or columns, when there are more rows than columns) orthonormal, times gain; a weight
 * [out, in, ...kernel] is taken as [out, in * kernel] (Saxe et al. 2013).
 */
export const orthogonal =
  ({ gain = 1 }: { gain?: number } = {}): Initializer =>
  (shape, random) => {
    const rows = shape[0] ?? 1;
    const columns = sizeOf(shape) / rows;
    const [many, long] = rows <= columns ? [rows, columns] : [columns, rows];
    const draw = new Float32Array(many * long);
    random.normal(draw);
    const basis = gramSchmidt(Float64Array.from(draw), many, long);
    return Float32Array.from({ length: rows * columns }, (_, i) => {
      const [r, c] = [Math.floor(i / columns), i % columns];
      return gain * (basis[rows <= columns ? r * long + c : c * long + r] ?? 0);
    });
  };

/**
 * Makes `many` vectors of length `long` orthonormal, twice over for accuracy. Plain loops: the methods of
 * arrays take seven times as long, which for BigGAN at 64x64 is half a minute.
 */
function gramSchmidt(v: Float64Array, many: number, long: number): Float64Array {
  for (let i = 0; i < many; i++) {
    const a = v.subarray(i * long, (i + 1) * long);
    for (let pass = 0; pass < 2; pass++) {
      for (let j = 0; j < i; j++) {
        const b = v.subarray(j * long, (j + 1) * long);
        const along = dot(a, b);
        for (let k = 0; k < long; k++) a[k] = (a[k] ?? 0) - along * (b[k] ?? 0);
      }
    }
    const length = Math.sqrt(dot(a, a));
    for (let k = 0; k < long; k++) a[k] = (a[k] ?? 0) / length;
  }
  return v;
}

function dot(a: Float64Array, b: Float64Array): number {
  let total = 0;
  for (let k = 0; k < a.length; k++) total += (a[k] ?? 0) * (b[k] ?? 0);
  return total;
}
