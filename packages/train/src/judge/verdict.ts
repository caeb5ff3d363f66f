import type { Score } from "./metric.ts";
import type { Side } from "./side.ts";

type Reference = Pick<Side, "name" | "n" | "of" | "trainedOn">;

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
  const of = score.likeFloor === undefined ? "" : ` from ${whole(nFloor)} samples`;
  const numbers = `Fréchet distance ${three(like(score))}, real against real ${three(score.floor)}${of}`;
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
  const { recall, coverage } = { recall: by.get("recall"), coverage: by.get("coverage") };
  const shown = [recall, coverage].filter((s) => s?.floor !== undefined && s.floor > 0);
  if (shown.length === 0) return undefined;
  const worst = Math.min(...shown.map((s) => (s ? like(s) : 0) / (s?.floor ?? 1)));
  const numbers = shown
    .map((s) => `${s?.metric} ${three(s ? like(s) : 0)}, real data ${three(s?.floor ?? 0)}`)
    .join("; ");
  if (worst < 0.33) return `It misses most kinds of the data (${numbers}).`;
  if (worst < 0.75) return `It misses some kinds of the data (${numbers}).`;
  return `It makes about all kinds of the data (${numbers}).`;
}

function precisionWords(score: Score | undefined): string | undefined {
  if (score?.floor === undefined || !(score.floor > 0)) return undefined;
  const numbers = `precision ${three(like(score))}, real data ${three(score.floor)}`;
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
  if (copies?.interval === undefined) return undefined;
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

/** Whether anything is won by what the run does to the pictures. */
function pairWords(by: Scores): string | undefined {
  const [far, ratio] = [by.get("l1"), by.get("psnr")];
  if (far?.given === undefined || far.change === undefined) return undefined;
  const decibels =
    ratio?.given === undefined
      ? ""
      : `, PSNR ${three(ratio.value)} dB and ${three(ratio.given)} dB`;
  const numbers = `L1 distance ${three(far.value)}, of what was given ${three(far.given)}${decibels}`;
  const [low, high] = far.change;
  if (high < 0) return `It brings pictures nearer to what they should be (${numbers}).`;
  if (low > 0)
    return `What it was given is nearer to the truth than what it makes of it (${numbers}).`;
  return `What it makes is about as far from the truth as what it was given (${numbers}).`;
}

const whole = (n: number): string => n.toLocaleString("en");

/** Three figures. */
function three(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
