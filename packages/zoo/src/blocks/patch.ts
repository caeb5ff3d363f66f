import { nn, type Layer, type Shape } from "@duelo/core";
import type { OptionValue } from "../options.ts";

/** Pixels of the image that one logit of D sees: convolutions of stride 2 before its last two. */
export const patches = { "1": 0, "16": 1, "70": 3, "286": 5 } as const;
export type Patch = keyof typeof patches;

/**
 * The patch discriminator of pix2pix (Isola et al. 2016, Section 6.1): a map of logits, each of which
 * judges a square of the image. Kernels 4, LeakyReLU 0.2, no norm in the first layer; a convolution
 * that a norm follows has no bias unless `bias`. Patch 1 has kernels 1 throughout.
 */
export function patchD(o: {
  readonly width: number;
  readonly patch: Patch;
  readonly norm: () => Layer;
  readonly bias: boolean;
}): Layer {
  const halvings = patches[o.patch];
  const init = nn.init.normal({ std: 0.02 });
  const conv = (out: number, stride: number, bias: boolean): Layer =>
    o.patch === "1"
      ? nn.conv({ out, kernel: 1, init, bias, biasInit: nn.init.zeros })
      : nn.conv({ out, kernel: 4, stride, pad: 1, init, bias, biasInit: nn.init.zeros });
  const slope = nn.leakyRelu({ slope: 0.2 });
  const normed = (level: number, stride: number): Layer[] => [
    conv(o.width * Math.min(2 ** level, 8), stride, o.bias),
    o.norm(),
    slope,
  ];
  const inner = Array.from({ length: Math.max(halvings - 1, 0) }, (_, i) => normed(i + 1, 2));
  return nn.chain(
    conv(o.width, 2, true),
    slope,
    ...inner.flat(),
    ...normed(Math.max(halvings, 1), 1),
    conv(1, 1, true),
  );
}

/** Why the patch discriminator cannot take images of this shape, or nothing. */
export function refusePatch(
  [, height = 1, width = 1]: Shape,
  patch: OptionValue | undefined,
): string | undefined {
  const halvings = Object.entries(patches).find(([name]) => name === patch)?.[1] ?? 0;
  const least = patch === "1" ? 1 : 3 * 2 ** halvings;
  if (Math.min(height, width) >= least) return undefined;
  return `a patch of ${patch} needs sides of ${least} pixels or more; choose a larger --size, or a smaller one such as --set patch=16`;
}
