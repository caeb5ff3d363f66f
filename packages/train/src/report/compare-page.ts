import { chart, swatch } from "./chart.ts";
import { conditionRows, scoreRows, seriesNames, type Comparison } from "./comparison.ts";
import { html, Html, join } from "./html.ts";
import type { RunRecord } from "./run-record.ts";
import { durationText, numberText } from "./words.ts";
import { image, wholePage, type Picture } from "./whole-page.ts";

const large = { width: 440, height: 250 };
const small = { width: 340, height: 180 };

/** Sample grids of all runs at one moment. */
export interface Moment {
  readonly step: number;
  /** One a run, in the order of the runs; undefined where a run has none of that time. */
  readonly pictures: readonly ((Picture & { readonly step: number }) | undefined)[];
}

/** Runs side by side as one page that asks nothing of any network. */
export function comparePage(
  records: readonly RunRecord[],
  compared: Comparison,
  moments: readonly Moment[],
): Html {
  const names = compared.runs.map((run) => run.name);
  return wholePage({
    title: `${names.length} runs side by side`,
    script,
    main: html`<h1>${names.length} runs side by side</h1>
      ${key(compared)} ${numbers(compared)} ${judgements(compared)} ${differences(compared)}
      ${samples(names, moments)} ${curves(records)}`,
  });
}

/** Which colour is which run, and what it is a run of. */
function key({ runs }: Comparison): Html {
  return html`<ul class="runs">
    ${runs.map(
      (run, i) =>
        html`<li class="key">${swatch(i)}<b>${run.name}</b> ${run.recipe} on ${run.data}</li>`,
    )}
  </ul>`;
}

/** A table with a column for each run. */
export function runTable(
  names: readonly string[],
  rows: readonly { readonly name: string; readonly cells: readonly (string | Html)[] }[],
): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th></th>
          ${names.map((name, i) => html`<th scope="col">${swatch(i)} ${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, cells }) =>
            html`<tr>
              <th scope="row">${name}</th>
              ${cells.map((cell) => html`<td>${cell}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

const shortNames = ({ runs }: Comparison): string[] =>
  runs.map(({ name }) => /^\d{4,}(?=-)/.exec(name)?.[0] ?? name);

function numbers(compared: Comparison): Html {
  const { runs } = compared;
  const losses = [...new Set(runs.flatMap((run) => Object.keys(run.finals)))].filter((name) =>
    name.startsWith("loss/"),
  );
  const finalText = (value: number | null | undefined): string =>
    value === undefined ? "–" : value === null ? "not a number" : numberText(value);
  return html`<h2>What they came to</h2>
    ${runTable(shortNames(compared), [
      { name: "steps", cells: runs.map((run) => numberText(run.step)) },
      { name: "records seen", cells: runs.map((run) => numberText(run.nImages)) },
      { name: "training time", cells: runs.map((run) => durationText(run.timeMs)) },
      { name: "health", cells: runs.map(healthCell) },
      ...losses.map((name) => ({
        name: `${name}, mean of the last tenth`,
        cells: runs.map((run) => finalText(run.finals[name])),
      })),
    ])}`;
}

/** The last verdict, and since when; why, in small. */
function healthCell({ health }: Comparison["runs"][number]): Html {
  if (health === undefined) return html`–`;
  const { name, since, text } = health;
  return html`<p><b>${name}</b>, since step ${numberText(since)}: ${text}.</p>`;
}

/** What `duelo eval` found of each; the best of a row stands out where all were judged alike. */
function judgements(compared: Comparison): Html {
  const rows = scoreRows(compared);
  if (rows.length === 0) return html``;
  const { runs } = compared;
  const sameReference = judgedAlike(compared);
  const words = runs.map(
    ({ judgement }) =>
      html`${(judgement?.verdict ?? ["Not judged: duelo eval judges it."]).map((line) => html`<p>${line}</p>`)}`,
  );
  return html`<h2>How good they are</h2>
    ${runTable(shortNames(compared), [
      ...rows.map(({ name, scores }) => ({ name, cells: scoreCells(scores, sameReference) })),
      { name: "in words", cells: words },
      ...conditionRows(compared).map(({ name, values }) => ({
        name,
        cells: values.map((value) => value ?? "–"),
      })),
    ])}`;
}

/** Judgements whose numbers can be held against each other: by the same features, on the same reference. */
function judgedAlike({ runs }: Comparison): boolean {
  const by = runs.flatMap(({ judgement: j }) =>
    j === undefined ? [] : [[j.reference.key, j.features.name, j.features.resizer].join("\0")],
  );
  return new Set(by).size === 1;
}

function scoreCells(
  scores: ReturnType<typeof scoreRows>[number]["scores"],
  sameReference: boolean,
): Html[] {
  const better = scores.find((s) => s !== undefined)?.better;
  const values = scores.flatMap((s) => (s === undefined ? [] : [s.value]));
  const top = better === "lower" ? Math.min(...values) : Math.max(...values);
  return scores.map((s) => {
    if (s === undefined) return html`–`;
    const counts = `${numberText(s.nGenerated)} / ${numberText(s.nReference)}`;
    const alike = scores.every(
      (o) => o?.nGenerated === s.nGenerated && o.nReference === s.nReference,
    );
    const isTop = sameReference && alike && better !== "neither" && s.value === top;
    const value = isTop ? html`<b>${numberText(s.value)}</b>` : html`${numberText(s.value)}`;
    return html`${value} <span class="faint">${counts}</span>`;
  });
}

function differences(compared: Comparison): Html {
  const rows = compared.differences.map(({ option, values }) => ({
    name: option,
    cells: values.map((value) => value ?? "–"),
  }));
  if (rows.length === 0)
    return html`<h2>Options that differ</h2>
      <p>None: the runs were made with the same choices.</p>`;
  return html`<h2>Options that differ</h2>
    ${runTable(shortNames(compared), rows)}`;
}

function samples(names: readonly string[], moments: readonly Moment[]): Html {
  if (moments.length === 0) return html``;
  const last = moments.length - 1;
  const steps = moments.map(({ step }) => html`<th scope="col">step ${numberText(step)}</th>`);
  return html`<h2>Samples over time</h2>
    <p>In each run the same noise at every step; the picture nearest to each step is shown.</p>
    <div id="viewer" hidden>
      <label
        ><output></output
        ><input
          type="range"
          min="0"
          max="${last}"
          value="${last}"
          aria-label="Moment of the samples"
      /></label>
      <div class="pair">
        ${names.map(
          (name, i) =>
            html`<figure>
              <figcaption>${swatch(i)} <b>${name}</b> <span></span></figcaption>
              <img alt="" />
            </figure>`,
        )}
      </div>
    </div>
    <div class="scroll">
      <table id="moments">
        <thead>
          <tr>
            <th></th>
            ${steps}
          </tr>
        </thead>
        <tbody>
          ${names.map(
            (name, i) =>
              html`<tr>
                <th scope="row">${swatch(i)} ${name}</th>
                ${moments.map(({ pictures }) => momentCell(name, pictures[i]))}
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

function momentCell(name: string, picture: Moment["pictures"][number]): Html {
  if (picture === undefined) return html`<td></td>`;
  const step = `step ${numberText(picture.step)}`;
  return html`<td data-step="${step}">${image(picture, `Samples of ${name}, ${step}`)}</td>`;
}

/** One chart for every number that any of the runs logged, all over the same steps. */
function curves(records: readonly RunRecord[]): Html {
  const high = records.reduce((max, run) => Math.max(max, run.step), 1);
  const charts = seriesNames(records).map((name) => {
    const lines = records.flatMap((run, i) =>
      run.series
        .filter((s) => s.name === name)
        .map((series) => ({ label: run.name, series, colour: i })),
    );
    const main = /^(metric|loss)\//.test(name);
    const size = main ? large : small;
    return { main, html: chart({ title: name, lines, size, x: [0, high], unlabelled: true }) };
  });
  const section = (title: string, kind: string, of: typeof charts): Html =>
    of.length === 0
      ? html``
      : html`<h2>${title}</h2>
          <div class="${kind}">${of.map((c) => c.html)}</div>`;
  const main = charts.filter((c) => c.main);
  const others = charts.filter((c) => !c.main);
  return join([
    section("Metrics and losses", "charts", main),
    section("Other numbers", "small charts", others),
  ]);
}

/** Shows the samples of all runs at one moment, large; without it, the table of all of them stays. */
const script = new Html(`
const viewer = document.querySelector("#viewer");
if (viewer) {
  const rows = [...document.querySelectorAll("#moments tbody tr")].map((row) => [...row.cells].slice(1));
  const titles = [...document.querySelectorAll("#moments thead th")].slice(1);
  const figures = [...viewer.querySelectorAll("figure")];
  const slider = viewer.querySelector("input");
  const show = () => {
    viewer.querySelector("output").textContent = "At " + titles[slider.value].textContent;
    rows.forEach((cells, i) => {
      const cell = cells[slider.value];
      const small = cell.querySelector("img");
      const large = figures[i].querySelector("img");
      figures[i].querySelector("span").textContent = small ? cell.dataset.step : "nothing of this time";
      large.hidden = !small;
      if (small) { large.src = small.src; large.alt = small.alt; }
    });
  };
  slider.addEventListener("input", show);
  rows.forEach((cells) => cells.forEach((cell, k) => cell.addEventListener("click", () => { slider.value = k; show(); })));
  show();
  viewer.hidden = false;
}
`);
