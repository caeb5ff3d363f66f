import { constant, interpret, resizeBicubic } from "@duelo/core";
import { expect, test } from "vitest";
import { enlargedRows, spreadColours } from "./alpha.ts";

test("rows of an enlarged plane are those of the graph's bicubic filter, as bytes", () => {
  const [height, width, factor] = [3, 5, 4];
  const data = Uint8Array.from({ length: 15 }, (_, i) => (i * 97) % 256);
  const plane = constant(Array.from(data), { shape: [1, 1, height, width] });
  const y = resizeBicubic(plane, { size: [height * factor, width * factor] });
  const whole = interpret({ inputs: [], outputs: { y } }, {})["y"]?.data ?? [];
  const rows = enlargedRows({ data, height, width }, { factor, from: 2, to: 9 });
  const wanted = Array.from(whole, (v) => Math.min(Math.max(Math.round(v), 0), 255));
  expect(Array.from(rows)).toEqual(wanted.slice(2 * 20, 9 * 20));
});

test("colours spread into what cannot be seen, as far as is asked", () => {
  const alpha = { data: Uint8Array.of(255, 0, 0, 0, 9), height: 1, width: 5 };
  const colours = Uint8Array.of(100, 7, 7, 7, 50, 30, 7, 7, 7, 40); // two channels
  const near = colours.slice();
  spreadColours(near, alpha, { passes: 1 });
  expect(Array.from(near)).toEqual([100, 100, 7, 50, 50, 30, 30, 7, 40, 40]);
  spreadColours(colours, alpha, { passes: 9 });
  expect(Array.from(colours)).toEqual([100, 100, 75, 50, 50, 30, 30, 35, 40, 40]);
});
