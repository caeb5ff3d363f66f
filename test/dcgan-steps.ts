import { optimize, scheduled, sizeOf } from "@duelo/core";
import type { HostTensor, Runtime } from "@duelo/runtime";
import { initialState, random } from "@duelo/train";
import { findRecipe, resolveOptions, type Context } from "@duelo/zoo";
import { traced } from "./step.ts";

export interface Steps {
  /** loss/D and loss/G of each step. */
  readonly losses: number[][];
  /** All weights, slots, averages and buffers after the last step. */
  readonly state: Record<string, HostTensor>;
}

/** Runs the first steps of a small `dcgan` on a runtime: everything as in training but the pixels, which are waves. */
export async function dcganSteps(runtime: Runtime, nSteps: number): Promise<Steps> {
  const recipe = findRecipe("dcgan");
  const options = resolveOptions(recipe.options, { batch: 4, zDim: 8, width: 4 });
  const context = { ...options, shape: { x: [3, 16, 16] }, nClasses: 0 } as unknown as Context;
  const { graphs, specs } = traced(recipe, context);
  const state = runtime.createState(initialState(specs, 1));
  const losses: number[][] = [];
  for (let step = 0; step < nSteps; step++) {
    for (const g of graphs) {
      const program = await runtime.compile(optimize(g.graph), { state: g.state });
      const pixels = Uint8Array.from(
        { length: 4 * 3 * 16 * 16 },
        (_, i) => 128 + 100 * Math.sin(i / 9 + step),
      );
      const feeds: Record<string, HostTensor> = {
        x: { dtype: "uint8", shape: [4, 3, 16, 16], data: pixels },
      };
      for (const [name, { shape }] of g.noise) {
        const data = new Float32Array(sizeOf(shape));
        random.fillNormal(data, { seed: 1, stream: 7, counter: step });
        feeds[name] = { dtype: "float32", shape, data };
      }
      for (const [name, schedule] of g.scalars) {
        const value = scheduled(schedule, { step, nImages: 0, progress: 0 });
        feeds[name] = { dtype: "float32", shape: [], data: Float32Array.of(value) };
      }
      const out = await program.run(feeds, state);
      losses.push(["log:loss/D", "log:loss/G"].map((name) => out[name]?.data[0] ?? NaN));
      await program.close();
    }
  }
  return { losses, state: await state.read() };
}

/** The largest difference between two runs, relative to the largest value of each tensor. */
export function deviation(a: Steps, b: Steps): { losses: number; state: number } {
  const of = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
    const scale = Math.max(...Array.from(x, Math.abs), 1e-30);
    return Math.max(...Array.from(x, (v, i) => Math.abs(v - (y[i] ?? NaN)) / scale));
  };
  const names = Object.keys(a.state);
  return {
    losses: of(a.losses.flat(), b.losses.flat()),
    state: Math.max(...names.map((n) => of(a.state[n]?.data ?? [], b.state[n]?.data ?? []))),
  };
}
