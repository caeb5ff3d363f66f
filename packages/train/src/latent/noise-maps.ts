import {
  add,
  avgPool,
  concat,
  mean,
  mul,
  reciprocal,
  scalar,
  slice,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from "@duelo/core";

/**
 * What keeps noise noise while a picture is projected (Karras et al. 2019b, App. D): the squared mean
 * product of neighbours, across and down, at every halving of a map down to 8 places, summed over maps
 * and samples. Each map [N, 1, H, W]; the result is one number, 0 for noise without correlation.
 */
export const noiseCorrelation = (maps: readonly Tensor[]): Tensor =>
  maps.map(correlationOf).reduce(add, scalar(0));

function correlationOf(map: Tensor): Tensor {
  const along = (axis: 2 | 3): Tensor => {
    const products = mean(mul(map, rolled(map, axis)), { axes: [1, 2, 3] });
    return sum(square(products));
  };
  const here = add(along(2), along(3));
  const [, , h = 1, w = 1] = map.shape;
  if (h <= 8 || h % 2 !== 0 || w % 2 !== 0) return here;
  return add(here, correlationOf(avgPool(map, { kernel: 2 })));
}

/** Every value one place further on, the last one at the beginning. */
function rolled(x: Tensor, axis: number): Tensor {
  const extent = x.shape[axis] ?? 1;
  if (extent === 1) return x;
  const last = slice(x, { axis, start: extent - 1, end: extent });
  return concat([last, slice(x, { axis, start: 0, end: extent - 1 })], axis);
}

/** Each sample's map with mean 0 and mean square 1. [N, 1, H, W] */
export function normalised(map: Tensor): Tensor {
  const centred = sub(map, mean(map, { axes: [1, 2, 3], keep: true }));
  const size = mean(square(centred), { axes: [1, 2, 3], keep: true });
  return mul(centred, reciprocal(sqrt(size)));
}
