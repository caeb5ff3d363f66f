import { constant, interpret, resizeBicubic } from "@duelo/core";
import { expect, test } from "vitest";
import { bicubicResizer } from "./bicubic.ts";

test.each([
  { height: 12, width: 20 },
  { height: 7, width: 2 },
])(
  "rows of a plane are those of the graph's bicubic filter, as bytes: $height x $width",
  (size) => {
    const [height, width] = [9, 5];
    const data = Uint8Array.from({ length: height * width }, (_, i) => (i * 97) % 256);
    const plane = constant(Array.from(data), { shape: [1, 1, height, width] });
    const y = resizeBicubic(plane, { size: [size.height, size.width] });
    const whole = interpret({ inputs: [], outputs: { y } }, {})["y"]?.data ?? [];
    const resize = bicubicResizer({ height, width }, size);
    const wanted = Array.from(whole, (v) => Math.min(Math.max(Math.round(v), 0), 255));
    const rows = resize(data, { first: 2, end: 6 });
    expect(Array.from(rows)).toEqual(wanted.slice(2 * size.width, 6 * size.width));
    expect(Array.from(resize(data))).toEqual(wanted);
  },
);
