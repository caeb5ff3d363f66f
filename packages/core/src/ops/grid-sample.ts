import { graphError, showShape, type Tensor } from "../ir.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { at } from "./conv-geometry.ts";
import { stopGradient } from "./control.ts";
import { abs, floor } from "./elementwise.ts";
import { gather } from "./gather.ts";
import { constant } from "./leaf.ts";
import { and, cast, clamp, greaterOrEqual, lessOrEqual, where } from "./logic.ts";
import { matmul } from "./matmul.ts";
import { reshape, slice, transpose } from "./shape.ts";

export interface GridSampleOptions {
  /** What lies outside the image. */
  readonly padding?: "zeros" | "border" | "reflection";
  /** Whether -1 and 1 are the centres of the corner pixels, or the image's outer edges. */
  readonly alignCorners?: boolean;
}

/**
 * Reads an image bilinearly at the places of a grid. Composed of gathers of pixels and of their
 * weights, so that gradients by image and grid exist to any order (by the grid, between the pixels'
 * centres).
 *
 * @param x [N, C, H, W]
 * @param grid [N, H', W', 2], (x, y) in [-1, 1] across the image
 * @returns [N, C, H', W']
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  const { padding = "zeros", alignCorners = false } = options;
  if (x.rank !== 4 || grid.rank !== 4 || grid.shape[0] !== x.shape[0] || grid.shape[3] !== 2) {
    throw graphError(
      "gridSample",
      `image ${showShape(x.shape)} and grid ${showShape(grid.shape)} are not [N, C, H, W] and [N, H', W', 2]`,
    );
  }
  const [n, c, h, w] = [at(x.shape, 0), at(x.shape, 1), at(x.shape, 2), at(x.shape, 3)];
  const [toH, toW] = [at(grid.shape, 1), at(grid.shape, 2)];
  const pixels = reshape(transpose(x, [0, 2, 3, 1]), [n * h * w, c]); // [N H W, C]
  const coordinate = (i: number, size: number): Tensor => {
    const unit = reshape(slice(grid, { axis: 3, start: i, end: i + 1 }), [n, toH * toW]);
    return place(unit, size, padding, alignCorners); // [N, H' W']
  };
  const [columns, rows] = [corners(coordinate(0, w), w), corners(coordinate(1, h), h)];
  const image = constant(
    Array.from({ length: n }, (_, i) => i * h * w),
    { shape: [n, 1], dtype: "int32" },
  );
  const parts = rows.flatMap((row) =>
    columns.map((column) => {
      const index = add(add(image, mul(row.index, w)), column.index); // [N, H' W']
      const weight = mul(row.weight, column.weight);
      const picked = gather(pixels, reshape(index, [n * toH * toW]), { axis: 0 }); // [N H' W', C]
      return mul(picked, reshape(weight, [n * toH * toW, 1]));
    }),
  );
  const y = parts.reduce((a, b) => add(a, b));
  return transpose(reshape(y, [n, toH, toW, c]), [0, 3, 1, 2]);
}

/** A coordinate in [-1, 1] as a position in pixels, brought inside where the padding asks for it. */
function place(
  unit: Tensor,
  size: number,
  padding: "zeros" | "border" | "reflection",
  alignCorners: boolean,
): Tensor {
  const span = alignCorners ? size - 1 : size;
  const start = alignCorners ? 0 : -0.5;
  const pixel = add(mul(add(unit, 1), span / 2), start);
  if (padding === "zeros") return pixel;
  const inside = padding === "reflection" ? reflect(pixel, start, span) : pixel;
  return clamp(inside, { min: 0, max: size - 1 });
}

/** Folds a position into [start, start + span] by mirroring at both ends. */
function reflect(pixel: Tensor, start: number, span: number): Tensor {
  if (span === 0) return mul(pixel, 0);
  const distance = abs(sub(pixel, start));
  const turns = stopGradient(floor(mul(distance, 1 / (2 * span))));
  const rest = sub(distance, mul(turns, 2 * span)); // in [0, 2 span)
  return add(sub(span, abs(sub(rest, span))), start);
}

/** The two pixels around a position, each with its weight, 0 for one outside the image. */
function corners(position: Tensor, size: number): readonly { index: Tensor; weight: Tensor }[] {
  const low = stopGradient(floor(position));
  const toHigh = sub(position, low);
  return [
    { pixel: low, weight: sub(1, toHigh) },
    { pixel: add(low, 1), weight: toHigh },
  ].map(({ pixel, weight }) => ({
    index: cast(clamp(pixel, { min: 0, max: size - 1 }), "int32"),
    weight: where(and(greaterOrEqual(pixel, 0), lessOrEqual(pixel, size - 1)), weight, 0),
  }));
}

/**
 * The grid that an affine map makes: each target place (x, y) in [-1, 1] is read at theta (x, y, 1).
 *
 * @param theta [N, 2, 3]
 * @param options size [height, width] of the grid
 * @returns [N, height, width, 2]
 */
export function affineGrid(
  theta: Tensor,
  options: { readonly size: readonly [number, number]; readonly alignCorners?: boolean },
): Tensor {
  if (theta.rank !== 3 || theta.shape[1] !== 2 || theta.shape[2] !== 3) {
    throw graphError("affineGrid", `theta has shape ${showShape(theta.shape)}, expected [N, 2, 3]`);
  }
  const { size, alignCorners = false } = options;
  const [h, w] = size;
  const along = (i: number, n: number): number =>
    alignCorners ? (n === 1 ? 0 : (2 * i) / (n - 1) - 1) : (2 * i + 1) / n - 1;
  const places = Array.from({ length: h * w }, (_, k) => [
    along(k % w, w),
    along(Math.floor(k / w), h),
    1,
  ]).flat();
  const base = constant(places, { shape: [h * w, 3] });
  const grid = matmul(base, transpose(theta, [0, 2, 1])); // [N, H W, 2]
  return reshape(grid, [at(theta.shape, 0), h, w, 2]);
}
