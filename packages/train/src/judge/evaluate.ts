import { UserError } from "@duelo/core";
import type { Hooks } from "../data/source.ts";
import { defaultFeatures, openFeatures, type Features } from "./features.ts";
import { appendJudgement, type Judgement } from "./judgement.ts";
import type { Evidence, Metric, Need, Score } from "./metric.ts";
import { chooseMetrics } from "./metric-table.ts";
import { neighboursPicture } from "./neighbours-picture.ts";
import { openSides, type Sides, type SidesRequest } from "./open-sides.ts";
import { writeReport } from "../report/report.ts";
import { areImages, type Side } from "./side.ts";
import { verdict } from "./verdict.ts";

export interface EvaluateRequest extends SidesRequest {
  /** By name; all that the samples allow unless said otherwise. */
  readonly metrics?: readonly string[];
  /** By name, or the path of a network; `defaultFeatures` unless said otherwise. */
  readonly features?: string;
}

/**
 * Judges a run, or a set of samples, against data. What is judged of a run is written to its
 * `metrics.jsonl` and `report.html` too.
 * @returns the judgement, and a picture of nearest neighbours where the samples are images
 * @throws UserError when something is missing, does not fit, or is too small for what is asked
 */
export async function evaluate(
  request: EvaluateRequest,
  hooks: Hooks = {},
): Promise<{ judgement: Judgement; picture: Uint8Array | undefined; dir: string | undefined }> {
  chooseMetrics({ names: request.metrics, there: all }); // a name that is wrong is said at once
  const sides = await openSides(request, hooks);
  const { features: name = defaultFeatures(sides.reference), cacheDir } = request;
  const asked = name === undefined ? undefined : { name, cacheDir };
  const features = await openFeatures({ asked, samples: sides.reference });
  try {
    const { evidence, judgement } = await judge(sides, features, request, hooks);
    const picture = await neighboursPicture(evidence);
    const dir = sides.run?.dir;
    if (dir !== undefined) {
      await appendJudgement(dir, judgement, picture);
      await writeReport({ dir });
    }
    return { judgement, picture, dir };
  } finally {
    await features.close();
  }
}

const all: ReadonlySet<Need> = new Set(["images", "features", "labels", "heldOut", "mixture"]);

async function judge(
  sides: Sides,
  features: Features,
  { metrics: names, seed = 0 }: EvaluateRequest,
  hooks: Hooks,
): Promise<{ evidence: Evidence; judgement: Judgement }> {
  const evidence = await gather(sides, features, seed, hooks);
  const { chosen, notes } = enoughFor(chooseMetrics({ names, there: whatIsThere(sides) }), {
    named: names !== undefined,
    sides,
  });
  const scores: Score[] = [];
  for (const [i, metric] of chosen.entries()) {
    hooks.signal?.throwIfAborted();
    hooks.progress?.(i, chosen.length, `scoring (${metric.title})`);
    scores.push(...(await metric.compute(evidence)));
  }
  const { generated, reference, heldOut } = sides;
  const { name, about, digest, resizer } = features;
  const judgement: Judgement = {
    ...(generated.step === undefined ? {} : { step: generated.step }),
    generated: described(generated),
    reference: described(reference),
    ...(heldOut ? { heldOut: described(heldOut) } : {}),
    features: { name, about, resizer, ...(digest === undefined ? {} : { digest }) },
    seed,
    scores,
    verdict: [...sameness(generated), ...verdict(scores)],
    notes,
  };
  return { evidence, judgement };
}

/** Features of all sides. */
export async function gather(
  sides: Sides,
  features: Features,
  seed: number,
  hooks: Hooks,
): Promise<Evidence> {
  const { generated, reference, heldOut, mixture } = sides;
  const of = (side: Side) =>
    features.of(side, (done, total) =>
      hooks.progress?.(done, total, `features of ${side.name} (${features.name})`),
    );
  return {
    ...{ generated, reference, heldOut, mixture, seed },
    features: {
      fake: await of(generated),
      real: await of(reference),
      ...(heldOut ? { heldOut: await of(heldOut) } : {}),
    },
  };
}

/** What metrics can count on. Labels count only where both sides have the same classes. */
function whatIsThere({ generated, reference, heldOut, mixture }: Sides): Set<Need> {
  const there = new Set<Need>(["features"]);
  if (areImages(reference)) there.add("images");
  if (heldOut) there.add("heldOut");
  if (mixture) there.add("mixture");
  const same = generated.classes.join("\0") === reference.classes.join("\0");
  if (generated.labels && reference.labels && same) there.add("labels");
  return there;
}

/**
 * Metrics for which there are samples enough; what was not asked for by name is left out with a note.
 * @throws UserError for a metric that was asked for by name, or when none is left
 */
function enoughFor(
  metrics: readonly Metric[],
  { named, sides }: { named: boolean; sides: Sides },
): { chosen: Metric[]; notes: string[] } {
  const fewest = [sides.generated, sides.reference].toSorted((a, b) => a.n - b.n)[0];
  const n = fewest?.n ?? 0;
  const tooFew = metrics.filter((m) => m.leastRows > n);
  const chosen = metrics.filter((m) => m.leastRows <= n);
  const [first] = tooFew;
  if (first !== undefined && (named || chosen.length === 0)) {
    throw new UserError(
      `Metric ${first.name} needs ${first.leastRows} samples on each side, and ${fewest?.name} has ${n}. Give it more.`,
    );
  }
  const names = tooFew.map((m) => m.name).join(", ");
  const notes = first === undefined ? [] : [`Left out for want of samples: ${names}.`];
  return { chosen, notes };
}

const described = ({ name, n, shape, resizer, split, key }: Side): Judgement["generated"] => ({
  ...{ name, n, shape, resizer, key },
  ...(split === undefined ? {} : { split }),
});

/** Said first where nothing else matters. */
function sameness({ data, n, name }: Side): string[] {
  const size = data.length / n;
  if (n < 2) return [];
  for (let i = size; i < data.length; i++) if (data[i] !== data[i % size]) return [];
  return [`All ${n} samples of ${name} are the same: it has collapsed to one.`];
}
