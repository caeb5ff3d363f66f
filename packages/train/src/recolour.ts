import type { Pixels } from "./data/source.ts";

// L*a*b* of sRGB under D65 for pictures of any size, whose colours come from a smaller one. The same
// formulas as the zoo's blocks/lab.ts, which is part of graphs of one size.

const white = [0.9504559270516717, 1, 1.0890577507598784] as const;
const toXyz = [
  [0.4123907992659595, 0.357584339383878, 0.1804807884018343],
  [0.21263900587151027, 0.715168678767756, 0.07219231536073371],
  [0.01933081871559182, 0.11919477979462598, 0.9505321522496607],
] as const;
const fromXyz = [
  [3.240969941904521, -1.537383177570093, -0.498610760293],
  [-0.96924363628087, 1.87596750150772, 0.041555057407175],
  [0.055630079696993, -0.20397695888897, 1.056971514242878],
] as const;
const knee = 6 / 29;

type Three = readonly [number, number, number];

const light = (v: number): number => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92);
const shown = (v: number): number => (v > 0.0031308 ? 1.055 * v ** (1 / 2.4) - 0.055 : 12.92 * v);
const curve = (t: number): number => (t > knee ** 3 ? Math.cbrt(t) : t / (3 * knee ** 2) + 4 / 29);
const uncurve = (t: number): number => (t > knee ? t ** 3 : 3 * knee ** 2 * (t - 4 / 29));
const dot = (row: Three, v: Three): number => row[0] * v[0] + row[1] * v[1] + row[2] * v[2];
const clip = (v: number): number => Math.min(Math.max(v, 0), 1);

/** sRGB 0 to 1 to L 0 to 100, a and b. */
export function labOf([r, g, b]: Three): Three {
  const linear: Three = [light(r), light(g), light(b)];
  const [x, y, z] = toXyz.map((row, i) => curve(dot(row, linear) / (white[i] ?? 1)));
  return [116 * (y ?? 0) - 16, 500 * ((x ?? 0) - (y ?? 0)), 200 * ((y ?? 0) - (z ?? 0))];
}

/** L, a and b to sRGB, clipped to 0 to 1. */
export function rgbOf([L, a, b]: Three): Three {
  const y = (L + 16) / 116;
  const xyz: Three = [
    white[0] * uncurve(y + a / 500),
    white[1] * uncurve(y),
    white[2] * uncurve(y - b / 200),
  ];
  return [
    clip(shown(clip(dot(fromXyz[0], xyz)))),
    clip(shown(clip(dot(fromXyz[1], xyz)))),
    clip(shown(clip(dot(fromXyz[2], xyz)))),
  ];
}

/**
 * Gives a picture the colours of a smaller one: its own lightness, and a* and b* interpolated between
 * the smaller one's pixels. Alpha is kept.
 * @param o.picture interleaved rows of 1 to 4 channels
 * @param o.colours a* then b*, each [height, width], over the whole of the picture
 */
export function recoloured(o: {
  picture: Pixels;
  colours: { ab: Float32Array; height: number; width: number };
}): Pixels {
  const { height, width, channels, data } = o.picture;
  const { ab, ...small } = o.colours;
  const alpha = channels % 2 === 0;
  const out = new Uint8Array(height * width * (alpha ? 4 : 3));
  const area = small.height * small.width;
  const value = (i: number): number => (data[i] ?? 0) / 255;
  for (let i = 0, to = 0; i < height * width; i++) {
    const from = i * channels;
    const grey = channels < 3;
    const rgb: Three = [value(from), value(from + (grey ? 0 : 1)), value(from + (grey ? 0 : 2))];
    const [y, x] = [Math.floor(i / width), i % width];
    const at = corners({ y, x, height, width, small });
    const mixed = (plane: number): number =>
      at.reduce((sum, { place, weight }) => sum + weight * (ab[plane + place] ?? 0), 0);
    for (const v of rgbOf([labOf(rgb)[0], mixed(0), mixed(area)])) out[to++] = Math.round(255 * v);
    if (alpha) out[to++] = data[from + channels - 1] ?? 255;
  }
  return { data: out, height, width, channels: alpha ? 4 : 3 };
}

/** The four pixels of the smaller picture around the middle of pixel (y, x), and their shares. */
function corners(o: {
  y: number;
  x: number;
  height: number;
  width: number;
  small: { height: number; width: number };
}): { place: number; weight: number }[] {
  const along = (i: number, from: number, to: number): readonly [number, number, number] => {
    const at = Math.min(Math.max(((i + 0.5) * to) / from - 0.5, 0), to - 1);
    const low = Math.floor(at);
    return [low, Math.min(low + 1, to - 1), at - low];
  };
  const [top, bottom, down] = along(o.y, o.height, o.small.height);
  const [left, right, across] = along(o.x, o.width, o.small.width);
  const w = o.small.width;
  return [
    { place: top * w + left, weight: (1 - down) * (1 - across) },
    { place: top * w + right, weight: (1 - down) * across },
    { place: bottom * w + left, weight: down * (1 - across) },
    { place: bottom * w + right, weight: down * across },
  ];
}
