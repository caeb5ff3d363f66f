/** A smooth function: its value, and its gradient written into the second argument. */
export type Loss = (at: Float64Array, gradient: Float64Array) => number;

const memory = 10;

/**
 * The place of the least value of a convex, smooth function: L-BFGS (Nocedal, Wright, "Numerical
 * Optimization", Algorithms 7.4 and 7.5) with steps halved until Armijo's rule holds. It ends where no
 * part of the gradient is above `tolerance` (1e-9), no step helps any more, or after `steps` (500).
 */
export function minimise(o: {
  readonly start: Float64Array;
  readonly loss: Loss;
  readonly tolerance?: number;
  readonly steps?: number;
}): Float64Array {
  const { loss, tolerance = 1e-9, steps = 500 } = o;
  let at = Float64Array.from(o.start);
  let gradient = new Float64Array(at.length);
  let value = loss(at, gradient);
  const past: { step: Float64Array; change: Float64Array; scale: number }[] = [];
  for (let i = 0; i < steps && gradient.some((g) => Math.abs(g) > tolerance); i++) {
    const towards = direction(gradient, past);
    const slope = dot(towards, gradient);
    const next = new Float64Array(at.length);
    const nextGradient = new Float64Array(at.length);
    let length = past.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let nextValue = Infinity;
    for (let half = 0; half < 40; half++, length /= 2) {
      for (let j = 0; j < at.length; j++) next[j] = (at[j] ?? 0) + length * (towards[j] ?? 0);
      nextValue = loss(next, nextGradient);
      if (nextValue <= value + 1e-4 * length * slope) break;
      nextValue = Infinity;
    }
    if (!(nextValue < value)) break; // rounding
    const step = next.map((v, j) => v - (at[j] ?? 0));
    const change = nextGradient.map((v, j) => v - (gradient[j] ?? 0));
    const curvature = dot(step, change);
    if (curvature > 0) past.push({ step, change, scale: 1 / curvature });
    if (past.length > memory) past.shift();
    [at, gradient, value] = [next, nextGradient, nextValue];
  }
  return at;
}

/** Minus the inverse of the curvature seen so far, times the gradient. */
function direction(
  gradient: Float64Array,
  past: readonly { step: Float64Array; change: Float64Array; scale: number }[],
): Float64Array {
  const q = gradient.map((g) => -g);
  const weights: number[] = [];
  for (const { step, change, scale } of past.toReversed()) {
    const weight = scale * dot(step, q);
    weights.push(weight);
    addTo(q, change, -weight);
  }
  const last = past.at(-1);
  if (last !== undefined) {
    const factor = 1 / (last.scale * dot(last.change, last.change));
    for (let j = 0; j < q.length; j++) q[j] = (q[j] ?? 0) * factor;
  }
  for (const { step, change, scale } of past) {
    const weight = (weights.pop() ?? 0) - scale * dot(change, q);
    addTo(q, step, weight);
  }
  return q;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j] ?? 0) * (b[j] ?? 0);
  return sum;
}

function addTo(a: Float64Array, b: Float64Array, weight: number): void {
  for (let j = 0; j < a.length; j++) a[j] = (a[j] ?? 0) + weight * (b[j] ?? 0);
}
