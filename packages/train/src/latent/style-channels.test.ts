import { expect, test } from "vitest";
import type { Affine } from "./affines.ts";
import { shapeOf } from "./directions.ts";
import { bestChannel } from "./style-channels.ts";

test("the channel that says most is found, and whether what has the attribute has more or less of it", () => {
  const rows = 200;
  const data = Float64Array.from({ length: 2 * rows }, (_, i) => Math.sin(12.9898 * i * i));
  const w = { rows, cols: 2, data };
  // channel 0 is the first part of w, channel 1 the second
  const weight = { rows: 2, cols: 2, data: Float64Array.of(1, 0, 0, 1) };
  const affine = { layer: 0, ofColours: false, weight } as unknown as Affine;
  for (const [channel, sign] of [
    [0, 1],
    [0, -1],
    [1, 1],
    [1, -1],
  ] as const) {
    const scores = Array.from({ length: rows }, (_, i) => sign * (data[2 * i + channel] ?? 0));
    const found = bestChannel({ affines: [affine], shape: shapeOf(w), w, scores });
    expect([found.channel, Math.sign(found.score)]).toEqual([channel, sign]);
  }
});
