import { clamp, resizeBicubic, round, type Shape, type Tensor } from "@duelo/core";

/** How many times as large as its input the result of super-resolution is. */
export const factor = 4;

/**
 * What super-resolution is given: an image in [0, 1] at a quarter of its size, made by the bicubic filter
 * that is widened against aliasing, as 256 steps of brightness. [N, C, H, W] to [N, C, H / 4, W / 4].
 */
export function lowResolution(x: Tensor): Tensor {
  const [, , height = 1, width = 1] = x.shape;
  const small = resizeBicubic(x, { size: [height / factor, width / factor] });
  return round(clamp(small, { min: 0, max: 1 }).mul(255)).mul(1 / 255);
}

/** Shape of that image, from [C, H, W]. */
export const lowShape = ([channels = 3, height = 1, width = 1]: Shape): Shape => [
  channels,
  height / factor,
  width / factor,
];

/** Why a discriminator that halves images `halvings` times cannot take this shape, or nothing. */
export function refuseSides(
  [, height = 1, width = 1]: Shape,
  halvings: number,
): string | undefined {
  const part = 2 ** halvings;
  if (height % part === 0 && width % part === 0) return undefined;
  return `${height}x${width} cannot be halved ${halvings} times; choose sides that ${part} divides, for example --size ${2 * part}`;
}
