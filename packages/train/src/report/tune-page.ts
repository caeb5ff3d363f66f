import { swatch } from "./chart.ts";
import { html, Html } from "./html.ts";
import { scatter } from "./scatter.ts";
import { image, wholePage, type Picture } from "./whole-page.ts";
import { numberText, plural, valueText } from "./words.ts";

const small = { width: 340, height: 200 };

/** A search as its page tells it. */
export interface SearchRecord {
  readonly recipe: string;
  readonly data: string;
  readonly metric: string;
  readonly better: "higher" | "lower";
  readonly space: readonly { readonly name: string; readonly log?: boolean }[];
  readonly rounds: readonly { readonly nTrials: number; readonly steps: number }[];
  /** From the best to the worst. */
  readonly trials: readonly {
    readonly trial: number;
    readonly options: Readonly<Record<string, unknown>>;
    readonly results: readonly {
      readonly round: number;
      readonly value?: number | undefined;
      readonly failure?: string | undefined;
      readonly run?: string | undefined;
    }[];
  }[];
  /** The last samples of the first. */
  readonly picture: Picture | undefined;
  /** What trains the winner again, once there is one. */
  readonly command: string | undefined;
}

/** A search as one page that asks nothing of any network. */
export function tunePage(search: SearchRecord): Html {
  const { recipe, data } = search;
  return wholePage({
    title: `Search: ${recipe} on ${data}`,
    script: new Html(""),
    main: html`<h1>Options of ${recipe} on ${data}</h1>
      ${summary(search)} ${winner(search)} ${charts(search)} ${table(search)}`,
  });
}

function summary({ metric, better, space, rounds }: SearchRecord): Html {
  const names = space.map(({ name }) => name).join(", ");
  const course = rounds
    .map(({ nTrials, steps }) => `${numberText(nTrials)} to ${plural(steps, "step")}`)
    .join(", then ");
  return html`<p>
    Searched over ${names}. Trials: ${course}. Each trial goes on from where it stood, and the best
    third by ${metric} (${better} is better) go on. All are trained with one seed, so what is best
    by a little may be so by chance.
  </p>`;
}

function winner({ trials, picture, command }: SearchRecord): Html {
  const [first] = trials;
  if (first === undefined || picture === undefined) return html``;
  return html`<h2>${command === undefined ? "Best so far" : "The winner"}: trial ${first.trial}</h2>
    <div class="pair">
      <figure>
        <figcaption>Samples of its run</figcaption>
        ${image(picture, `Samples of trial ${first.trial}`)}
      </figure>
      <div>
        ${command === undefined ? html`<p>The search is not done.</p>` : html`<pre>${command}</pre>`}
      </div>
    </div>`;
}

/** The score against each option, a point for each trial and round. */
function charts({ metric, space, rounds, trials }: SearchRecord): Html {
  const key = rounds.map(
    ({ steps }, i) => html`<span class="key">${swatch(i)}${plural(steps, "step")}</span>`,
  );
  const figures = space.flatMap(({ name, log = false }) => {
    const points = trials.flatMap(({ options, results }) =>
      results.flatMap(({ value, round }) => {
        const x = options[name];
        if (value === undefined) return [];
        return [{ x: typeof x === "number" ? x : valueText(x), y: value, colour: round }];
      }),
    );
    return points.length === 0 ? [] : [scatter({ title: name, points, log, size: small })];
  });
  if (figures.length === 0) return html``;
  return html`<h2>${metric} against each option</h2>
    <p><span class="legend">${key}</span></p>
    <div class="small charts">${figures}</div>`;
}

/** A row for each trial, from the best to the worst: its options side by side, then its scores. */
function table({ metric, space, rounds, trials }: SearchRecord): Html {
  return html`<h2>All trials</h2>
    <div class="scroll">
      <table class="trials">
        <thead>
          <tr>
            <th scope="col">trial</th>
            ${space.map(({ name }) => html`<th scope="col">${name}</th>`)}
            ${rounds.map(
              ({ steps }) => html`<th scope="col">${metric} at ${plural(steps, "step")}</th>`,
            )}
            <th scope="col">run</th>
          </tr>
        </thead>
        <tbody>
          ${trials.map(
            (trial) =>
              html`<tr>
                <th scope="row">${trial.trial}</th>
                ${space.map(({ name }) => html`<td>${valueText(trial.options[name])}</td>`)}
                ${rounds.map((_, round) => html`<td>${scoreText(trial.results, round)}</td>`)}
                <td>${runLink(trial.results)}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

type Results = SearchRecord["trials"][number]["results"];

function scoreText(results: Results, round: number): string {
  const found = results.find((r) => r.round === round);
  if (found === undefined) return "–";
  return found.value === undefined ? (found.failure ?? "failed") : numberText(found.value, 4);
}

function runLink(results: Results): Html {
  const run = results.findLast((r) => r.run !== undefined)?.run;
  return run === undefined ? html`` : html`<a href="runs/${run}/report.html">${run}</a>`;
}
