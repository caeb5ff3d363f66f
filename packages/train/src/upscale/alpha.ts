interface Plane {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
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
