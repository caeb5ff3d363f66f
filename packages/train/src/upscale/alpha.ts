import { bicubicTaps } from "@duelo/core";

interface Plane {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
}

/**
 * Rows `from` to `to` of a plane at `factor` times its size, by Keys' bicubic filter, mirrored at the
 * border. [to - from, width factor]
 */
export function enlargedRows(
  { data, height, width }: Plane,
  o: { readonly factor: number; readonly from: number; readonly to: number },
): Uint8Array {
  const wide = width * o.factor;
  const out = new Uint8Array((o.to - o.from) * wide);
  const line = new Float64Array(width);
  const across = Array.from({ length: wide }, (_, x) => bicubicTaps(x, { from: width, to: wide }));
  for (let row = o.from; row < o.to; row++) {
    line.fill(0);
    for (const { place, weight } of bicubicTaps(row, { from: height, to: height * o.factor }))
      for (let x = 0; x < width; x++)
        line[x] = (line[x] ?? 0) + weight * (data[place * width + x] ?? 0);
    for (const [x, taps] of across.entries()) {
      let sum = 0;
      for (const { place, weight } of taps) sum += weight * (line[place] ?? 0);
      out[(row - o.from) * wide + x] = Math.min(Math.max(Math.round(sum), 0), 255);
    }
  }
  return out;
}

/**
 * Gives pixels that cannot be seen the mean colour of visible neighbours, `passes` pixels far, so that what
 * a file hides there does not colour the edges of what is seen. Changes `colours` [C, H, W].
 */
export function spreadColours(
  colours: Uint8Array,
  { data: alpha, height, width }: Plane,
  { passes }: { readonly passes: number },
): void {
  const area = height * width;
  const channels = colours.length / area;
  const known = Uint8Array.from(alpha, (a) => (a > 0 ? 1 : 0));
  const isEdge = (i: number): boolean =>
    known[i] === 0 && neighbours(i, height, width).some((j) => known[j] === 1);
  let edge: number[] = [];
  for (let i = 0; i < area; i++) if (isEdge(i)) edge.push(i);
  for (let pass = 0; pass < passes && edge.length > 0; pass++) {
    for (const i of edge) {
      const near = neighbours(i, height, width).filter((j) => known[j] === 1);
      for (let c = 0; c < channels; c++) {
        const sum = near.reduce((s, j) => s + (colours[c * area + j] ?? 0), 0);
        colours[c * area + i] = Math.round(sum / near.length);
      }
    }
    for (const i of edge) known[i] = 1;
    const beyond = edge.flatMap((i) => neighbours(i, height, width));
    edge = [...new Set(beyond)].filter((i) => known[i] === 0);
  }
}

function neighbours(i: number, height: number, width: number): number[] {
  const [y, x] = [Math.floor(i / width), i % width];
  return [
    ...(y > 0 ? [i - width] : []),
    ...(y < height - 1 ? [i + width] : []),
    ...(x > 0 ? [i - 1] : []),
    ...(x < width - 1 ? [i + 1] : []),
  ];
}
