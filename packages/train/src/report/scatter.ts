import * as Plot from "@observablehq/plot";
import { colour, document, domainOf, short } from "./chart.ts";
import { html, Html } from "./html.ts";

export interface ScatterPoint {
  readonly x: number | string;
  readonly y: number;
  /** Which of the page's colours, from 0. */
  readonly colour: number;
}

/** A figure of points as inline SVG: numbers along the horizontal axis, or words in their order. */
export function scatter(options: {
  readonly title: string;
  /** At least one. */
  readonly points: readonly ScatterPoint[];
  /** Equal factors are equally far apart, instead of equal differences. */
  readonly log?: boolean;
  readonly size: { readonly width: number; readonly height: number };
}): Html {
  const { title, points, log = false, size } = options;
  const axes = { tickSize: 0, tickPadding: 8 };
  const numbers = points.every(({ x }) => typeof x === "number");
  const words = [...new Set(points.map(({ x }) => x))];
  const along = numbers
    ? { type: log ? "log" : "linear", ticks: log ? 3 : 5, nice: true, tickFormat: short }
    : { type: "point", domain: words };
  const svg: { outerHTML: string } = Plot.plot({
    document,
    ...size,
    marginLeft: 58,
    marginRight: 24,
    marginTop: 12,
    marginBottom: 40,
    style: { fontSize: "13px", background: "none" },
    x: { label: null, ...axes, ...along } as Plot.ScaleOptions,
    y: {
      domain: domainOf(points.map(({ y }) => y)),
      ...{ nice: true, label: null, ticks: 5, tickFormat: short },
      ...axes,
    },
    marks: [
      Plot.gridY({ ticks: 5, strokeOpacity: 0.15 }),
      Plot.dot(
        points.map((p) => ({ ...p, fill: colour(p.colour) })),
        { x: "x", y: "y", fill: (p: { fill: string }) => p.fill, r: 4.5, fillOpacity: 0.8 },
      ),
    ],
  });
  return html`<figure class="chart">
    <figcaption><b>${title}</b></figcaption>
    ${new Html(svg.outerHTML)}
  </figure>`;
}
