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

/** How many points a walk has. */
export function nPoints(o: { nStops: number; nFrames: number; closed: boolean }): number {
  return o.closed ? o.nStops * o.nFrames : (o.nStops - 1) * (o.nFrames + 1);
}
