import { calmVerdicts } from "../health/verdict-name.ts";
import type { Findings, Stretch } from "../health/examine.ts";
import { chart } from "./chart.ts";
import { html, type Html } from "./html.ts";
import type { RunRecord } from "./run-record.ts";
import { numberText } from "./words.ts";

const size = { width: 340, height: 180 };

/** What the charts of this section show, so that no other section shows it again. */
export const isHealth = (name: string): boolean => /^(health|grad|update|weight)\//.test(name);

/** The verdict, what was said over time, and the numbers that it is drawn from. */
export function healthSection({ health, rollbacks }: RunRecord): Html {
  if (health === undefined) return html``;
  const { name, since, text, advice } = health.verdict;
  const charts = health.courses
    .filter((course) => isHealth(course.name))
    .map((c) => chart({ title: c.about, lines: [{ label: c.name, series: c }], size }));
  return html`<h2>Health</h2>
    <p><b>${name}</b>, since step ${numberText(since)}: ${text}. ${advice}</p>
    ${strip(health)}
    ${rollbacks.map(
      ({ from, to, rate }) =>
        html`<p class="warning">
          Diverged at step ${numberText(from)}; went back to step ${numberText(to)} with ${rate} of
          the learning rate.
        </p>`,
    )}
    <div class="small charts">${charts}</div>`;
}

/** Steps from left to right, one piece for each thing that was said. */
function strip({ timeline, step }: Findings): Html {
  const pieces = timeline.map((stretch, i) => {
    const until = timeline[i + 1]?.from ?? step;
    const share = Math.max(until - stretch.from, 0) / Math.max(step, 1);
    return html`<i
      class="${kind(stretch)}"
      style="flex-grow:${numberText(share * 1000, 4).replaceAll(",", "")}"
      title="${stretchText(stretch)}"
    ></i>`;
  });
  return html`<div class="strip" role="img" aria-label="${timeline.map(stretchText).join("; ")}">
      ${pieces}
    </div>
    <ul class="said">
      ${timeline.map(
        (stretch) => html`<li><i class="${kind(stretch)}"></i>${stretchText(stretch)}</li>`,
      )}
    </ul>`;
}

const kind = ({ name }: Stretch): string =>
  name === "too early" ? "early" : calmVerdicts.has(name) ? "calm" : "alarm";

const stretchText = ({ name, from, to }: Stretch): string =>
  from === to
    ? `step ${numberText(from)}: ${name}`
    : `steps ${numberText(from)} to ${numberText(to)}: ${name}`;
