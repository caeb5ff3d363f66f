import { fillInts, fillNormal, streamOf } from "../random.ts";
import type { VectorSource } from "./source.ts";

/** A mixture of equal Gaussians in the plane. */
export interface Toy {
  readonly means: readonly (readonly [number, number])[];
  readonly sigma: number; // of each coordinate
}

/** Gaussians on a circle around 0 at equal angles, the first at 0. */
const ring = (n: number, { sigma, radius = 1 }: { sigma: number; radius?: number }): Toy => ({
  means: Array.from({ length: n }, (_, k) => {
    const angle = (2 * Math.PI * k) / n;
    return [radius * Math.cos(angle), radius * Math.sin(angle)] as const;
  }),
  sigma,
});

/**
 * The mixtures of PacGAN (Lin et al., arXiv:1712.04086, experiments on synthetic data) and VEEGAN
 * (Srivastava et al., arXiv:1705.07761). The eight angles are 2 pi k / 8, k = 0..7: eight distinct means. `ring5` and
 * `ring10` are the two domains of DiscoGAN's toy (Kim et al., arXiv:1703.05192, Section 3), which says no
 * more of them than five and ten modes, the latter around an arc, and that at first all of the five go to
 * nearly one point; so `ring5` is small.
 */
export const toys = {
  ring8: ring(8, { sigma: 0.01 }),
  grid25: {
    means: Array.from(
      { length: 25 },
      (_, k) => [-4 + 2 * Math.floor(k / 5), -4 + 2 * (k % 5)] as const,
    ),
    sigma: 0.05,
  },
  ring5: ring(5, { sigma: 0.005, radius: 0.1 }),
  ring10: ring(10, { sigma: 0.05 }),
} as const satisfies Record<string, Toy>;

export const isToy = (name: string): name is keyof typeof toys => Object.hasOwn(toys, name);

const nPoints = 100_000; // PacGAN's training set

/** 100,000 points of a mixture, always the same ones. */
export function openToy(name: keyof typeof toys): VectorSource {
  const { means, sigma }: Toy = toys[name];
  const mode = new Int32Array(nPoints);
  const x = new Float32Array(2 * nPoints);
  fillInts(mode, means.length, { seed: 0, stream: streamOf(`${name} mode`), counter: 0 });
  fillNormal(x, { seed: 0, stream: streamOf(`${name} noise`), counter: 0 });
  for (let i = 0; i < x.length; i++) {
    const mean = means[mode[i >> 1] ?? 0];
    x[i] = (mean?.[i % 2 === 0 ? 0 : 1] ?? 0) + sigma * (x[i] ?? 0);
  }
  return {
    kind: "vectors",
    name,
    layout: "toy distribution",
    settings: { means, sigma, seed: 0 },
    skipped: [],
    x,
    columns: ["x", "y"],
  };
}
