/** From a to b on the straight line: t from 0 to 1. */
export const lerp = (a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float64Array =>
  Float64Array.from(a, (v, i) => (1 - t) * v + t * (b[i] ?? 0));

/**
 * From a to b on the arc between their directions: (sin((1 - t) angle) a + sin(t angle) b) / sin(angle)
 * (Shoemake 1985). Of normal z it keeps the usual length, which the straight line does not. Where the
 * two point alike, or one is 0, it is the straight line; where they point opposite, there is no one arc,
 * and it goes through 0.
 */
export function slerp(a: ArrayLike<number>, b: ArrayLike<number>, t: number): Float64Array {
  const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  const sine = Math.sin(angle);
  if (!(sine > 1e-6)) return lerp(a, b, t);
  const [first, second] = [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
  return Float64Array.from(a, (v, i) => first * v + second * (b[i] ?? 0));
}
