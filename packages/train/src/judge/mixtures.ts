import { UserError } from "@duelo/core";
import { bootstrap } from "../metrics/bootstrap.ts";
import { mixtureScores, type MixtureScores } from "../metrics/modes.ts";
import { takeRows, type Matrix } from "../metrics/matrix.ts";
import { around } from "./floor.ts";
import type { Evidence, Metric } from "./metric.ts";
import { rowsOf } from "./side.ts";

type Name = "modes" | "high-quality" | "reverse-kl";

const facts = {
  modes: {
    title: "Modes reached",
    about: "How many Gaussians of the mixture have at least one sample within 3 sigma.",
    better: "higher",
    of: (s: MixtureScores): number => s.modes,
  },
  "high-quality": {
    title: "High-quality samples",
    about: "The share of samples within 3 sigma of the nearest mean.",
    better: "higher",
    of: (s: MixtureScores): number => s.highQuality,
  },
  "reverse-kl": {
    title: "Reverse KL over modes",
    about: "How unevenly the samples spread over the modes, in nats; 0 is even.",
    better: "lower",
    of: (s: MixtureScores): number => s.reverseKlAll,
  },
} as const;

const mixtureMetric = (name: Name): Metric => ({
  name,
  title: facts[name].title,
  better: facts[name].better,
  about: `${facts[name].about} For ring8 and grid25; published tables draw 2,500 samples.`,
  needs: ["mixture"],
  leastRows: 1,
  async compute({ generated, reference, mixture, seed, brief }: Evidence) {
    if (mixture === undefined) throw new UserError(`${facts[name].title} needs a known mixture.`);
    const score = (samples: Matrix): number =>
      facts[name].of(mixtureScores({ samples, ...mixture }));
    const samples = rowsOf(generated);
    const { title, better } = facts[name];
    const value = score(samples);
    const nGenerated = samples.rows;
    const base = { metric: name, title, better, value, nGenerated, nReference: reference.n };
    if (brief) return [base];
    const spread = bootstrap({
      rows: samples.rows,
      statistic: (rows) => score(takeRows(samples, rows)),
      resamples: 100,
      seed,
    });
    const real = rowsOf(reference);
    const equal = takeRows(
      real,
      Int32Array.from({ length: Math.min(nGenerated, real.rows) }, (_, i) => i),
    );
    // A resample is less even than the samples are, so its quantiles may lie above the value.
    const [low, high] =
      name === "reverse-kl" ? around(value, spread) : ([spread.low, spread.high] as const);
    return [{ ...base, interval: [Math.max(0, low), high] as const, floor: score(equal) }];
  },
});

export const modes = mixtureMetric("modes");
export const highQuality = mixtureMetric("high-quality");
export const reverseKl = mixtureMetric("reverse-kl");
