import {
  add,
  cast,
  concat,
  constant,
  equal,
  gather,
  less,
  mul,
  nn,
  or,
  reshape,
  slice,
  stopGradient,
  sub,
  where,
  type Scope,
  type Tensor,
} from "@duelo/core";

/**
 * The pool of images that D is shown (Shrivastava et al. 2017; Zhu et al. 2017, Section 4): until it
 * holds `size` images, each new one is kept and shown; then, with even odds, a new one is shown, or one
 * of the pool is shown and the new one takes its place. It is state of the graph, so it is saved and
 * resumed like any other.
 * @param o.fresh [N, C, H, W]; taken one after the other
 * @param o.coin uniform in 0 to 1, [N]
 * @param o.place int32 in 0 to size - 1, [N]
 */
export function pooled(
  s: Scope,
  name: string,
  o: { fresh: Tensor; coin: Tensor; place: Tensor; size: number },
): Tensor {
  const { size } = o;
  if (size === 0) return stopGradient(o.fresh);
  const [n = 1, ...image] = o.fresh.shape;
  const zero = nn.init.zeros;
  let pool = s.buffer(`pool${name}`, { shape: [size, ...image], init: zero });
  let count = s.buffer(`count${name}`, { shape: [], init: zero });
  const places = constant(
    Array.from({ length: size }, (_, i) => i),
    { shape: [size] },
  );
  const shown: Tensor[] = [];
  for (let i = 0; i < n; i++) {
    const one = (x: Tensor): Tensor => slice(x, { axis: 0, start: i, end: i + 1 });
    const fresh = stopGradient(one(o.fresh));
    const filling = less(count, size); // []
    const swap = less(reshape(one(o.coin), []), 0.5); // []
    const place = reshape(one(o.place), []);
    const at = where(filling, count, cast(place, "float32"));
    const writes = mul(cast(equal(places, at), "float32"), cast(or(filling, swap), "float32"));
    const here = reshape(writes, [size, ...image.map(() => 1)]);
    const old = gather(pool, reshape(place, [1]), { axis: 0 });
    shown.push(where(filling, fresh, where(swap, old, fresh)));
    pool = add(mul(pool, sub(1, here)), mul(fresh, here));
    count = add(count, cast(filling, "float32"));
  }
  s.setBuffer(`pool${name}`, pool);
  s.setBuffer(`count${name}`, count);
  return concat(shown, 0);
}
