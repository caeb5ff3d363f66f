import { chart } from "./chart.ts";
import { trainCommand, useCommands } from "./commands.ts";
import { healthSection, isHealth } from "./health-section.ts";
import { html, join, type Html } from "./html.ts";
import { judgementSection } from "./judgement-section.ts";
import { script } from "./page-style.ts";
import { image, wholePage, type Picture } from "./whole-page.ts";
import type { RunRecord } from "./run-record.ts";
import type { Series } from "./series.ts";
import { dataText, effortText, optionRows, scoresText } from "./summary.ts";
import { numberText, plural } from "./words.ts";

const large = { width: 440, height: 250 };
const small = { width: 340, height: 180 };

export interface Frame extends Picture {
  readonly step: number;
}
export interface Pictures {
  readonly real: Picture | undefined;
  readonly frames: readonly Frame[];
  /** Generated images and their nearest neighbours. */
  readonly neighbours?: Picture | undefined;
  /** Files that are no whole pictures. */
  readonly unreadable: readonly string[];
}

/** The report of a run as one page that asks nothing of any network. */
export function reportPage(run: RunRecord, pictures: Pictures): Html {
  const { recipe, data } = run.options;
  return wholePage({
    title: `${recipe} on ${data}, step ${numberText(run.step)}`,
    script,
    main: html`<h1>${recipe} on ${data}</h1>
      ${summary(run, pictures)} ${pair(run, pictures)} ${judged(run, pictures)}
      ${healthSection(run)}
      ${chartSections(run.series.filter(({ name }) => run.health === undefined || !isHealth(name)))}
      ${film(pictures.frames)} ${useSection(run)} ${optionsSection(run)}`,
  });
}

function summary(run: RunRecord, { unreadable }: Pictures): Html {
  const { about, paper, preset } = run.options;
  const idea = about === undefined ? "" : `, ${about}`;
  const source = paper === undefined ? "" : ` (${paper})`;
  const choice = preset === undefined ? "" : `, preset ${preset}`;
  const scores = scoresText(run);
  const warnings = [
    ...(run.nBadLines > 0
      ? [
          `${plural(run.nBadLines, "line")} of stats.jsonl could not be read and ${run.nBadLines === 1 ? "is" : "are"} left out.`,
        ]
      : []),
    ...unreadable.map((path) => `${path} could not be read and is left out.`),
  ];
  return html`<p>
      ${run.options.recipe}${idea}${source}, was trained on ${dataText(run.options)}${choice}:
      ${effortText(run)}.
      ${
        scores === ""
          ? "Nothing was logged yet."
          : `Means over the last tenth of the log: ${scores}.`
      }
    </p>
    ${warnings.map((text) => html`<p class="warning">${text}</p>`)}`;
}

function pair(run: RunRecord, { real, frames }: Pictures): Html {
  const last = frames.at(-1);
  const shown = [
    ...(last ? [{ title: `Generated, step ${numberText(last.step)}`, picture: last }] : []),
    ...(real ? [{ title: `Real, from ${run.options.data}`, picture: real }] : []),
  ];
  if (shown.length === 0) return html``;
  return html`<h2>Samples beside real data</h2>
    <div class="pair">
      ${shown.map(
        ({ title, picture }) =>
          html`<figure>
            <figcaption>${title}</figcaption>
            ${image(picture, title)}
          </figure>`,
      )}
    </div>`;
}

function judged({ judgements }: RunRecord, { neighbours }: Pictures): Html {
  const last = judgements.at(-1);
  return last === undefined ? html`` : judgementSection(last, neighbours);
}

/** Losses; how well each D tells real from generated; everything else, one small chart a number. */
function chartSections(series: readonly Series[]): Html {
  const metrics = series.filter(({ name }) => name.startsWith("metric/"));
  const losses = series.filter(({ name }) => name.startsWith("loss/"));
  const judged = judges(series);
  const used = new Set([
    ...metrics,
    ...losses,
    ...judged.flatMap(({ real, fake }) => [real, fake]),
  ]);
  const others = series.filter((s) => !used.has(s));
  return join([
    section({
      title: "Metrics while it trained",
      charts: metrics.map((s) => chart({ title: s.name, lines: [line(s)], size: large })),
    }),
    section({
      title: "Losses",
      charts:
        losses.length > 0
          ? [chart({ title: "Loss of each net", lines: losses.map(line), size: large })]
          : [],
    }),
    section({
      title: "Telling real from generated",
      charts: judged.map(({ title, real, fake, percent }) =>
        chart({
          title,
          lines: [
            { label: "real", series: real },
            { label: "generated", series: fake },
          ],
          ...(percent ? { y: [0, 1], percent } : {}),
          size: large,
        }),
      ),
    }),
    section({
      title: "Other numbers",
      small: true,
      charts: others.map((s) => chart({ title: s.name, lines: [line(s)], size: small })),
    }),
  ]);
}

const line = (s: Series) => ({ label: s.name, series: s });

interface Judged {
  readonly title: string;
  readonly real: Series;
  readonly fake: Series;
  readonly percent: boolean;
}

/** Pairs such as `D/real` and `D/fake`, or `D/accuracyReal` and `D/accuracyFake`, of any net. */
function judges(series: readonly Series[]): Judged[] {
  const byName = new Map(series.map((s) => [s.name, s]));
  return series.flatMap((real) => {
    const [, net = "", kind = ""] = /^(.+)\/(real|accuracyReal)$/.exec(real.name) ?? [];
    const percent = kind === "accuracyReal";
    const fake = byName.get(`${net}/${percent ? "accuracyFake" : "fake"}`);
    if (kind === "" || fake === undefined) return [];
    const title = percent ? `Accuracy of ${net}` : `Mean output of ${net}`;
    return [{ title, real, fake, percent }];
  });
}

function section(parts: { title: string; charts: readonly Html[]; small?: boolean }): Html {
  const { title, charts, small = false } = parts;
  if (charts.length === 0) return html``;
  return html`<h2>${title}</h2>
    <div class="${small ? "small charts" : "charts"}">${charts}</div>`;
}

function film(frames: readonly Frame[]): Html {
  if (frames.length < 2) return html``;
  const last = frames.length - 1;
  return html`<h2>Samples over time</h2>
    <p>The same noise at each step.</p>
    <div id="viewer" hidden>
      <label
        ><output></output
        ><input type="range" min="0" max="${last}" value="${last}" aria-label="Step of the samples"
      /></label>
      <img alt="" />
    </div>
    <ul id="film">
      ${frames.map((frame) => {
        const step = `Step ${numberText(frame.step)}`;
        return html`<li>
          <figure>
            ${image(frame, `Samples, ${step.toLowerCase()}`)}
            <figcaption>${step}</figcaption>
          </figure>
        </li>`;
      })}
    </ul>`;
}

function useSection({ name, options, samples }: RunRecord): Html {
  const commands = [
    ...(samples.length > 0 ? useCommands(name) : []), // a recipe without samples has no generator
    {
      about: "Train with the same choices (a run that was stopped goes on)",
      command: trainCommand(options),
    },
  ];
  return html`<h2>Use it</h2>
    ${commands.map(
      ({ about, command }) =>
        html`<p>${about}:</p>
          <pre>${command}</pre>`,
    )}`;
}

function optionsSection({ options }: RunRecord): Html {
  const rows = optionRows(options);
  return html`<h2>Options</h2>
    <div class="scroll">
      <table>
        <tbody>
          ${rows.map(
            ([name, value]) =>
              html`<tr>
                <th scope="row">${name}</th>
                <td>${value}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}
