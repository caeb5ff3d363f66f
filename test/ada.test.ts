import {
  grad,
  input,
  interpret,
  mul,
  scalar,
  Scope,
  sum,
  Variables,
  type Tensor,
} from "@duelo/core";
import { beforeAll, describe, expect, test } from "vitest";
import { uniforms } from "../packages/core/src/testing/random.ts";
import { nodeFileSystem, withFile } from "../packages/train/src/run/file-system.ts";
import { readSafetensors, type Tensors } from "../packages/train/src/run/safetensors.ts";
import { adapt, augment, strength, type Augmentations } from "../packages/zoo/src/blocks/ada.ts";

/** Draws in the order in which they are asked for. */
const drawName = (i: number): string => (i === 0 ? "noise/state" : `noise/state.${i}`);

interface Ran {
  readonly y: ArrayLike<number>;
  readonly slope: ArrayLike<number>;
  readonly nDraws: number;
}

/** Augments by the float64 definitions; `v` is the cotangent whose pull-back is `slope`. */
function run(o: {
  x: { shape: readonly number[]; data: ArrayLike<number> };
  v?: ArrayLike<number>;
  p: number;
  kind: Augmentations;
  draw: (i: number, n: number) => ArrayLike<number>;
}): Ran {
  const variables = new Variables();
  const s = new Scope({ variables, path: "state", training: true, updates: new Map() });
  const x = input("x", { shape: o.x.shape });
  const v = input("v", { shape: o.x.shape });
  const y = augment(s, x, { p: scalar(o.p), kind: o.kind });
  const [slope = x] = grad(sum(mul(y, v)), [x]);
  const noise = [...variables.noise];
  const inputs: Tensor[] = [x, v, ...noise.flatMap(([n]) => variables.inputs.get(n) ?? [])];
  const feeds: Record<string, ArrayLike<number>> = {
    x: o.x.data,
    v: o.v ?? Array.from({ length: o.x.data.length }, () => 1),
  };
  noise.forEach(([name, spec], i) => {
    expect(name).toBe(drawName(i));
    feeds[name] = o.draw(
      i,
      spec.shape.reduce((a, b) => a * b, 1),
    );
  });
  const made = interpret({ inputs, outputs: { y, slope } }, feeds);
  return { y: made["y"]?.data ?? [], slope: made["slope"]?.data ?? [], nDraws: noise.length };
}

const furthest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((m, value, i) => Math.max(m, Math.abs(value - (b[i] ?? Number.NaN))), 0);

describe("the augmentations", () => {
  let golden: Tensors = {};
  const of = (name: string): ArrayLike<number> => (golden[name]?.data ?? []) as Float32Array;
  beforeAll(async () => {
    const path = `${import.meta.dirname}/golden/ada.safetensors`;
    golden = (await withFile(nodeFileSystem, path, "read", (f) => readSafetensors(f))).tensors;
  });

  const given = (kind: Augmentations): Ran =>
    run({
      x: { shape: golden["x"]?.shape ?? [], data: of("x") },
      v: of("v"),
      ...{ p: 0.7, kind },
      draw: (i) => of(`draw/${String(i).padStart(2, "0")}`),
    });

  test("leave alpha as it is where colours change", () => {
    const [n, h, w] = [2, 8, 8];
    const next = uniforms(11);
    const all = Float64Array.from({ length: n * 4 * h * w }, () => 2 * next() - 1);
    const channels = (data: ArrayLike<number>, keep: (c: number) => boolean): number[] =>
      Array.from(data).filter((_, i) => keep(Math.floor(i / (h * w)) % 4));
    const ran = (kind: Augmentations, keep: (c: number) => boolean): ArrayLike<number> => {
      const data = channels(all, keep);
      const shape = [n, data.length / (n * h * w), h, w];
      const draw = (i: number, size: number) => {
        const drawn = uniforms(100 + i);
        return Float64Array.from({ length: size }, drawn);
      };
      return run({ x: { shape, data }, p: 0.8, kind, draw }).y;
    };
    const [isColour, isAlpha] = [(c: number) => c < 3, (c: number) => c === 3];
    const y = ran("bgc", () => true);
    expect(furthest(channels(y, isColour), ran("bgc", isColour))).toBeLessThan(1e-12);
    expect(furthest(channels(y, isAlpha), ran("bg", isAlpha))).toBeLessThan(1e-12);
    expect(furthest(ran("bgc", isColour), ran("bg", isColour))).toBeGreaterThan(0.01);
  });

  test("move images as PyTorch's own operations do", () => {
    expect(furthest(given("bg").y, of("moved"))).toBeLessThan(1e-5);
  });

  test("change them as PyTorch's own operations do, gradients included", () => {
    const { y, slope, nDraws } = given("bgcfnc");
    expect(nDraws).toBe(42);
    expect(furthest(y, of("done"))).toBeLessThan(1e-5);
    expect(furthest(slope, of("slope"))).toBeLessThan(1e-4);
  });
});

describe("with draws of its own", () => {
  const next = uniforms(5);
  const shape = [2, 3, 16, 16];
  const data = Array.from({ length: 2 * 3 * 256 }, () => 2 * next() - 1);
  const rest = 0.9; // a coin that does not fall below p = 0.5

  test("p = 0 is the identity: no image is resampled", () => {
    const draw = (_: number, n: number) => Array.from({ length: n }, next);
    const { y } = run({ x: { shape, data }, p: 0, kind: "bg", draw });
    expect(Array.from(y)).toEqual(data);
    const whole = run({ x: { shape, data }, p: 0, kind: "bgcfnc", draw });
    expect(furthest(whole.y, data)).toBeLessThan(1e-8);
  });

  test("a mirror image, a quarter turn and whole pixels are exact away from the border", () => {
    // Values and coins of flip, turn and shift; all else rests.
    const value = [0.9, 0.1, 0.3, 0.1, 0.1, 0.75, 0.5];
    const { y } = run({
      x: { shape, data },
      ...{ p: 0.5, kind: "b" },
      draw: (i, n) => new Array<number>(n).fill(value[i] ?? rest),
    });
    // The result at (row, column) reads x at: shifted one to the left, turned, mirrored.
    const at = (row: number, column: number): number => {
      const [dx, dy] = [column - 7.5 - 1, row - 7.5]; // shift by round(0.5 * 0.125 * 16) = 1
      const [tx, ty] = [-dy, dx]; // a quarter turn
      const [fx, fy] = [-tx, ty]; // mirrored
      return (fy + 7.5) * 16 + fx + 7.5;
    };
    for (let row = 3; row < 13; row++)
      for (let column = 4; column < 13; column++)
        expect(Math.abs((y[row * 16 + column] ?? 9) - (data[at(row, column)] ?? 0))).toBeLessThan(
          1e-3,
        );
  });

  test("grey images and images that are not square are taken", () => {
    const grey = Array.from({ length: 2 * 12 * 20 }, next);
    const { y } = run({
      x: { shape: [2, 1, 12, 20], data: grey },
      ...{ p: 1, kind: "bgcfnc" },
      draw: (_, n) => Array.from({ length: n }, next),
    });
    expect(y).toHaveLength(grey.length);
    expect(Array.from(y).every(Number.isFinite)).toBe(true);
  });
});

test("the controller moves p by what D said since it last moved", () => {
  const step = (before: { p: number; signs: number }, logits: number[], turn: number) => {
    const variables = new Variables();
    const updates = new Map<string, Tensor>();
    const s = new Scope({ variables, path: "state", training: true, updates });
    const real = input("real", { shape: [logits.length, 1] });
    strength(s);
    adapt(s, real, { target: 0.6, kimg: 1, turn: scalar(turn), every: 4 });
    const [p, signs] = ["state.ada_p", "state.ada_signs"].map((n) => updates.get(n));
    if (p === undefined || signs === undefined) throw new TypeError("no buffers");
    const inputs = [real, ...variables.inputs.values()];
    const out = interpret(
      { inputs, outputs: { p, signs } },
      { real: logits, "state.ada_p": [before.p], "state.ada_signs": [before.signs] },
    );
    return { p: out["p"]?.data[0] ?? NaN, signs: out["signs"]?.data[0] ?? NaN };
  };
  // Waiting: signs are gathered. 3 of 4 right is a mean sign of 0.5.
  expect(step({ p: 0.2, signs: 1 }, [1, 1, 1, -1], 0)).toEqual({ p: 0.2, signs: 1.5 });
  // Turning: (2 + 1) / 4 = 0.75 is above 0.6, so p rises by 4 images * 4 steps / 1000.
  expect(step({ p: 0.2, signs: 2 }, [1, 1, 1, 1], 1)).toEqual({ p: 0.2 + 0.016, signs: 0 });
  // (1 + 0.5) / 4 is below, and p stays at 0.
  expect(step({ p: 0, signs: 1 }, [1, 1, 1, -1], 1)).toEqual({ p: 0, signs: 0 });
});
