import { add, avgPool, mul, slice, UserError, type Tensor } from "@duelo/core";
import type { Degradation } from "./projector.ts";

/** How a picture was made worse. */
export type Degraded =
  | { readonly kind: "grey" }
  /** Each pixel is the mean of so many by so many. */
  | { readonly kind: "small"; readonly factor: number }
  /** 1 where the picture is known, 0 where it is not, [H, W]. */
  | { readonly kind: "mask"; readonly known: Float32Array };

const luma = [0.299, 0.587, 0.114] as const; // ITU-R BT.601

/** The degradation as a part of a graph. */
export function degradationOf(degraded: Degraded): Degradation {
  if (degraded.kind === "grey") return { change: grey };
  if (degraded.kind === "mask") return { change: (x) => x, known: degraded.known };
  return { change: (x) => avgPool(x, { kernel: degraded.factor }) };
}

/** The lightness of red, green and blue; [N, 3, H, W] to [N, 1, H, W]. */
function grey(x: Tensor): Tensor {
  const channel = (c: number): Tensor => slice(x, { axis: 1, start: c, end: c + 1 });
  const [red, green, blue] = luma.map((share, c) => mul(channel(c), share));
  if (!red || !green || !blue) throw new TypeError("three colours");
  return add(add(red, green), blue);
}

/** Bytes of a picture [3, H, W] as the lightness that `grey` gives, [1, H, W]. */
export function greyOf(pixels: Uint8Array): Uint8Array {
  const area = pixels.length / 3;
  return Uint8Array.from({ length: area }, (_, i) =>
    Math.round(luma.reduce((sum, share, c) => sum + share * (pixels[c * area + i] ?? 0), 0)),
  );
}

/** By how much a picture is smaller than what a generator makes. Throws UserError. */
export function factorOf(
  name: string,
  picture: { readonly height: number; readonly width: number },
  [, h, w]: readonly [c: number, h: number, w: number],
): number {
  const factor = h / picture.height;
  if (Number.isInteger(factor) && factor >= 2 && picture.width * factor === w) return factor;
  throw new UserError(
    `${name} is ${picture.height}x${picture.width}, and this run makes pictures of ${h}x${w}. A small one is a half of that, a third, a quarter, and so on.`,
  );
}
