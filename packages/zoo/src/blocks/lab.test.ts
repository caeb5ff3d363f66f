import { input, interpret, slice, type Tensor } from "@duelo/core";
import { describe, expect, test } from "vitest";
import { labToRgb, rgbToLab } from "./lab.ts";

/** Values of one result for N x C x 1 x 1 pixels. */
function run(rows: readonly (readonly number[])[], make: (x: Tensor) => Tensor): number[][] {
  const x = input("x", { shape: [rows.length, rows[0]?.length ?? 0, 1, 1] });
  const out = interpret({ inputs: [x], outputs: { y: make(x) } }, { x: rows.flat() })["y"];
  const width = (out?.data.length ?? 0) / rows.length;
  return rows.map((_, i) => Array.from(out?.data.slice(i * width, (i + 1) * width) ?? []));
}

const colours = [
  { name: "white", rgb: [255, 255, 255], lab: [100, 0, 0] },
  { name: "black", rgb: [0, 0, 0], lab: [0, 0, 0] },
  { name: "red", rgb: [255, 0, 0], lab: [53.24, 80.09, 67.2] },
  { name: "green", rgb: [0, 255, 0], lab: [87.73, -86.18, 83.18] },
  { name: "blue", rgb: [0, 0, 255], lab: [32.3, 79.19, -107.86] },
  { name: "middle grey", rgb: [119, 119, 119], lab: [50.03, 0, 0] },
  { name: "dark grey", rgb: [5, 5, 5], lab: [1.37, 0, 0] },
];

describe("Lab of sRGB under D65", () => {
  test.each(colours)("$name has its known value", ({ rgb, lab }) => {
    const pixel = [rgb.map((v) => v / 255)];
    const L = run(pixel, (x) => rgbToLab(x).L)[0] ?? [];
    const ab = run(pixel, (x) => rgbToLab(x).ab)[0] ?? [];
    for (const [i, v] of [...L, ...ab].entries())
      expect(Math.abs(v - (lab[i] ?? 0))).toBeLessThan(0.02);
  });

  /** The definition (CIE 15, IEC 61966-2-1), number by number. */
  function define([r = 0, g = 0, b = 0]: readonly number[]): number[] {
    const light = (v: number) => (v > 0.04045 ? ((v + 0.055) / 1.055) ** 2.4 : v / 12.92);
    const [R, G, B] = [light(r), light(g), light(b)];
    const x =
      (0.4123907992659595 * R + 0.357584339383878 * G + 0.1804807884018343 * B) /
      0.9504559270516717;
    const y = 0.21263900587151027 * R + 0.715168678767756 * G + 0.07219231536073371 * B;
    const z =
      (0.01933081871559182 * R + 0.11919477979462598 * G + 0.9505321522496607 * B) /
      1.0890577507598784;
    const f = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);
    return [116 * f(y) - 16, 500 * (f(x) - f(y)), 200 * (f(y) - f(z))];
  }
  const grid = Array.from({ length: 216 }, (_, i) =>
    [i % 6, Math.floor(i / 6) % 6, Math.floor(i / 36)].map((v) => v / 5),
  );

  test("is the float64 definition all over the cube, and comes back", () => {
    const L = run(grid, (x) => rgbToLab(x).L);
    const ab = run(grid, (x) => rgbToLab(x).ab);
    const back = run(grid, (x) => labToRgb(rgbToLab(x)));
    for (const [i, rgb] of grid.entries()) {
      const want = define(rgb);
      [...(L[i] ?? []), ...(ab[i] ?? [])].forEach((v, k) =>
        expect(Math.abs(v - (want[k] ?? 0))).toBeLessThan(1e-9),
      );
      (back[i] ?? []).forEach((v, k) => expect(Math.abs(v - (rgb[k] ?? 0))).toBeLessThan(1e-9));
    }
  });

  test("takes grey images, whose a and b are 0", () => {
    const grey = [[0.2], [0.7]];
    expect(
      run(grey, (x) => rgbToLab(x).ab)
        .flat()
        .map((v) => Math.abs(v) < 1e-12),
    ).toEqual([true, true, true, true]);
    const three = run([[0.2, 0.2, 0.2]], (x) => rgbToLab(x).L)[0]?.[0] ?? NaN;
    expect(run(grey, (x) => rgbToLab(x).L)[0]?.[0]).toBeCloseTo(three, 10);
  });

  test("clips colours that a screen cannot show", () => {
    const lab = [[50, 120, -120]];
    const parts = (x: Tensor): { L: Tensor; ab: Tensor } => ({
      L: slice(x, { axis: 1, start: 0, end: 1 }),
      ab: slice(x, { axis: 1, start: 1, end: 3 }),
    });
    expect(run(lab, (x) => labToRgb(parts(x)))[0]).toEqual([
      expect.closeTo(0.722, 3),
      0,
      expect.closeTo(1, 12),
    ]);
  });
});
