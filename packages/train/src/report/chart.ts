import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { html, Html } from "./html.ts";
import { downsample, smooth, type Series } from "./series.ts";
import { numberText, plural } from "./words.ts";

export interface ChartLine {
  readonly label: string;
  readonly series: Series;
  /** Which of the page's colours, from 0; its place among the lines unless said otherwise. */
  readonly colour?: number;
}

export interface ChartOptions {
  readonly title: string;
  /** Lines of the chart; at least one. */
  readonly lines: readonly ChartLine[];
  /** Steps of the horizontal axis; those of the lines unless said otherwise. */
  readonly x?: readonly [low: number, high: number];
  /** Leaves out which line is which, where the page says it once for all charts. */
  readonly unlabelled?: true;
  /** What the vertical axis must show at least, for example 0 to 1. */
  readonly y?: readonly [low: number, high: number];
  /** Shows 0.5 as 50%. */
  readonly percent?: boolean;
  readonly size: { readonly width: number; readonly height: number };
}

const nBins = 250;
/** Lines that can be told apart. */
export const nColours = 6;
export const { document } = parseHTML("<!doctype html><html><body></body></html>");
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 4 });
const percentage = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });

/**
 * A figure of lines over steps, as inline SVG in the colours of the page (`--series-1` to
 * `--series-6`). Long series show their lowest and highest values; noisy ones a running mean, with
 * the values themselves faint behind it. A value that is not finite is a gap, and is told of.
 */
export function chart(options: ChartOptions): Html {
  const { title, lines } = options;
  const legend = lines.map(
    (line, i) => html`<span class="key">${swatch(line.colour ?? i)}${line.label}</span>`,
  );
  const notes = lines.flatMap(({ label, series }) => gapNote(label, series));
  const drawn = lines.some(({ series }) => series.values.some(Number.isFinite));
  return html`<figure class="chart">
    <figcaption>
      <b>${title}</b
      >${lines.length > 1 && !options.unlabelled ? html` <span class="legend">${legend}</span>` : ""}
    </figcaption>
    ${drawn ? new Html(draw(options)) : ""}${notes}
  </figure>`;
}

function gapNote(label: string, { steps, values }: Series): Html[] {
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return [];
  const nBad = values.filter((value) => !Number.isFinite(value)).length;
  const first = numberText(steps[bad] ?? 0);
  return [
    html`<p class="warning">
      ${label} was not a number at ${numberText(nBad)} of ${plural(values.length, "logged step")},
      first at step ${first}.
    </p>`,
  ];
}

/** A colour of the lines, as CSS has it. */
export const colour = (i: number): string => `var(--series-${(i % nColours) + 1})`;

/** A stroke in a colour of the lines, for a legend. */
export const swatch = (i: number): Html => html`<i style="background:${colour(i)}"></i>`;

/** A number beside an axis. */
export const short = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : compact.format(value);

function draw({ lines, x, y, percent = false, size }: ChartOptions): string {
  const format = percent ? (v: number) => percentage.format(v) : short;
  const domain = domainOf(
    lines.flatMap(({ series }) => series.values),
    y,
  );
  const axes = { tickSize: 0, tickPadding: 8 };
  const svg: { outerHTML: string } = Plot.plot({
    document,
    ...size,
    marginLeft: 58,
    marginRight: 16,
    marginTop: 12,
    marginBottom: 40,
    style: { fontSize: "13px", background: "none" },
    x: { label: "step", ...(x ? { domain: x } : {}), ticks: 5, ...axes, tickFormat: short },
    y: { domain, nice: true, label: null, ticks: 5, ...axes, tickFormat: format },
    marks: [
      Plot.gridY({ ticks: 5, strokeOpacity: 0.15 }),
      ...lines.flatMap(({ series, colour: own }, i) => lineMarks(series, colour(own ?? i))),
    ],
  });
  return svg.outerHTML;
}

/** All finite values and `least`; a little more around values that are all the same. */
export function domainOf(
  values: readonly number[],
  least: readonly number[] = [],
): [number, number] {
  const finite = [...values.filter(Number.isFinite), ...least];
  const low = finite.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = finite.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (high - low > 1e-9 * size) return [low, high];
  const around = size > 0 ? size / 10 : 1;
  return [low - around, high + around];
}

function lineMarks(series: Series, stroke: string) {
  const shape = { x: "step", y: "value", stroke, strokeLinecap: "round" } as const;
  const nFinite = series.values.filter(Number.isFinite).length;
  if (nFinite === 1) return [Plot.dot(downsample(series, nBins), { ...shape, fill: stroke, r: 4 })];
  const noisy = nFinite >= 100;
  const raw = Plot.line(downsample(series, nBins), {
    ...shape,
    strokeWidth: noisy ? 1 : 2,
    strokeOpacity: noisy ? 0.35 : 1,
  });
  if (!noisy) return [raw];
  const mean = smooth(series, nBins);
  return [raw, Plot.line(downsample(mean, nBins), { ...shape, strokeWidth: 2 })];
}
