import sharp from "sharp";
import { expect, test } from "vitest";
import { pointPlot } from "./points.ts";

async function look(png: Uint8Array) {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return {
    ...info,
    at: (y: number, x: number): number[] => {
      const from = (y * info.width + x) * 3;
      return [...data.subarray(from, from + 3)];
    },
  };
}

const corners = Float32Array.of(-1, -1, 1, -1, -1, 1, 1, 1); // shown from -1.25 to 1.25
const white = [255, 255, 255];

test("real points are grey, generated ones coloured, y grows upwards", async () => {
  const generated = Float32Array.of(0.5, 0.75);
  const plot = await look(await pointPlot({ real: corners, generated, size: 500 }));
  expect([plot.width, plot.height]).toEqual([500, 500]);
  const [r = 0, g = 0, b = 0] = plot.at(50, 50);
  expect(r).toBeLessThan(220);
  expect([g, b]).toEqual([r, r]);
  const [red = 0, , blue = 0] = plot.at(100, 350); // (0.5, 0.75)
  expect(red - blue).toBeGreaterThan(100);
  expect(plot.at(400, 350)).toEqual(white); // (0.5, -0.75)
});

test("what lies outside, or is not a number, changes nothing else", async () => {
  const odd = Float32Array.of(Number.NaN, 0, 0, Infinity, 1e30, 5);
  const crowded = await look(await pointPlot({ real: corners, generated: odd, size: 100 }));
  const alone = await look(
    await pointPlot({ real: corners, generated: new Float32Array(), size: 100 }),
  );
  for (const [y, x] of [
    [10, 10],
    [50, 50],
    [99, 0],
  ] as const) {
    expect(crowded.at(y, x)).toEqual(alone.at(y, x));
  }
});

test("the first two columns of more are drawn; one column is spread out; none is blank", async () => {
  const rows = Float32Array.of(-1, -1, 9, 1, 1, 9);
  const three = await look(
    await pointPlot({ real: rows, generated: new Float32Array(), nColumns: 3, size: 500 }),
  );
  expect(three.at(50, 450)).not.toEqual(white);
  expect(three.at(250, 250)).toEqual(white);
  const one = { real: Float32Array.of(0, 1), generated: new Float32Array(), nColumns: 1 };
  const line = await look(await pointPlot({ ...one, size: 500 }));
  expect(line.at(Math.round(250 + 0.309 * 400), 50)).not.toEqual(white); // y 0, from 0 to 0.618
  const blank = await look(
    await pointPlot({ real: new Float32Array(), generated: new Float32Array(), size: 10 }),
  );
  expect(blank.at(5, 5)).toEqual(white);
});
