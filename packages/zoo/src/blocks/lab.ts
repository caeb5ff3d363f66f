import {
  add,
  clamp,
  concat,
  div,
  greater,
  mul,
  pow,
  split,
  sub,
  where,
  type Tensor,
} from "@duelo/core";

// CIE L*a*b* of sRGB under D65 (IEC 61966-2-1; CIE 15). Both directions are operations of the graph,
// so an exported colouriser takes grey pixels and gives coloured ones.

/** Rows of linear RGB to XYZ over the white point, each row divided by its sum, so that white is 1, 1, 1. */
const toXyz = [
  [0.4123907992659595, 0.357584339383878, 0.1804807884018343],
  [0.21263900587151027, 0.715168678767756, 0.07219231536073371],
  [0.01933081871559182, 0.11919477979462598, 0.9505321522496607],
].map((row) => row.map((v) => v / row.reduce((a, b) => a + b)));
const fromXyz = inverse(toXyz);

/** f(t) = t^(1/3) above (6/29)^3, else a line of the same slope and value there. */
const knee = 6 / 29;

/** Images [N, 1 or 3, H, W] of sRGB values 0 to 1: L 0 to 100, a and b about -110 to 110. */
export function rgbToLab(rgb: Tensor): { L: Tensor; ab: Tensor } {
  const light = div(add(rgb, 0.055), 1.055);
  const linear = where(greater(rgb, 0.04045), pow(clamp(light, { min: 0 }), 2.4), div(rgb, 12.92));
  const [x, y, z] = rgb.shape[1] === 1 ? [linear, linear, linear] : mixed(toXyz, linear);
  const [fx, fy, fz] = [curve(x), curve(y), curve(z)];
  return {
    L: sub(mul(fy, 116), 16),
    ab: concat([mul(sub(fx, fy), 500), mul(sub(fy, fz), 200)], 1),
  };
}

/** The inverse, [N, 3, H, W]; colours outside sRGB are clipped to 0 to 1. */
export function labToRgb({ L, ab }: { L: Tensor; ab: Tensor }): Tensor {
  const [a, b] = planes(ab, 2);
  const fy = div(add(L, 16), 116);
  const xyz = [add(fy, div(a, 500)), fy, sub(fy, div(b, 200))].map(uncurve);
  const linear = clamp(concat(mixed(fromXyz, concat(xyz, 1)), 1), { min: 0, max: 1 });
  const bright = sub(mul(pow(clamp(linear, { min: 0.003 }), 1 / 2.4), 1.055), 0.055);
  return clamp(where(greater(linear, 0.0031308), bright, mul(linear, 12.92)), { min: 0, max: 1 });
}

const curve = (t: Tensor): Tensor =>
  where(
    greater(t, knee ** 3),
    pow(clamp(t, { min: knee ** 3 }), 1 / 3),
    add(div(t, 3 * knee ** 2), 4 / 29),
  );
const uncurve = (t: Tensor): Tensor =>
  where(greater(t, knee), mul(mul(t, t), t), mul(sub(t, 4 / 29), 3 * knee ** 2));

function planes(x: Tensor, n: 2 | 3): Tensor[] & [Tensor, Tensor, Tensor] {
  return split(x, new Array<number>(n).fill(1), 1) as [Tensor, Tensor, Tensor];
}

/** Three planes as sums of the three of x, weighted by the rows of a matrix. */
function mixed(rows: readonly (readonly number[])[], x: Tensor): [Tensor, Tensor, Tensor] {
  const parts = planes(x, 3);
  const sum = (row: readonly number[] = []): Tensor =>
    parts.map((p, i) => mul(p, row[i] ?? 0)).reduce((a, b) => add(a, b));
  return [sum(rows[0]), sum(rows[1]), sum(rows[2])];
}

/** Of a 3 x 3 matrix, by cofactors. */
function inverse(m: readonly (readonly number[])[]): number[][] {
  const at = (i: number, j: number): number => m[i % 3]?.[j % 3] ?? 0;
  const cofactor = (i: number, j: number): number =>
    at(i + 1, j + 1) * at(i + 2, j + 2) - at(i + 1, j + 2) * at(i + 2, j + 1);
  const det = [0, 1, 2].reduce((d, j) => d + at(0, j) * cofactor(0, j), 0);
  return [0, 1, 2].map((i) => [0, 1, 2].map((j) => cofactor(j, i) / det));
}
