import { UserError } from "@duelo/core";
import type { HostTensor } from "@duelo/runtime";
import type { FunctionInput } from "./function-card.ts";
import { fillInts, fillNormal, fillUniform, streamOf } from "./random.ts";

/** Noise whose sample i is its own stream, so that it does not depend on n. Throws UserError. */
export function drawNoise(o: {
  input: FunctionInput;
  n: number;
  seed: number;
  /** Which samples' noise; 0 to n - 1 unless said otherwise. */
  numbers?: ArrayLike<number>;
  /** Normal noise is drawn again until it lies within -t to t. */
  truncation?: number | undefined;
}): HostTensor {
  const { input, n, seed, truncation } = o;
  const counterOf = (i: number): number => o.numbers?.[i] ?? i;
  if (truncation !== undefined && !(truncation >= 0.05))
    throw new UserError(`Truncation is ${truncation}; it takes a number from 0.05 up.`);
  const size = input.shape.reduce((a, b) => a * b, 1);
  const stream = streamOf(`sample ${input.name}`);
  const shape = [n, ...input.shape];
  if (input.kind === "ints") {
    const data = new Int32Array(n * size);
    for (let i = 0; i < n; i++) {
      fillInts(data.subarray(i * size, (i + 1) * size), input.high ?? 1, {
        seed,
        stream,
        counter: counterOf(i),
      });
    }
    return { dtype: "int32", shape, data };
  }
  const data = new Float32Array(n * size);
  for (let i = 0; i < n; i++) {
    const part = data.subarray(i * size, (i + 1) * size);
    const counter = counterOf(i);
    if (input.kind === "normal") fillNormal(part, { seed, stream, counter });
    else fillUniform(part, { seed, stream, counter });
    if (truncation !== undefined && input.kind === "normal")
      redraw(part, truncation, seed, stream, counter);
  }
  const { low = 0, high = 1 } = input;
  const drawn = input.kind === "uniform" ? data.map((u) => low + (high - low) * u) : data;
  return { dtype: "float32", shape, data: drawn };
}

/** Draws what lies outside -t to t again until nothing does (Brock et al. 2018, Section 3.1). */
function redraw(part: Float32Array, t: number, seed: number, stream: number, sample: number): void {
  const again = new Float32Array(part.length);
  for (let round = 1; part.some((v) => Math.abs(v) > t); round++) {
    fillNormal(again, { seed, stream, counter: sample + round * 2 ** 24 });
    part.forEach((v, k) => (part[k] = Math.abs(v) > t ? (again[k] ?? 0) : v));
  }
}
