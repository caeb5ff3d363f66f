import { factsOf, type Facts } from "./facts.ts";
import type { Probe } from "./history.ts";
import { thresholds as t } from "./thresholds.ts";
import type { VerdictName } from "./verdict-name.ts";

/** What a rule found: its numbers, and a sentence that holds them. */
export interface Finding {
  readonly evidence: Readonly<Record<string, number>>;
  readonly text: string;
}

const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const number = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential(1) : short.format(value);
const percent = (value: number): string => `${number(100 * value)} %`;

/** Weights or a loss that run away, or what is no number any more. Needs no look at samples. */
export function divergence(f: Facts): Finding | undefined {
  if (f.nonFinite !== undefined) {
    return { evidence: {}, text: `${f.nonFinite} is not a number any more` };
  }
  for (const net of [...f.judges, ...f.makers]) {
    const growth = f.growth(`weight/${net}`);
    if (growth !== undefined && growth > t.weightGrowth) {
      const text = `the weights of ${net} have become ${number(growth)} times as large within ${t.window} probes`;
      return { evidence: { [`growth of ${net}`]: growth }, text };
    }
    const share = f.lasting(`update/${net}`);
    if (share !== undefined && share > t.stepShare) {
      const text = `each step moves ${net} by ${percent(share)} of its weights`;
      return { evidence: { [`update/${net}`]: share }, text };
    }
    for (const loss of [`loss/${net}`]) {
      const [early, late] = [f.earliest(loss), f.lasting(loss)];
      if (early !== undefined && late !== undefined && late > t.lossGrowth * early) {
        const text = `${loss} is ${number(late)}, and was ${number(early)} at most at first`;
        return { evidence: { [loss]: late }, text };
      }
    }
  }
  return undefined;
}

/** Samples that have left the neighbourhood of the data. */
function flown(f: Facts): Finding | undefined {
  const [now, first] = [f.now("health/distance"), f.first("health/distance")];
  if (now === undefined || now < t.flown * Math.min(Math.max(first ?? 1, 1), t.start))
    return undefined;
  return {
    evidence: { "health/distance": now },
    text: `samples are ${number(now)} times as far from the data as records are from each other`,
  };
}

/** Whether samples are still coming nearer to the data, or begin to differ from each other. */
function improves(f: Facts): boolean {
  const [now, before] = [f.now("health/distance"), f.before("health/distance")];
  const [varied, same] = [f.now("health/diversity"), f.before("health/diversity")];
  if (now === undefined || before === undefined) return false;
  const [moves, moved] = [f.now("health/drift"), f.before("health/drift")];
  const wakes = moved !== undefined && moves !== undefined && moves < t.still;
  if (wakes && moves > t.rise * moved) return true; // nets with small first weights move little before much
  const best = f.bestDistance(t.window) ?? now;
  if (now > t.relapse * best) return false;
  const old = f.bestDistance(t.plateau);
  if (old !== undefined && now > (1 - t.progress) * old) return false; // up and down, but no nearer
  if (now < (1 - t.progress) * before) return true;
  return varied !== undefined && same !== undefined && varied < 1 && varied > t.rise * same;
}

function stalled(f: Facts): Finding | undefined {
  const [drift, distance] = [f.now("health/drift"), f.now("health/distance")];
  if (drift === undefined || distance === undefined || drift > t.still || distance < t.near)
    return undefined;
  const moves = f.makers.map((net) => f.now(`update/${net}`) ?? 0);
  if (f.makers.some((net) => noGradient(f, net))) return undefined;
  if (improves(f)) return undefined;
  return {
    evidence: { "health/drift": drift, "health/distance": distance },
    text: `the same noise moves by ${percent(drift)} of the distance between records from look to look, a step moves G by ${percent(Math.max(...moves))} of its weights, and samples are far from the data (${number(distance)})`,
  };
}

/** A maker whose gradient has vanished beside what it was, or beside its judge's. */
function noGradient(f: Facts, net: string): boolean {
  const [now, first] = [f.now(`grad/${net}`), f.first(`grad/${net}`)];
  if (now === undefined) return false;
  return now === 0 || (first !== undefined && now < t.noGradient * first);
}

function tooStrong(f: Facts): Finding | undefined {
  const distance = f.now("health/distance") ?? 0;
  for (const net of f.makers) {
    if (f.judges.length === 0 || distance < t.near || !noGradient(f, net)) continue;
    const now = f.now(`grad/${net}`) ?? 0;
    const text = `the gradient of ${net} is ${number(now)}, and was ${number(f.first(`grad/${net}`) ?? 0)} at first`;
    return { evidence: { [`grad/${net}`]: now, "health/distance": distance }, text };
  }
  if (improves(f)) return undefined;
  for (const net of f.judges) {
    const [real, fake] = [f.now(`${net}/accuracyReal`), f.now(`${net}/accuracyFake`)];
    if (real === undefined || fake === undefined || Math.min(real, fake) < t.perfect) continue;
    const gap = (f.now(`${net}/real`) ?? 0) - (f.now(`${net}/fake`) ?? 0);
    if (gap < t.sure) continue;
    return {
      evidence: {
        [`${net}/accuracyReal`]: real,
        [`${net}/accuracyFake`]: fake,
        gap,
        "health/distance": distance,
      },
      text: `${net} is right about ${percent(real)} of the data and ${percent(fake)} of the samples, with scores ${number(gap)} apart, and samples come no nearer to the data (${number(distance)})`,
    };
  }
  return undefined;
}

/** Samples that have left the neighbourhood of the data because D, which hardly moves, lets them. */
function misled(f: Facts): Finding | undefined {
  const idle = f.judges.every((net) => (f.now(`update/${net}`) ?? 1) < t.idle);
  return idle && flown(f) !== undefined ? tooWeak(f) : undefined;
}

function tooWeak(f: Facts): Finding | undefined {
  const distance = f.now("health/distance") ?? 0;
  if (distance < t.far || improves(f)) return undefined;
  for (const net of f.judges) {
    const [real, fake] = [f.now(`${net}/accuracyReal`), f.now(`${net}/accuracyFake`)];
    const gap = (f.now(`${net}/real`) ?? 0) - (f.now(`${net}/fake`) ?? 0);
    const right = real === undefined || fake === undefined ? undefined : (real + fake) / 2;
    const blind = right === undefined ? gap <= 0 : right <= t.coin;
    if (!blind) continue;
    const said =
      right === undefined
        ? `scores data ${number(gap)} above samples`
        : `is right in ${percent(right)} of cases, little more than a coin,`;
    return {
      evidence: {
        ...(right === undefined ? {} : { accuracy: right }),
        gap,
        "health/distance": distance,
      },
      text: `${net} ${said} although samples are far from the data (${number(distance)})`,
    };
  }
  return undefined;
}

function collapse(f: Facts): Finding | undefined {
  const [clusters, real] = [f.now("health/clusters"), f.now("health/clustersReal")];
  const diversity = f.now("health/diversity");
  if (clusters === undefined || real === undefined || diversity === undefined) return undefined;
  if (improves(f)) return undefined;
  const few = f.judges.length > 0 && clusters <= t.reached * real; // an autoencoder blurs, and is no less healthy
  if (!few && diversity > t.diversity) return undefined;
  return {
    evidence: {
      "health/clusters": clusters,
      "health/clustersReal": real,
      "health/diversity": diversity,
    },
    text: `samples reach ${number(clusters)} clusters where as many records reach ${number(real)}, and differ from each other ${percent(diversity)} as much as records do`,
  };
}

function oscillation(f: Facts): Finding | undefined {
  const [drift, distance] = [f.now("health/drift"), f.now("health/distance")];
  if (drift === undefined || distance === undefined || drift < t.drift || distance < t.near)
    return undefined;
  if (improves(f)) return undefined;
  return {
    evidence: { "health/drift": drift, "health/distance": distance },
    text: `the same noise moves by ${percent(drift)} of the distance between records from look to look, and samples come no nearer to the data (${number(distance)})`,
  };
}

function memorising(f: Facts): Finding | undefined {
  const [copies, known] = [f.now("health/copies"), f.now("health/known")];
  if (copies === undefined || known === undefined || known < t.known || copies < t.copies)
    return undefined;
  return {
    evidence: {
      "health/copies": copies,
      "health/nearness": f.now("health/nearness") ?? Number.NaN,
    },
    text: `${percent(copies)} of the samples are three times nearer to a training record than that is to any other`,
  };
}

function finished(f: Facts): Finding | undefined {
  const [now, best] = [f.now("health/distance"), f.bestDistance(t.plateau)];
  if (now === undefined || best === undefined || now < (1 - t.progress) * best) return undefined;
  if (now > t.far && now > 2 * best) return undefined; // it has got worse since
  return {
    evidence: { "health/distance": now, best },
    text: `samples have come no nearer to the data for ${t.plateau} looks (distance ${number(now)}, ${number(best)} before)`,
  };
}

/** In order: the first that finds something has the word. */
const rules: readonly (readonly [VerdictName, (f: Facts) => Finding | undefined])[] = [
  ["D too weak", misled],
  ["divergence", flown],
  ["memorising", memorising],
  ["D too strong", tooStrong],
  ["stalled", stalled],
  ["mode collapse", collapse],
  ["D too weak", tooWeak],
  ["oscillation", oscillation],
  ["finished improving", finished],
];

/** What would be said of this moment alone. */
export function judged(
  history: readonly Probe[],
): Finding & { name: VerdictName; runsAway: boolean } {
  const f = factsOf(history);
  const wild = divergence(f);
  if (wild !== undefined) return { name: "divergence", ...wild, runsAway: true };
  return { ...seen(f), runsAway: false };
}

function seen(f: Facts): Finding & { name: VerdictName } {
  if (f.nLooks < t.patience) {
    return { name: "too early", evidence: { looks: f.nLooks }, text: `${f.nLooks} looks so far` };
  }
  for (const [name, rule] of rules) {
    const found = rule(f);
    if (found !== undefined) return { name, ...found };
  }
  return { name: "healthy", ...wellbeing(f) };
}

function wellbeing(f: Facts): Finding {
  const [distance, diversity] = [f.now("health/distance"), f.now("health/diversity")];
  const [clusters, real] = [f.now("health/clusters"), f.now("health/clustersReal")];
  const evidence = {
    "health/distance": distance ?? Number.NaN,
    "health/diversity": diversity ?? Number.NaN,
    "health/clusters": clusters ?? Number.NaN,
    "health/clustersReal": real ?? Number.NaN,
  };
  return {
    evidence,
    text: `samples reach ${number(clusters ?? 0)} of ${number(real ?? 0)} clusters and differ from each other ${percent(diversity ?? 0)} as much as records do; distance to the data ${number(distance ?? 0)}`,
  };
}
