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

/**
 * The points of a walk from each stop to the next, `nFrames` for each leg, beginning with its first stop.
 * A closed walk comes back to the first stop; of an open one every leg has its last stop too, so that it
 * is whole by itself.
 */
export function walk<T>(o: {
  stops: readonly T[];
  nFrames: number;
  closed: boolean;
  between: (a: T, b: T, t: number) => T;
}): T[] {
  const { stops, nFrames, closed, between } = o;
  const legs = stops.flatMap((from, i) => {
    const to = stops[i + 1] ?? (closed ? stops[0] : undefined);
    return to === undefined ? [] : [[from, to] as const];
  });
  return legs.flatMap(([from, to]) =>
    Array.from({ length: nFrames + (closed ? 0 : 1) }, (_, k) => between(from, to, k / nFrames)),
  );
}
