import { UserError } from "@duelo/core";
import type { HostTensor, HostTensors } from "@duelo/runtime";
import { labelsFor } from "../draw-inputs.ts";
import { drawNoise } from "../draw-noise.ts";
import type { FunctionInput } from "../function-card.ts";
import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";
import { openFunction, type FunctionRequest, type OpenFunction } from "../open-function.ts";

/** What a generator makes its pictures of. */
export interface Latent {
  readonly space: "z" | "w";
  /** How to go from one point to another: on the sphere for normal z, on the line for w. */
  readonly along: "slerp" | "lerp";
  /** Points as training draws them, [n, d]; a function of the seed. */
  draw(n: number, seed: number): Promise<Matrix>;
  /** The pictures of points, 0 to 255, not rounded; all other noise is a function of the seed and the row. */
  pictures(points: Matrix, seed: number): Promise<Pictures>;
  close(): Promise<void>;
}

/**
 * The latent of a run's generator: w where its recipe has a mapping and a synthesis, as style-based ones
 * do; else its normal noise z. Throws UserError where there is neither.
 */
export async function openLatent(maker: FunctionRequest): Promise<Latent> {
  const mapping = await ofName(maker, "mapping");
  const synthesis = mapping && (await ofName(maker, "synthesis"));
  const make = synthesis ?? (await openFunction(maker));
  const close = async (): Promise<void> => {
    for (const f of new Set([mapping, make])) await f?.close();
  };
  const kind = synthesis === undefined ? "normal" : "given";
  const point = make.card.inputs.find((i) => i.kind === kind);
  const range = make.card.outputs[0]?.range;
  if (point === undefined || range === undefined) {
    await close();
    throw new UserError(
      `Run ${make.run.name} makes its samples of no normal noise, so there are no paths to measure. Leave path-length out.`,
    );
  }
  return {
    ...(synthesis === undefined
      ? ({ space: "z", along: "slerp" } as const)
      : ({ space: "w", along: "lerp" } as const)),
    async draw(n, seed) {
      const drawn =
        mapping === undefined
          ? drawNoise({ input: point, n, seed })
          : first(await mapping.call(feedsOf(mapping, n), { n, seed }));
      return { rows: n, cols: drawn.data.length / n, data: Float64Array.from(drawn.data) };
    },
    async pictures({ rows: n, data }, seed) {
      const shape = [n, ...point.shape];
      const fed = { dtype: "float32", shape, data: Float32Array.from(data) } as const;
      const feeds = { ...feedsOf(make, n), [point.name]: fed };
      const made = first(await make.call(feeds, { n, seed }));
      const [low, high] = range;
      const [, c = 1, h = 1, w = 1] = made.shape;
      const pixels = Float32Array.from(made.data, (v) => ((v - low) / (high - low)) * 255);
      return { shape: [n, c, h, w], data: pixels };
    },
    close,
  };
}

async function ofName(maker: FunctionRequest, name: string): Promise<OpenFunction | undefined> {
  try {
    return await openFunction({ ...maker, function: name });
  } catch (error) {
    if (error instanceof UserError) return undefined; // the recipe has none
    throw error;
  }
}

/** What is neither noise nor the point itself: classes in turn, and 1 for psi. */
function feedsOf({ card }: OpenFunction, n: number): HostTensors {
  const numbers = Int32Array.from({ length: n }, (_, i) => i);
  const fed = (input: FunctionInput): HostTensor | undefined => {
    if (input.kind === "label" && input.ofRecord === undefined)
      return { dtype: "int32", shape: [n], data: labelsFor(numbers, undefined, card.classes) };
    if (input.kind !== "given" || input.shape.length > 0) return undefined;
    return { dtype: "float32", shape: [n], data: new Float32Array(n).fill(1) };
  };
  return Object.fromEntries(
    card.inputs.flatMap((input) => {
      const value = fed(input);
      return value === undefined ? [] : [[input.name, value] as const];
    }),
  );
}

function first(results: Readonly<Record<string, HostTensor>>): HostTensor {
  const [result] = Object.values(results);
  if (result === undefined) throw new TypeError("the function gave nothing");
  return result;
}
