import {
  add,
  and,
  cast,
  constant,
  equal,
  greaterOrEqual,
  less,
  matmul,
  mean,
  mul,
  sub,
  type Layer,
  type Scope,
  type Tensor,
} from "@duelo/core";

/** Which of the three are applied, in this order. */
export const policies = ["none", "color", "color+translation", "color+translation+cutout"] as const;
export type Policy = (typeof policies)[number];

/**
 * DiffAugment (Zhao et al. 2020, Section 3, Appendix B): colour, translation and cutout, drawn for
 * each sample, as the first layer of D. So it meets data and samples, in D's phase and in G's, and
 * gradients flow through it, to second order too. x [N, C, H, W].
 */
export function diffAugment(o: { readonly policy: Policy }): Layer {
  const steps = o.policy.split("+");
  return (s, x) => {
    if (o.policy === "none") return x;
    const coloured = s.child("color", (c) => color(c, x));
    const moved = steps.includes("translation")
      ? s.child("translation", (c) => translation(c, coloured))
      : coloured;
    return steps.includes("cutout") ? s.child("cutout", (c) => cutout(c, moved)) : moved;
  };
}

/** One number a sample. [N, 1, 1, 1] */
const uniform = (s: Scope, x: Tensor, [low, high]: readonly [number, number]): Tensor =>
  s.noise({ kind: "uniform", shape: [x.shape[0] ?? 1, 1, 1, 1], low, high });

/** One whole number a sample, 0 to high - 1. [N, 1, 1, 1] */
const whole = (s: Scope, x: Tensor, high: number): Tensor =>
  cast(s.noise({ kind: "ints", shape: [x.shape[0] ?? 1, 1, 1, 1], high }), "float32");

/** Brightness, saturation and contrast. */
function color(s: Scope, x: Tensor): Tensor {
  const bright = add(x, uniform(s, x, [-0.5, 0.5]));
  const grey = mean(bright, { axes: [1], keep: true });
  const saturated = add(mul(sub(bright, grey), uniform(s, x, [0, 2])), grey);
  const level = mean(saturated, { axes: [1, 2, 3], keep: true });
  return add(mul(sub(saturated, level), uniform(s, x, [0.5, 1.5])), level);
}

const counting = (n: number, shape: readonly number[]): Tensor =>
  constant(
    Float32Array.from({ length: n }, (_, i) => i),
    { shape },
  );

/** Shifts by up to an eighth of each side; what comes in is 0. */
function translation(s: Scope, x: Tensor): Tensor {
  const [, , h = 1, w = 1] = x.shape;
  const shift = (side: number): Tensor => {
    const most = Math.floor(side / 8 + 0.5);
    return sub(whole(s, x, 2 * most + 1), most);
  };
  // Row i of the result is row i + t of x: a product with a matrix of ones and zeros.
  const pick = (side: number, t: Tensor): Tensor => {
    const from = add(counting(side, [side, 1]), t); // [N, 1, side, 1]
    return cast(equal(from, counting(side, [1, side])), "float32");
  };
  const rows = matmul(pick(h, shift(h)), x);
  return matmul(rows, pick(w, shift(w)), { transB: true });
}

/** Zeroes a rectangle of half the sides, whose centre may lie anywhere. */
function cutout(s: Scope, x: Tensor): Tensor {
  const [, , h = 1, w = 1] = x.shape;
  const inside = (side: number, shape: readonly number[]): Tensor => {
    const size = Math.floor(side / 2 + 0.5);
    const start = sub(whole(s, x, side + 1 - (size % 2)), Math.floor(size / 2));
    const place = counting(side, shape);
    return and(greaterOrEqual(place, start), less(place, add(start, size)));
  };
  const hole = and(inside(h, [1, 1, h, 1]), inside(w, [1, 1, 1, w]));
  return mul(x, sub(1, cast(hole, "float32")));
}
