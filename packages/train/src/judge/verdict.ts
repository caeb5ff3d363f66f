import type { Score } from "./metric.ts";

/** What the numbers say in plain words, each with the numbers that it rests on. */
export function verdict(scores: readonly Score[]): string[] {
  const by = new Map(scores.map((s) => [s.metric, s]));
  const lines = [
    mixtureWords(by),
    distanceWords(by.get("frechet")),
    sharpnessWords(by.get("sharpness")),
    coverWords(by),
    precisionWords(by.get("precision")),
    memoryWords(by),
  ];
  return lines.filter((line) => line !== undefined);
}

type Scores = ReadonlyMap<string, Score>;

const share = (value: number): string => `${Math.round(value * 100)} %`;

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

function distanceWords(score: Score | undefined): string | undefined {
  if (score?.floor === undefined || !(score.floor > 0)) return undefined;
  const times = score.value / score.floor;
  const numbers = `Fréchet distance ${three(score.value)}, real against real ${three(score.floor)}`;
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
  const worst = Math.min(...shown.map((s) => (s?.value ?? 0) / (s?.floor ?? 1)));
  const numbers = shown
    .map((s) => `${s?.metric} ${three(s?.value ?? 0)}, real data ${three(s?.floor ?? 0)}`)
    .join("; ");
  if (worst < 0.33) return `It misses most kinds of the data (${numbers}).`;
  if (worst < 0.75) return `It misses some kinds of the data (${numbers}).`;
  return `It makes about all kinds of the data (${numbers}).`;
}

function precisionWords(score: Score | undefined): string | undefined {
  if (score?.floor === undefined || !(score.floor > 0)) return undefined;
  const numbers = `precision ${three(score.value)}, real data ${three(score.floor)}`;
  if (score.value < 0.5 * score.floor)
    return `Much of what it makes is unlike the data (${numbers}).`;
  return undefined;
}

/**
 * Near copies decide, since bad samples may by chance lie closer to one side; where data is held out,
 * samples must lean to the training side too.
 */
function memoryWords(by: Scores): string | undefined {
  const [copies, closer] = [by.get("copies"), by.get("memorisation")];
  if (copies?.interval === undefined) return undefined;
  const side =
    closer === undefined
      ? ""
      : `; ${share(closer.value)} are closer to it than to as much held-out data, where a half is expected`;
  const numbers = `${share(copies.value)} of its samples are near copies of training data, where 5 % is expected${side}`;
  const leans = closer?.interval === undefined || closer.interval[0] > 0.5;
  if (copies.interval[0] > 0.25 && leans) return `It memorises (${numbers}).`;
  return `It does not memorise (${numbers}).`;
}

/** Three figures. */
function three(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}
