import { exp, optimize, softplus, square, sum, Tensor, UserError } from "@duelo/core";
import type { HostTensor, Runtime } from "@duelo/runtime";
import {
  traceFunction,
  withBatch,
  type BoundNets,
  type Context,
  type InputTensors,
  type Recipe,
} from "@duelo/zoo";
import { fillNoise, type Feeds } from "./feeder.ts";
import { likelihood, type Likelihood } from "./metrics/likelihood.ts";
import { streamOf } from "./random.ts";

export interface VaeRequest {
  /** `vae`, or another with E(x) = { mu, logVar }, logits G(z) and normal noise z. */
  readonly recipe: Recipe;
  readonly context: Context;
  /** Trained weights by name, as a checkpoint has them. */
  readonly state: Readonly<Record<string, HostTensor>>;
  /** uint8 [n, ...]: pictures of the data's shape, best those that were never trained on. */
  readonly x: HostTensor;
  /** Draws of z for each picture; 64 unless said otherwise. More make `importance` nearer to log p(x). */
  readonly draws?: number;
  readonly seed?: number;
  readonly runtime: Runtime;
}

/**
 * The evidence lower bound and the importance-weighted likelihood of pictures under a trained
 * variational autoencoder, in nats a picture; the nets run in float32, the means are taken in float64.
 * Pixels between 0 and 1 make it minus a cross entropy, not a log density.
 * @throws UserError for a recipe without an encoder, and a net that has diverged
 */
export async function vaeLikelihood(request: VaeRequest): Promise<Likelihood> {
  const { recipe, context, state, x, draws = 64, seed = 0, runtime } = request;
  const n = x.shape[0] ?? 0;
  const batch = Math.min(100, Math.max(1, n));
  const logWeights = { about: "log w of each picture", call: logWeightsOf };
  const judge: Recipe = { ...recipe, functions: () => ({ logWeights }) };
  const traced = traceFunction(judge, withBatch(context, batch), "logWeights");
  const program = await runtime.compile(optimize(traced.graph), {
    name: `${recipe.name}.likelihood`,
  });
  try {
    const weights: Feeds = {};
    for (const [input, entry] of traced.state) {
      const value = state[entry];
      if (value === undefined) throw new TypeError(`no state entry "${entry}"`);
      weights[input] = value;
    }
    const data = new Float64Array(n * draws);
    for (let from = 0, counter = 0; from < n; from += batch) {
      const images = { x: rowsFrom(x, from, batch) };
      for (let k = 0; k < draws; k++, counter++) {
        const noise: Feeds = {};
        for (const [name, spec] of traced.noise) {
          noise[name] = fillNoise(
            spec,
            { seed, stream: streamOf(`likelihood ${name}`), counter },
            undefined,
          );
        }
        const { logWeights } = await program.run({ ...weights, ...images, ...noise });
        for (let i = 0; i < batch && from + i < n; i++) {
          data[(from + i) * draws + k] = Number(logWeights?.data[i]);
        }
      }
    }
    return likelihood({ logWeights: { rows: n, cols: draws, data } });
  } finally {
    await program.close();
  }
}

/** log p(x|z) + log p(z) - log q(z|x), [N], for one z drawn from q; the terms in 2 pi cancel. */
function logWeightsOf({ E, G }: BoundNets, { x, z: eps }: InputTensors): Tensor {
  const posterior = E?.(x) as { mu?: unknown; logVar?: unknown } | undefined;
  const { mu, logVar } = posterior ?? {};
  if (!(mu instanceof Tensor && logVar instanceof Tensor && x && eps)) {
    throw new UserError(
      "A likelihood needs an encoder E that gives mu and logVar, as the recipe vae has; this recipe has none.",
    );
  }
  const z = mu.add(exp(logVar.mul(0.5)).mul(eps));
  const logits = G?.(z) as Tensor;
  const pixels = logits.shape.map((_, axis) => axis).slice(1);
  const ofPixels = sum(x.mul(logits).sub(softplus(logits)), { axes: pixels });
  const prior = sum(square(z), { axes: [1] }).mul(-0.5);
  const posteriorPart = sum(logVar.add(square(eps)), { axes: [1] }).mul(0.5);
  return ofPixels.add(prior).add(posteriorPart);
}

/** `count` rows from `from`; beyond the last, the last again. */
function rowsFrom({ shape, data }: HostTensor, from: number, count: number): HostTensor {
  const [n = 0, ...rest] = shape;
  const size = data.length / n;
  const out = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    const row = Math.min(from + i, n - 1) * size;
    out.set(data.subarray(row, row + size) as Uint8Array, i * size);
  }
  return { dtype: "uint8", shape: [count, ...rest], data: out };
}
