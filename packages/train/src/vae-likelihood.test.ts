import { openRuntime } from "@duelo/runtime";
import { findRecipe, resolveOptions, traceStep, type Context } from "@duelo/zoo";
import { expect, test } from "vitest";
import { logBernoulli, logNormal, logSumExp } from "./metrics/likelihood.ts";
import type { Matrix } from "./metrics/matrix.ts";
import { initialState } from "./model.ts";
import { fillNormal, streamOf } from "./random.ts";
import { vaeLikelihood } from "./vae-likelihood.ts";

const [n, nPixels, zDim, width, draws] = [7, 16, 3, 5, 6];

function contextOf(name: string, set: Record<string, number>): Context {
  const options = resolveOptions(findRecipe(name).options, set);
  return { ...options, shape: { x: [1, 4, 4] }, nClasses: 0 } as unknown as Context;
}

test("the runtime's likelihood is that of the formulas, layer by layer", async () => {
  const recipe = findRecipe("vae");
  const context = contextOf("vae", { batch: 4, zDim, width });
  const specs = new Map(traceStep(recipe, context).flatMap((s) => [...s.stateSpecs]));
  const state = initialState(specs, 3);
  const bytes = Uint8Array.from({ length: n * nPixels }, (_, i) => (i * 37) % 256);
  const runtime = await openRuntime({ threads: 1 });
  const x = { dtype: "uint8", shape: [n, 1, 4, 4], data: bytes } as const;
  const got = await vaeLikelihood({ recipe, context, state, x, draws, seed: 5, runtime });
  await runtime.close();

  const values = (name: string) => state[name]?.data as Float32Array;
  /** x W^T + b, by the names of the checkpoint. */
  const linear = (from: Matrix, name: string): Matrix => {
    const [weight, bias] = [values(`${name}.weight`), values(`${name}.bias`)];
    const cols = bias.length;
    const data = Float64Array.from({ length: from.rows * cols }, (_, at) => {
      const [i, j] = [Math.floor(at / cols), at % cols];
      let v = bias[j] ?? NaN;
      for (let p = 0; p < from.cols; p++) {
        v += (from.data[i * from.cols + p] ?? NaN) * (weight[j * from.cols + p] ?? NaN);
      }
      return v;
    });
    return { rows: from.rows, cols, data };
  };
  const relu = (m: Matrix): Matrix => ({
    ...m,
    data: Float64Array.from(m.data, (v) => Math.max(0, v)),
  });
  const pixels = { rows: n, cols: nPixels, data: Float64Array.from(bytes, (v) => v / 255) };
  const h = relu(linear(pixels, "E.fc1"));
  const [mean, logVar] = [linear(h, "E.fc21"), linear(h, "E.fc22")];
  const noise = new Float32Array(n * zDim);
  const logs = Array.from({ length: n }, (): number[] => []);
  for (let counter = 0; counter < draws; counter++) {
    fillNormal(noise, { seed: 5, stream: streamOf("likelihood z"), counter });
    const z = {
      ...{ rows: n, cols: zDim },
      data: mean.data.map(
        (v: number, i: number) => v + Math.exp((logVar.data[i] ?? 0) / 2) * (noise[i] ?? 0),
      ),
    };
    const logits = linear(relu(linear(z, "G.fc3")), "G.fc4");
    const [p, prior, q] = [
      logBernoulli({ x: pixels, logits }),
      logNormal({ x: z }),
      logNormal({ x: z, mean, logVar }),
    ];
    logs.forEach((own, i) => own.push((p[i] ?? NaN) + (prior[i] ?? NaN) - (q[i] ?? NaN)));
  }
  for (const [i, own] of logs.entries()) {
    expect(got.rows.bound[i]).toBeCloseTo(own.reduce((a, b) => a + b, 0) / draws, 4);
    expect(got.rows.importance[i]).toBeCloseTo(logSumExp(own) - Math.log(draws), 4);
  }
  expect(got.importance).toBeGreaterThan(got.bound);
});

test("a recipe without an encoder is refused", async () => {
  const recipe = findRecipe("gan");
  const context = contextOf("gan", {});
  const runtime = await openRuntime({ threads: 1 });
  const x = { dtype: "uint8", shape: [1, 1, 4, 4], data: new Uint8Array(16) } as const;
  await expect(
    vaeLikelihood({ recipe, context, state: {}, x, runtime }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[UserError: A likelihood needs an encoder E that gives mu and logVar, as the recipe vae has; this recipe has none.]`,
  );
  await runtime.close();
});
