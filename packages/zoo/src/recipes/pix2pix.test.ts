import { expect, test } from "vitest";
import { resolveOptions } from "../options.ts";
import type { Context } from "../recipe.ts";
import { traceStep } from "../trace.ts";
import pix2pix from "./pix2pix.ts";

const step = (over: Readonly<Record<string, string | number>>) => {
  const tiny = { batch: 2, widthG: 2, widthD: 2, patch: "16" };
  const values = resolveOptions(pix2pix.options, { ...tiny, ...over });
  const context = { ...values, shape: { a: [3, 8, 8], b: [3, 8, 8] }, nClasses: 0 };
  return traceStep(pix2pix, context as unknown as Context);
};
const nNoise = (over: Parameters<typeof step>[0]): number =>
  step(over).reduce((sum, { noise }) => sum + noise.size, 0);

test("L1 alone trains no D, and costs nothing for one", () => {
  const [only, ...others] = step({ gan: 0 });
  expect(others).toEqual([]);
  const nets = Object.keys(only?.state ?? {}).map((name) => name.split(".")[0]);
  expect(nets).toContain("G");
  expect(nets).not.toContain("D");
});

test("D and G see the same picture, whatever the colours are told by", () => {
  expect(nNoise({ colour: "lab" })).toBe(nNoise({ colour: "rgb" }));
});
