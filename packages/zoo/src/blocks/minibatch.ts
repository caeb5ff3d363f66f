import {
  add,
  concat,
  expand,
  mean,
  reshape,
  sqrt,
  square,
  sub,
  UserError,
  type Tensor,
} from "@duelo/core";

/**
 * One more channel that says how much a group of samples differs: the standard deviation over the
 * group, averaged over channels and places (Karras et al. 2017, Section 3). Sample i is grouped with
 * i + N/G, i + 2N/G, … x [N, C, H, W], result [N, C + 1, H, W]. `group` is at most N and divides it.
 */
export function minibatchStddev(x: Tensor, o: { readonly group: number }): Tensor {
  const [n = 1, c = 1, h = 1, w = 1] = x.shape;
  const group = Math.min(o.group, n);
  if (n % group !== 0) {
    throw new UserError(
      `A batch of ${n} does not divide into groups of ${group}; choose --set group or batch so that it does.`,
    );
  }
  const groups = reshape(x, [group, n / group, c * h * w]);
  const centred = sub(groups, mean(groups, { axes: [0], keep: true }));
  const deviation = sqrt(add(mean(square(centred), { axes: [0] }), 1e-8)); // [N / G, C H W]
  const one = reshape(mean(deviation, { axes: [1] }), [1, n / group, 1, 1, 1]);
  const map = reshape(expand(one, [group, n / group, 1, h, w]), [n, 1, h, w]);
  return concat([x, map], 1);
}
