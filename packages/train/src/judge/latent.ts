import { UserError } from "@duelo/core";
import type { HostTensors } from "@duelo/runtime";
import { labelsFor } from "../draw-inputs.ts";
import { drawNoise } from "../draw-noise.ts";
import { readTrained, type Trained } from "../export.ts";
import { everyLayer, hasW, styleRunOf } from "../latent/style-run.ts";
import type { Matrix } from "../metrics/matrix.ts";
import type { Pictures } from "../metrics/pictures.ts";
import { openFunction, type FunctionRequest } from "../open-function.ts";
import type { Pixels } from "../report/grid.ts";

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
 * do; else its normal noise z. Classes come in turn. Throws UserError where there is neither.
 */
export async function openLatent(maker: FunctionRequest): Promise<Latent> {
  const trained = await readTrained({ runs: "runs", ...maker });
  return hasW(trained.recipe, trained.context) ? ofStyles(trained) : ofNoise(maker);
}

async function ofStyles(trained: Trained): Promise<Latent> {
  const run = await styleRunOf(trained);
  return {
    ...{ space: "w", along: "lerp" },
    draw: (n, seed) => run.map({ numbers: upTo(n), seed }),
    pictures: async (points, seed) =>
      unrounded(
        await run.synthesize(everyLayer(points, run.nLayers), { numbers: upTo(points.rows), seed }),
      ),
    close: () => run.close(),
  };
}

async function ofNoise(maker: FunctionRequest): Promise<Latent> {
  const f = await openFunction(maker);
  const point = f.card.inputs.find((i) => i.kind === "normal");
  const label = f.card.inputs.find((i) => i.kind === "label" && i.ofRecord === undefined);
  const range = f.card.outputs[0]?.range;
  if (point === undefined || range === undefined) {
    await f.close();
    throw new UserError(
      `Run ${f.run.name} makes its samples of no normal noise, so there are no paths to measure. Leave path-length out.`,
    );
  }
  return {
    ...{ space: "z", along: "slerp" },
    async draw(n, seed) {
      const { data } = drawNoise({ input: point, n, seed });
      return { rows: n, cols: data.length / n, data: Float64Array.from(data) };
    },
    async pictures({ rows: n, data }, seed) {
      const shape = [n, ...point.shape];
      const feeds: HostTensors = {
        [point.name]: { dtype: "float32", shape, data: Float32Array.from(data) },
        ...(label && { [label.name]: classesInTurn(n, f.card.classes) }),
      };
      const [made] = Object.values(await f.call(feeds, { n, seed }));
      const [, c = 1, h = 1, w = 1] = made?.shape ?? [];
      return unrounded({ pixels: Float32Array.from(made?.data ?? []), shape: [n, c, h, w], range });
    },
    close: () => f.close(),
  };
}

const upTo = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

const classesInTurn = (n: number, classes: readonly string[]) =>
  ({ dtype: "int32", shape: [n], data: labelsFor(upTo(n), undefined, classes) }) as const;

/** Pixels from 0 to 255. */
function unrounded({ pixels, shape, range: [low, high] }: Pixels): Pictures {
  return { shape, data: Float32Array.from(pixels, (v) => ((v - low) / (high - low)) * 255) };
}
