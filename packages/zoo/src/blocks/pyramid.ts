import type { Shape } from "@duelo/core";

/**
 * How often an image is halved on its way to D's last layer, and what is left: sides are halved
 * while both are even and the smaller is above `until` (4). 64x64 gives 4 levels and 4x4; 28x28 gives
 * 2 and 7x7; 96x64 gives 4 and 6x4.
 */
export function pyramid(
  shape: Shape,
  { until = 4 }: { readonly until?: number } = {},
): { levels: number; base: readonly [number, number] } {
  let [, height = 1, width = 1] = shape;
  let levels = 0;
  while (height % 2 === 0 && width % 2 === 0 && Math.min(height, width) > until) {
    height /= 2;
    width /= 2;
    levels++;
  }
  return { levels, base: [height, width] };
}

/** Why a convolutional pyramid cannot take images of this shape, or nothing. */
export function refusePyramid(shape: Shape): string | undefined {
  const [, height = 1, width = 1] = shape;
  const { levels, base } = pyramid(shape);
  if (levels >= 1 && Math.max(...base) <= 16) return undefined;
  return (
    `${height}x${width} cannot be halved down to a small map (it stops at ${base.join("x")}); ` +
    `choose sides such as 28, 32, 48, 64 or 128, for example --size 64`
  );
}
