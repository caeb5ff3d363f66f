import { UserError } from "@duelo/core";
import type { Hooks } from "../data/source.ts";
import { openFeatures, pixelByPixel, type Features } from "./features.ts";
import { appendJudgement, type Judgement } from "./judgement.ts";
import type { Evidence, Metric, Need, Score } from "./metric.ts";
import { chooseMetrics, demandEnough, findMetric, metrics, pixelsAlong } from "./metric-table.ts";
import { neighboursPicture } from "./neighbours-picture.ts";
import { openSides, type Sides, type SidesRequest } from "./open-sides.ts";
import { writeReport } from "../report/report.ts";
import { areImages, sameClasses, type Side } from "./side.ts";
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
 * @returns the judgement, and a picture of nearest neighbours, or of pairs, where the samples are images
 * @throws UserError when something is missing, does not fit, or is too small for what is asked
 */
export async function evaluate(
  request: EvaluateRequest,
  hooks: Hooks = {},
): Promise<{ judgement: Judgement; picture: Uint8Array | undefined; dir: string | undefined }> {
  chooseMetrics({ names: request.metrics, there: all }); // a name that is wrong is said at once
  const sides = await openSides(request, hooks);
  const { features: name, cacheDir } = request;
  const features = isByPairs(sides, request)
    ? pixelByPixel
    : await openFeatures({ name, cacheDir, samples: sides.reference });
  try {
    const { evidence, judgement } = await judge(sides, features, request, hooks);
    const picture = await neighboursPicture(evidence);
    const dir = sides.run?.dir;
    if (dir === undefined) return { judgement, picture, dir };
    try {
      await appendJudgement(dir, judgement, picture);
      await writeReport({ dir });
    } catch (error) {
      hooks.warn?.(`What was found is not kept in the run: ${messageOf(error)}`);
      return { judgement, picture, dir: undefined };
    }
    return { judgement, picture, dir };
  } finally {
    await features.close();
  }
}

/** Whether all that is asked for compares pictures with what each should be, and no features. */
const isByPairs = ({ pairs }: Sides, { metrics: names }: EvaluateRequest): boolean =>
  pairs !== undefined && (names ?? []).every((name) => findMetric(name).needs.includes("pairs"));

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const all: ReadonlySet<Need> = new Set(metrics.flatMap((m) => m.needs));

async function judge(
  sides: Sides,
  features: Features,
  { metrics: names, seed = 0 }: EvaluateRequest,
  hooks: Hooks,
): Promise<{ evidence: Evidence; judgement: Judgement }> {
  const asked = { named: names !== undefined, sides };
  const there = whatIsThere(sides, features, asked.named);
  const { chosen, notes } = enoughFor(chooseMetrics({ names, there }), asked);
  const evidence = await gather(sides, features, seed, hooks);
  const scores: Score[] = [];
  let refusal: UserError | undefined;
  for (const [i, metric] of chosen.entries()) {
    hooks.signal?.throwIfAborted();
    hooks.progress?.(i, chosen.length, `scoring (${metric.title})`);
    try {
      scores.push(...(await metric.compute(evidence)));
    } catch (error) {
      if (!(error instanceof UserError) || asked.named) throw error;
      refusal = error;
      notes.push(`Left out: ${metric.name}. ${error.message}`);
    }
  }
  if (refusal !== undefined && scores.length === 0) throw refusal;
  const { generated, reference, heldOut, pairs } = sides;
  const given = pairs?.given;
  if (given !== undefined && given.resizer !== reference.resizer)
    notes.push(`"As given" is what it was given, enlarged ${given.resizer}.`);
  const { name, about, digest, resizer } = features;
  const judgement: Judgement = {
    ...(generated.step === undefined ? {} : { step: generated.step }),
    generated: described(generated),
    reference: described(reference),
    ...(heldOut ? { heldOut: described(heldOut) } : {}),
    ...(pairs ? { pairs: true } : {}),
    features: { name, about, resizer, ...(digest === undefined ? {} : { digest }) },
    seed,
    scores,
    verdict: [
      ...sameness(generated),
      ...verdict(scores, { ...reference, pairs: pairs !== undefined }),
    ],
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
  const { generated, reference, heldOut, mixture, maker, pairs } = sides;
  const of = (side: Side) =>
    features.of(side, {
      progress: (done, total) =>
        hooks.progress?.(done, total, `features of ${side.name} (${features.name})`),
      ...(hooks.signal && { signal: hooks.signal }),
    });
  const [fake, real] = [await of(generated), await of(reference)];
  const held = heldOut && (await of(heldOut));
  const shares =
    fake.probabilities && real.probabilities
      ? { fake: fake.probabilities, real: real.probabilities }
      : undefined;
  return {
    ...{ generated, reference, heldOut, pairs, mixture, seed, by: features },
    features: { fake: fake.features, real: real.features, heldOut: held?.features },
    ...(shares ? { probabilities: shares } : {}),
    ...(maker ? { maker } : {}),
  };
}

/** Whether two sets have as many records each, and the same ones of each were read. */
const areAlike = (a: Side, b: Side): boolean => a.n === b.n && (a.of ?? a.n) === (b.of ?? b.n);

/** What metrics can count on. Labels count only where both sides have the same classes. */
function whatIsThere(
  { generated, reference, heldOut, mixture, maker, run, pairs }: Sides,
  features: Features,
  named: boolean,
): Set<Need> {
  const there = new Set<Need>(["features"]);
  if (areImages(reference)) there.add("images");
  if (features.classifies === true) there.add("probabilities");
  if (features.activations !== undefined) there.add("layers");
  if (maker) there.add("maker");
  const inOrder = run === undefined && named && areAlike(generated, reference);
  if (pairs || inOrder) there.add("pairs"); // two folders are pairs where somebody says so
  if (heldOut) there.add("heldOut");
  if (mixture) there.add("mixture");
  const same = sameClasses(generated.classes, reference.classes);
  if (generated.labels && reference.labels && same) there.add("labels");
  return there;
}

/**
 * Metrics for which there are samples and pixels enough; what was not asked for by name is left out with
 * a note.
 * @throws UserError for a metric that was asked for by name, or when none is left
 */
function enoughFor(
  metrics: readonly Metric[],
  { named, sides }: { named: boolean; sides: Sides },
): { chosen: Metric[]; notes: string[] } {
  const fewest = [sides.generated, sides.reference].toSorted((a, b) => a.n - b.n)[0];
  if (fewest === undefined) throw new TypeError("two sides");
  const side = pixelsAlong(fewest);
  const tooFew = metrics.filter((m) => m.leastRows > fewest.n);
  const tooSmall = metrics.filter((m) => !tooFew.includes(m) && (m.leastPixels ?? 0) > side);
  const chosen = metrics.filter((m) => !tooFew.includes(m) && !tooSmall.includes(m));
  if (named || chosen.length === 0)
    for (const metric of [...tooFew, ...tooSmall]) demandEnough(metric, fewest);
  const told = (left: readonly Metric[], what: string): string[] =>
    left.length === 0
      ? []
      : [`Left out for want of ${what}: ${left.map((m) => m.name).join(", ")}.`];
  return { chosen, notes: [...told(tooFew, "samples"), ...told(tooSmall, "pixels")] };
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
