/** Ways in which files keep floats, little endian. */
export type FloatWidth = "float16" | "bfloat16" | "float32" | "float64";

/** IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction. */
export function float16(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -14;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1 + fraction) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));
/** bfloat16: the upper half of a float32. */
export function bfloat16(bits: number): number {
  scratch.setUint16(2, bits, true);
  return scratch.getFloat32(0, true);
}

interface FloatReader {
  readonly nBytes: number;
  readonly read: (view: DataView, at: number) => number;
}
/** How one float of each width is read at a byte. */
export const floatReaders: Readonly<Record<FloatWidth, FloatReader>> = {
  float16: { nBytes: 2, read: (v, at) => float16(v.getUint16(at, true)) },
  bfloat16: { nBytes: 2, read: (v, at) => bfloat16(v.getUint16(at, true)) },
  float32: { nBytes: 4, read: (v, at) => v.getFloat32(at, true) },
  float64: { nBytes: 8, read: (v, at) => v.getFloat64(at, true) },
};

/** All floats of `bytes` as float32. */
export function widen(bytes: Uint8Array, width: FloatWidth): Float32Array {
  const { nBytes, read } = floatReaders[width];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.length / nBytes }, (_, i) => read(view, i * nBytes));
}
