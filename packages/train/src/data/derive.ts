import { UserError } from "@duelo/core";
import { createHash } from "node:crypto";
import { wanted, type Dataset } from "./dataset.ts";
import type { Derivation } from "./pairs.ts";

/** Light of an sRGB value, 0 to 1 (IEC 61966-2-1). */
const linear = (v: number): number => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const encoded = (v: number): number =>
  v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055;
const light = Float64Array.from({ length: 256 }, (_, i) => linear(i / 255));

/** Makes one picture [C', H', W'] from another [C, H, W], both bytes. */
interface Rule {
  shape(of: readonly number[]): readonly number[];
  apply(from: Uint8Array, shape: readonly number[], to: Uint8Array): void;
}

/** The grey of equal luminance Y = 0.2126 R + 0.7152 G + 0.0722 B of light, so of equal L*. */
const grey: Rule = {
  shape: ([, height = 1, width = 1]) => [1, height, width],
  apply(from, [channels = 1, height = 1, width = 1], to) {
    const area = height * width;
    if (channels < 3) return void to.set(from.subarray(0, area));
    const at = (i: number): number => light[from[i] ?? 0] ?? 0;
    for (let i = 0; i < area; i++) {
      const y = 0.2126 * at(i) + 0.7152 * at(area + i) + 0.0722 * at(2 * area + i);
      to[i] = Math.round(255 * encoded(y));
    }
  },
};

/** The mean of each square of k x k pixels. */
const smaller = (k: number): Rule => ({
  shape([channels = 1, height = 1, width = 1]) {
    if (height % k === 0 && width % k === 0) return [channels, height / k, width / k];
    throw new UserError(
      `Pictures of ${height}x${width} pixels cannot be made ${k} times smaller. Choose a --size that ${k} divides.`,
    );
  },
  apply(from, [channels = 1, height = 1, width = 1], to) {
    const [rows, columns] = [height / k, width / k];
    for (let i = 0; i < channels * rows * columns; i++) {
      const [plane, row] = [Math.floor(i / (rows * columns)), Math.floor(i / columns) % rows];
      const corner = (plane * height + row * k) * width + (i % columns) * k;
      let sum = 0;
      for (let y = 0; y < k; y++)
        for (let x = 0; x < k; x++) sum += from[corner + y * width + x] ?? 0;
      to[i] = Math.round(sum / (k * k));
    }
  },
});

const rules: Readonly<Record<Exclude<Derivation, "halves">, Rule>> = {
  grey,
  x2: smaller(2),
  x4: smaller(4),
};

/** Pairs made from single pictures: `pair` is the picture, x what the rule makes of it. */
export function derivePairs(dataset: Dataset, how: Exclude<Derivation, "halves">): Dataset {
  const shape = dataset.fields["x"]?.shape ?? [];
  const rule = rules[how];
  const small = rule.shape(shape);
  const [sizePair, sizeX] = [shape, small].map((s) => s.reduce((a, b) => a * b, 1));
  if (sizePair === undefined || sizeX === undefined)
    throw new TypeError("two shapes have two sizes");
  return {
    ...dataset,
    fields: {
      ...dataset.fields,
      x: { dtype: "uint8", shape: small },
      pair: { dtype: "uint8", shape },
    },
    key: createHash("sha256").update(`${dataset.key} ${how}`).digest("hex"),
    settings: { ...dataset.settings, derive: how },
    read(indices, out, places) {
      const n = indices.length;
      const x = wanted(out, "x", Uint8Array, n * sizeX);
      const pair = wanted(out, "pair", Uint8Array, n * sizePair) ?? new Uint8Array(n * sizePair);
      const { y } = out;
      dataset.read(indices, { x: pair, ...(y === undefined ? {} : { y }) }, places);
      if (x === undefined) return;
      for (let i = 0; i < n; i++) {
        const from = pair.subarray(i * sizePair, (i + 1) * sizePair);
        rule.apply(from, shape, x.subarray(i * sizeX, (i + 1) * sizeX));
      }
    },
  };
}
