import { drawRows } from "../metrics/draw.ts";
import type { Matrix } from "../metrics/matrix.ts";

/** A plane between two sets: points with `weight . x + bias` above 0 are on the positive side. */
export interface Plane {
  readonly weight: Float64Array;
  readonly bias: number;
}

/**
 * Linear support vector machine: the least |v|^2 / 2 + cost * sum max(0, 1 - y v . (x, 1)), where the
 * last part of v is the bias. Dual coordinate descent (Hsieh et al. 2008, Algorithm 1) in an order that
 * the seed shuffles, until the gap between the primal and the dual is below a thousandth of the primal.
 * @param o.x a row a point
 * @param o.y 1 or -1 for each row
 */
export function linearSvm(o: {
  x: Matrix;
  y: ArrayLike<number>;
  /** What a point on the wrong side costs; 1 unless said otherwise. */
  cost?: number;
  seed?: number;
}): Plane {
  const { x, y, cost = 1, seed = 0 } = o;
  const { rows: n, cols: d } = x;
  const alpha = new Float64Array(n);
  const v = new Float64Array(d + 1);
  const part = (i: number, j: number): number => (j === d ? 1 : (x.data[i * d + j] ?? 0));
  const dot = (i: number): number => v.reduce((sum, vj, j) => sum + vj * part(i, j), 0);
  const sizes = Float64Array.from({ length: n }, (_, i) =>
    v.reduce((s, _v, j) => s + part(i, j) ** 2, 0),
  );
  for (let sweep = 0; sweep < 1000; sweep++) {
    const order = drawRows({ n, of: n, seed, purpose: "svm", counter: sweep });
    for (const i of order) {
      const side = y[i] ?? 0;
      const slope = side * dot(i) - 1;
      const before = alpha[i] ?? 0;
      const after = Math.min(cost, Math.max(0, before - slope / (sizes[i] ?? 1)));
      if (after === before) continue;
      alpha[i] = after;
      for (let j = 0; j <= d; j++) v[j] = (v[j] ?? 0) + (after - before) * side * part(i, j);
    }
    const half = v.reduce((sum, vj) => sum + vj * vj, 0) / 2;
    const lost = order.reduce((sum, i) => sum + Math.max(0, 1 - (y[i] ?? 0) * dot(i)), 0);
    const primal = half + cost * lost;
    const dual = alpha.reduce((sum, a) => sum + a, 0) - half;
    if (primal - dual <= 1e-3 * primal) break;
  }
  return { weight: v.slice(0, d), bias: v[d] ?? 0 };
}

/** How far each row is on the positive side: `weight . x + bias`. */
export const margins = ({ weight, bias }: Plane, { rows, cols, data }: Matrix): Float64Array =>
  Float64Array.from({ length: rows }, (_, i) =>
    weight.reduce((sum, w, j) => sum + w * (data[i * cols + j] ?? 0), bias),
  );

/** The mean of the shares of positive and of negative rows that are on their side; 0.5 for guessing. */
export function balancedAccuracy(plane: Plane, x: Matrix, y: ArrayLike<number>): number {
  const found = margins(plane, x);
  const shareOf = (side: 1 | -1): number => {
    const own = Array.from(found.keys()).filter((i) => y[i] === side);
    return own.filter((i) => side * (found[i] ?? 0) > 0).length / own.length;
  };
  return (shareOf(1) + shareOf(-1)) / 2;
}
