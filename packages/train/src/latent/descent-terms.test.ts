import { inputName, interpret, input, type Tensor } from "@duelo/core";
import { expect, test } from "vitest";
import { fillNormal } from "../random.ts";
import { perceptualDistance } from "../metrics/perceptual.ts";
import { mapDistance, scaleDistance } from "./distance.ts";
import { noiseCorrelation, normalised } from "./noise-maps.ts";

const evaluated = (
  t: Tensor,
  feeds: Record<string, ArrayLike<number>>,
  leaves: Tensor[],
): number[] => {
  const graph = { inputs: leaves, outputs: { t } };
  return Array.from(interpret(graph, feeds)["t"]?.data ?? []);
};
const leaf = (name: string, shape: readonly number[]): Tensor => input(name, { shape });

function normal(n: number, stream: number): Float32Array {
  const data = new Float32Array(n);
  fillNormal(data, { seed: 0, stream, counter: 0 });
  return data;
}

/** Appendix D by loops: squared mean products with the neighbour above and to the left, at every scale. */
function byLoops(map: Float64Array, side: number): number {
  let [down, across] = [0, 0];
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = map[y * side + x] ?? 0;
      down += (at * (map[((y + side - 1) % side) * side + x] ?? 0)) / side ** 2;
      across += (at * (map[y * side + ((x + side - 1) % side)] ?? 0)) / side ** 2;
    }
  const here = down ** 2 + across ** 2;
  if (side <= 8) return here;
  const half = side / 2;
  const smaller = Float64Array.from({ length: half ** 2 }, (_, i) => {
    const [y, x] = [2 * Math.floor(i / half), 2 * (i % half)];
    const pixel = (dy: number, dx: number): number => map[(y + dy) * side + x + dx] ?? 0;
    return (pixel(0, 0) + pixel(0, 1) + pixel(1, 0) + pixel(1, 1)) / 4;
  });
  return here + byLoops(smaller, half);
}

test("the correlation of noise is that of the paper, at every scale, and summed over samples", () => {
  const map = leaf("map", [2, 1, 32, 32]);
  const values = normal(2 * 1024, 4);
  const [got] = evaluated(noiseCorrelation([map]), { map: values }, [map]);
  const parts = [0, 1].map((i) => Float64Array.from(values.subarray(1024 * i, 1024 * (i + 1))));
  expect(got).toBeCloseTo(
    parts.reduce((sum, p) => sum + byLoops(p, 32), 0),
    12,
  );
  const stripes = values.map((_, i) => (i % 2 === 0 ? 1 : -1));
  expect(evaluated(noiseCorrelation([map]), { map: stripes }, [map])[0]).toBeCloseTo(4, 12);
});

test("a normalised map has mean 0 and mean square 1, each sample by itself", () => {
  const map = leaf("map", [2, 1, 4, 4]);
  const values = normal(32, 5).map((v, i) => (i < 16 ? v * 3 + 1 : v));
  const out = evaluated(normalised(map), { map: values }, [map]);
  for (const part of [out.slice(0, 16), out.slice(16)]) {
    expect(part.reduce((a, b) => a + b, 0) / 16).toBeCloseTo(0, 12);
    expect(part.reduce((a, b) => a + b * b, 0) / 16).toBeCloseTo(1, 12);
  }
  expect(inputName(map)).toBe("map");
});

test("the distance of pictures sums the mean square over scales, pair by pair", () => {
  const [a, b] = [leaf("a", [2, 1, 8, 8]), leaf("b", [2, 1, 8, 8])];
  const zero = new Float32Array(128);
  // The first differs by 1 everywhere, at 8x8 and at 4x4; the second by stripes, which a mean hides.
  const other = zero.map((_, i) => (i < 64 || i % 2 === 0 ? 1 : -1));
  expect(evaluated(scaleDistance(a, b), { a: zero, b: other }, [a, b])).toEqual([2, 1]);
});

test("the distance of maps is the perceptual distance, pair by pair", () => {
  const shapes = [
    [4, 3, 4, 4],
    [4, 5, 2, 2],
  ] as const;
  const maps = shapes.map((shape, i) => leaf(`map${i}`, shape));
  const values = shapes.map(([n, c, h, w], i) => normal(n * c * h * w, 6 + i));
  const got = evaluated(mapDistance(maps), { map0: values[0] ?? [], map1: values[1] ?? [] }, maps);
  const layers = shapes.map(([, c, h, w], i) => {
    const half = (from: number, to: number) => {
      const data = values[i]?.subarray(from * c * h * w, to * c * h * w) ?? new Float32Array();
      return { shape: [2, c, h, w] as const, data };
    };
    return { a: half(0, 2), b: half(2, 4) };
  });
  const wanted = perceptualDistance(layers);
  got.forEach((v, i) => expect(v).toBeCloseTo(wanted[i] ?? NaN, 6));
  expect(got).toHaveLength(2);
});
