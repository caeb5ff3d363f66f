import type { Score } from "./metric.ts";
import type { Side } from "./side.ts";

interface Reference extends Pick<Side, "name" | "n" | "of" | "trainedOn"> {
  /** What samples should be, one by one: to be like it is no copying. */
  readonly pairs?: boolean;
}

/** What the numbers say in plain words, each with the numbers that it rests on. */
export function verdict(scores: readonly Score[], reference: Reference): string[] {
  const by = new Map(scores.map((s) => [s.metric, s]));
  const lines = [
    mixtureWords(by),
    distanceWords(by.get("frechet")),
    sharpnessWords(by.get("sharpness")),
    coverWords(by),
    precisionWords(by.get("precision")),
    memoryWords(by, reference),
    pairWords(by),
  ];
  return lines.filter((line) => line !== undefined);
}

type Scores = ReadonlyMap<string, Score>;

const share = (value: number): string => `${Math.round(value * 100)} %`;

/** What is held against the floor: the value from as many samples. */
const like = (score: Score): number => score.likeFloor ?? score.value;

/** How many those are, where they are fewer than the table's. */
const fromFewer = ({ likeFloor, nFloor }: Score): string =>
  likeFloor === undefined || nFloor === undefined ? "" : ` from ${whole(nFloor)} samples`;

/** A score and what real data reaches. */
const against = (name: string, score: Score): string =>
  `${name} ${three(like(score))}, real data ${three(score.floor ?? 0)}${fromFewer(score)}`;

function mixtureWords(by: Scores): string | undefined {
  const modes = by.get("modes");
  const quality = by.get("high-quality");
  if (modes?.floor === undefined || quality === undefined) return undefined;
  const missing = modes.floor - modes.value;
  const reached =
    missing > 0
      ? `It misses ${missing} of ${modes.floor} modes`
      : `It reaches all ${modes.floor} modes`;
  return `${reached}, and ${share(quality.value)} of its points lie at one.`;
}

/** Samples that a floor needs before it tells good from bad: below, it is as large as what it is to judge. */
const fewest = 200;

function distanceWords(score: Score | undefined): string | undefined {
  if (score?.floor === undefined || !(score.floor > 0)) return undefined;
  const times = like(score) / score.floor;
  const { nFloor = fewest } = score;
  const numbers = `Fréchet distance ${three(like(score))}, real against real ${three(score.floor)}${fromFewer(score)}`;
  if (times < 2 && nFloor < fewest)
    return `There are too few real samples to say how far it is off the data (${numbers}).`;
  if (times < 2) return `By these features it can hardly be told from the data (${numbers}).`;
  const much = times < 10 ? "clearly" : "far";
  return `It is ${much} off the data: ${three(times)} times as far as real data from itself (${numbers}).`;
}

function sharpnessWords(score: Score | undefined): string | undefined {
  if (score === undefined) return undefined;
  const numbers = `sharpness ${three(score.value)} of the data's`;
  if (score.value < 0.8) return `It is blurrier than the data (${numbers}).`;
  if (score.value > 1.25) return `It is sharper than the data, or noisier (${numbers}).`;
  return `It is as sharp as the data (${numbers}).`;
}

/** Recall and coverage are held against what real data reaches, so that small sets are not blamed. */
function coverWords(by: Scores): string | undefined {
  const reached = (score: Score): number => like(score) / (score.floor ?? 1);
  const shown = ["recall", "coverage"]
    .flatMap((name) => by.get(name) ?? [])
    .filter(({ floor = 0 }) => floor > 0)
    .toSorted((a, b) => reached(a) - reached(b)); // what decides comes first
  const [least] = shown;
  if (least === undefined) return undefined;
  const worst = reached(least);
  const numbers = shown.map((score) => against(score.metric, score)).join("; ");
  if (worst < 0.33) return `It misses most kinds of the data (${numbers}).`;
  if (worst < 0.75) return `It misses some kinds of the data (${numbers}).`;
  return `It makes about all kinds of the data (${numbers}).`;
}

function precisionWords(score: Score | undefined): string | undefined {
  if (score?.floor === undefined || !(score.floor > 0)) return undefined;
  const numbers = against("precision", score);
  if (like(score) < 0.5 * score.floor)
    return `Much of what it makes is unlike the data (${numbers}).`;
  return undefined;
}

/**
 * Near copies decide, since bad samples may by chance lie closer to one side; where data is held out,
 * samples must lean to the training side too. That nothing is memorised is said of data that was trained
 * on, and only where most of it was looked at.
 */
function memoryWords(by: Scores, reference: Reference): string | undefined {
  const [copies, closer] = [by.get("copies"), by.get("memorisation")];
  if (copies?.interval === undefined || reference.pairs === true) return undefined;
  const { trainedOn = false, name, n, of = n } = reference;
  const data = trainedOn ? "training data" : name;
  const side =
    closer === undefined
      ? ""
      : `; ${share(closer.value)} are closer to it than to as much held-out data, where a half is expected`;
  const numbers = `${share(copies.value)} of its samples are near copies of ${data}, where 5 % is expected${side}`;
  const leans = closer?.interval === undefined || closer.interval[0] > 0.5;
  if (copies.interval[0] > 0.25 && leans)
    return trainedOn ? `It memorises (${numbers}).` : `It copies ${name} (${numbers}).`;
  if (!trainedOn) return undefined;
  if (copies.nReference < of / 2)
    return `Whether it memorises cannot be seen from ${whole(copies.nReference)} of ${whole(of)} training records (${numbers}).`;
  return `It does not memorise (${numbers}).`;
}

/** Whether anything is won by what the run does to the pictures: by every number that is sure of it. */
function pairWords(by: Scores): string | undefined {
  const scores = [...by.values()].filter((s) => s.given !== undefined);
  if (scores.length === 0) return undefined;
  const numbers = scores.map(
    (s) => `${s.title} ${three(s.value)}, as given ${three(s.given ?? 0)}`,
  );
  const all = `(${numbers.join("; ")})`;
  const [won = [], lost = []] = [nearer, further].map((is) =>
    scores.filter(is).map((s) => s.title),
  );
  if (won.length > 0 && lost.length > 0)
    return `By ${won.join(" and ")} it brings pictures nearer to what they should be, by ${lost.join(" and ")} further from it ${all}.`;
  if (won.length > 0) return `It brings pictures nearer to what they should be ${all}.`;
  if (lost.length > 0)
    return `What it was given is nearer to the truth than what it makes of it ${all}.`;
  return `Whether it brings pictures nearer to what they should be cannot be said from ${whole(scores[0]?.nGenerated ?? 0)} of them ${all}.`;
}

const nearer = ({ better, change: [low, high] = [0, 0] }: Score): boolean =>
  better === "higher" ? low > 0 : high < 0;
const further = ({ better, change: [low, high] = [0, 0] }: Score): boolean =>
  better === "higher" ? high < 0 : low > 0;

const whole = (n: number): string => n.toLocaleString("en");

/** Three figures. */
function three(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
