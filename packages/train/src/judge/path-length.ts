import { bootstrapMean } from "../metrics/bootstrap.ts";
import type { Matrix } from "../metrics/matrix.ts";
import { pathLength as lengthOf } from "../metrics/perceptual.ts";
import { apart } from "./diversity.ts";
import { openLatent } from "./latent.ts";
import type { Metric } from "./metric.ts";

const nPaths = 1000;
const epsilon = 1e-4;

export const pathLength: Metric = {
  name: "path-length",
  aliases: ["ppl"],
  title: "Path length",
  about:
    "How much samples change, to the layers of the feature network, for a small step of the latent, over its square: high where they jump. 0 for a generator that always makes the same. Along arcs of z, or along lines of w where a generator has a w.",
  better: "neither",
  needs: ["images", "layers", "maker"],
  leastRows: 1,
  onRequest: true,
  async compute({ maker, by, seed, generated }) {
    if (maker === undefined) throw new TypeError("no maker");
    const latent = await openLatent(maker);
    try {
      const n = Math.min(nPaths, generated.n);
      const [from, to] = [await latent.draw(n, 2 * seed), await latent.draw(n, 2 * seed + 1)];
      const distance = async (a: Matrix, b: Matrix): Promise<Float64Array> =>
        apart(await latent.pictures(a, seed), await latent.pictures(b, seed), by);
      const { along } = latent;
      const asked = { from, to, along, sampling: "full", epsilon, seed, distance } as const;
      const { mean: value, kept } = await lengthOf(asked);
      const { low, high } = bootstrapMean({ values: kept, seed });
      return [
        {
          ...{ metric: this.name, better: "neither", value, nGenerated: n, nReference: 0 },
          title: `${this.title} in ${latent.space}, to ${by.name}`,
          interval: [low, high],
        },
      ];
    } finally {
      await latent.close();
    }
  },
};
