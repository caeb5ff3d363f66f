import { expect, test } from "vitest";
import { fillNormal, streamOf } from "../random.ts";
import { kMeans, nearestCentres, squaredDistance } from "./clusters.ts";

/** Ten points around each of the corners of a square, one corner after the other. */
function corners(spread: number): Float32Array {
  const points = new Float32Array(80);
  fillNormal(points, { seed: 2, stream: streamOf("test clusters"), counter: 0 });
  return points.map((v, i) => {
    const corner = Math.floor(i / 20);
    return spread * v + 10 * (i % 2 === 0 ? corner % 2 : Math.floor(corner / 2));
  });
}

test("squared distances are between rows", () => {
  const [a, b] = [Float32Array.of(9, 9, 1, 2), Float32Array.of(4, 6, 0, 0)];
  expect(squaredDistance(a, 1, b, 0, 2)).toBe(25);
  expect(squaredDistance(a, 0, a, 0, 2)).toBe(0);
});

test("clusters that lie apart are each found once, whatever the seed", () => {
  const points = corners(0.1);
  for (const seed of [0, 1, 2, 3]) {
    const centres = kMeans({ points, dim: 2, k: 4, seed });
    const homes = nearestCentres({ points, centres, dim: 2 });
    expect(new Set(homes).size).toBe(4);
    for (let corner = 0; corner < 4; corner++) {
      const own = homes.subarray(10 * corner, 10 * corner + 10);
      expect(new Set(own).size).toBe(1);
      const mean = [0, 1].map((axis) => {
        const values = Array.from(
          { length: 10 },
          (_, i) => points[20 * corner + 2 * i + axis] ?? 0,
        );
        return values.reduce((a, b) => a + b, 0) / 10;
      });
      const home = own[0] ?? 0;
      expect(centres[2 * home]).toBeCloseTo(mean[0] ?? Number.NaN, 4);
      expect(centres[2 * home + 1]).toBeCloseTo(mean[1] ?? Number.NaN, 4);
    }
    expect(kMeans({ points, dim: 2, k: 4, seed })).toEqual(centres);
  }
});

test("there are no more clusters than points, and equal points do no harm", () => {
  const two = Float32Array.of(0, 0, 3, 4);
  const centres = kMeans({ points: two, dim: 2, k: 9, seed: 0 });
  expect(Array.from(nearestCentres({ points: two, centres, dim: 2 })).toSorted()).toEqual([0, 1]);
  const same = new Float32Array(20).fill(2);
  expect(kMeans({ points: same, dim: 2, k: 3, seed: 0 })).toEqual(new Float32Array(6).fill(2));
});
