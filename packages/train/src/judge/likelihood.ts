import { openRuntime } from "@duelo/runtime";
import { demandWeights, readTrained } from "../export.ts";
import { bootstrapMean } from "../metrics/bootstrap.ts";
import { drawRows } from "../metrics/draw.ts";
import { takePictures } from "../metrics/pictures.ts";
import { vaeLikelihood } from "../vae-likelihood.ts";
import type { Metric, Score } from "./metric.ts";
import { picturesOf } from "./side.ts";

const nMost = 500;
const draws = 64;

export const likelihoodBound: Metric = {
  name: "elbo",
  aliases: ["likelihood"],
  title: "Evidence lower bound",
  about:
    "How likely held-out images are to a variational autoencoder, in nats an image: the bound that it is trained on, and its importance-weighted form of 64 draws, which is nearer to log p(x). Log densities only where pixels are 0 or 1.",
  better: "higher",
  needs: ["images", "maker"],
  leastRows: 1,
  onRequest: true,
  async compute({ maker, reference, heldOut, seed, brief }) {
    if (maker === undefined) throw new TypeError("no maker");
    const { recipe, context, state, untrained } = await readTrained({ runs: ".", ...maker });
    demandWeights({ what: "A likelihood", nets: ["E", "G"], untrained });
    const side = heldOut ?? reference;
    const n = Math.min(nMost, side.n);
    const rows = drawRows({ n, of: side.n, seed, purpose: "likelihood" });
    const { shape, data } = takePictures(picturesOf(side), rows);
    const x = { dtype: "uint8", shape, data: Uint8Array.from(data) } as const;
    const runtime = await openRuntime();
    try {
      const found = await vaeLikelihood({ recipe, context, state, x, draws, seed, runtime });
      const score = (metric: string, title: string, values: Float64Array): Score => {
        const { estimate: value, low, high } = bootstrapMean({ values, seed });
        const base = {
          metric,
          title: heldOut === undefined ? `${title}, of data that is not held out` : title,
          better: "higher",
          value,
          nGenerated: 0,
          nReference: n,
        } as const;
        return brief ? base : { ...base, interval: [low, high] };
      };
      return [
        score(this.name, `${this.title}, nats`, found.rows.bound),
        score(
          "importance",
          `Importance-weighted likelihood (${draws}), nats`,
          found.rows.importance,
        ),
      ];
    } finally {
      await runtime.close();
    }
  },
};
