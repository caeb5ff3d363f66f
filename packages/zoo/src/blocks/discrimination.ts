import {
  abs,
  add,
  concat,
  constant,
  exp,
  expand,
  matmul,
  mul,
  nn,
  reshape,
  sub,
  sum,
  type Layer,
} from "@duelo/core";

/**
 * Minibatch discrimination (Salimans et al. 2016, Section 3.2): channels that say how close a sample
 * comes to the others of its batch. M_i = T f(x_i) is `kernels` rows of `dims` numbers, and
 * o_ib = sum over j != i of exp(-||M_ib - M_jb||_1) + bias_b. x [N, C, h, w], result
 * [N, C + kernels, h, w], the new channels constant over places.
 */
export function minibatchDiscrimination(o: {
  readonly kernels: number;
  readonly dims: number;
}): Layer {
  return (s, x) => {
    const [n = 1, c = 1, h = 1, w = 1] = x.shape;
    const nFeatures = c * h * w;
    const T = s.param("weight", {
      shape: [nFeatures, o.kernels * o.dims],
      init: nn.init.normal({ std: 0.05 }),
    });
    const bias = s.param("bias", { shape: [o.kernels], init: nn.init.constantOf(-1) });
    const M = matmul(reshape(x, [n, nFeatures]), T);
    const [mine, theirs] = [
      reshape(M, [n, 1, o.kernels, o.dims]),
      reshape(M, [1, n, o.kernels, o.dims]),
    ];
    const distance = sum(abs(sub(mine, theirs)), { axes: [3] }); // [N, N, kernels]
    const closeness = sum(mul(exp(mul(distance, -1)), others(n)), { axes: [1] });
    const maps = reshape(add(closeness, bias), [n, o.kernels, 1, 1]);
    return concat([x, expand(maps, [n, o.kernels, h, w])], 1);
  };
}

/** 0 where i = j and 1 elsewhere. [N, N, 1] */
const others = (n: number) =>
  constant(
    Float32Array.from({ length: n * n }, (_, k) => (Math.floor(k / n) === k % n ? 0 : 1)),
    { shape: [n, n, 1] },
  );
