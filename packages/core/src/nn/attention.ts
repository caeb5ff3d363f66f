import { graphError, type Tensor } from "../ir.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { reshape, slice, transpose } from "../ops/shape.ts";
import { softmax } from "../ops/softmax.ts";
import { xavierUniform, zeros } from "./init.ts";
import { linear } from "./layers.ts";
import type { Layer } from "./scope.ts";

/**
 * Multi-head self-attention, softmax(Q K^T / sqrt(d)) V (Vaswani et al. 2017, Eq. 1).
 * x [N, T, D], y [N, T, D]; parameters as PyTorch's MultiheadAttention: `in_proj_weight` [3D, D],
 * `in_proj_bias` [3D], `out_proj.weight`, `out_proj.bias`.
 */
export function attention(o: { readonly heads: number }): Layer {
  return (s, x) => {
    const [n = 1, t = 1, width = 1] = x.shape;
    if (x.rank !== 3 || width % o.heads !== 0) {
      throw graphError("attention", `input [${x.shape.join(", ")}] has no ${o.heads} equal heads`);
    }
    const w = s.param("in_proj_weight", { shape: [3 * width, width], init: xavierUniform() });
    const b = s.param("in_proj_bias", { shape: [3 * width], init: zeros });
    const qkv = add(matmul(reshape(x, [n * t, width]), w, { transB: true }), b);
    const heads = (k: number): Tensor => {
      const part = slice(qkv, { axis: 1, start: k * width, end: (k + 1) * width });
      return transpose(reshape(part, [n, t, o.heads, width / o.heads]), [0, 2, 1, 3]);
    };
    const scores = matmul(heads(0), heads(1), { transB: true }); // [N, heads, T, T]
    const weights = softmax(mul(scores, 1 / Math.sqrt(width / o.heads)), { axis: -1 });
    const mixed = transpose(matmul(weights, heads(2)), [0, 2, 1, 3]);
    const out = linear({ out: width, biasInit: zeros });
    return s.child("out_proj", (c) => out(c, reshape(mixed, [n, t, width])));
  };
}
