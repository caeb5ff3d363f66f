import { isHealth } from "./health-section.ts";
import type { ReportOptions, RunRecord } from "./run-record.ts";
import { finalMean } from "./series.ts";
import { durationText, numberText, plural, valueText } from "./words.ts";

/** What a recipe was trained on, for example `3,391 images of emoji at 64 × 64 pixels, RGB`. */
export function dataText({ data, nRecords, shape }: ReportOptions): string {
  const [channels, height, width] = shape;
  const isImage = height !== undefined && width !== undefined;
  const noun = isImage ? "image" : "record";
  const amount = nRecords === undefined ? `${noun}s` : plural(nRecords, noun);
  if (isImage) {
    const kind = ["", "grey", "grey and alpha", "RGB", "RGB and alpha"][channels ?? 0] ?? "";
    return `${amount} of ${data} at ${height} × ${width} pixels${kind && `, ${kind}`}`;
  }
  const size = channels === undefined ? "" : ` (${plural(channels, "number")} each)`;
  return `${amount} of ${data}${size}`;
}

/** How long and how fast, for example `1,200 steps (76,800 images) in 4 min 41 s on cpu with 2 threads`. */
export function effortText({ step, nImages, timeMs, options }: RunRecord): string {
  const noun = options.shape.length === 3 ? "image" : "record";
  const images = nImages > 0 ? ` (${plural(nImages, noun)} seen)` : "";
  const time = timeMs > 0 ? ` in ${durationText(timeMs)}` : "";
  const threads = options.threads === undefined ? "" : ` with ${plural(options.threads, "thread")}`;
  const device = options.device === undefined ? "" : ` on ${options.device}${threads}`;
  const perSecond = (nImages / timeMs) * 1000;
  const speed = nImages > 0 && timeMs > 0 ? `, ${numberText(perSecond)} ${noun}s a second` : "";
  return `${plural(step, "step")}${images}${time}${device}${speed}`;
}

/** Losses and scores at the end, for example `loss/D 0.61, loss/G 2.1`; empty when there are none. */
export function scoresText({ series }: RunRecord): string {
  return series
    .filter(({ name }) => !name.startsWith("speed/") && !isHealth(name))
    .map((s) => ({ name: s.name, mean: finalMean(s) }))
    .map(({ name, mean }) => `${name} ${Number.isNaN(mean) ? "not a number" : numberText(mean)}`)
    .join(", ");
}

/** Every choice behind a run, as a name and a value that a person would write. */
export function optionRows(options: ReportOptions): (readonly [name: string, value: string])[] {
  const { preset, seed, device, threads } = options;
  const titled = (title: string, table: object) =>
    Object.entries(table).map(([name, value]) => [`${title}: ${name}`, value as unknown] as const);
  const rows: (readonly [string, unknown])[] = [
    ...Object.entries({ preset, seed, device, threads }).filter(([, value]) => value !== undefined),
    ...titled("budget", options.budget),
    ...titled("evaluate", options.evaluate),
    ...Object.entries(options.options),
    ...titled("data", options.dataSettings),
    ...titled("version", options.versions),
  ];
  return rows.map(([name, value]) => [name, valueText(value)]);
}
