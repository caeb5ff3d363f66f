import type { Judgement } from "../judge/judgement.ts";
import { html, type Html } from "./html.ts";
import { image, type Picture } from "./whole-page.ts";
import { numberText } from "./words.ts";

/** What was found about samples: the numbers, what they say, and the nearest neighbours. */
export function judgementSection(judgement: Judgement, neighbours: Picture | undefined): Html {
  const { verdict, scores, notes, pairs = false } = judgement;
  const withGiven = scores.some((s) => s.given !== undefined);
  const head = ["", "value", "95 % interval", "real against real"];
  const titles = [...head, ...(withGiven ? ["as given"] : []), "better", "samples / real"];
  return html`<h2>How good it is</h2>
    ${[...verdict, ...notes].map((line) => html`<p>${line}</p>`)}
    <div class="scroll">
      <table>
        <thead>
          <tr>
            ${titles.map((title) => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${scores.map((s) => scoreRow(s, withGiven))}
        </tbody>
      </table>
    </div>
    <p class="faint">${conditions(judgement)}</p>
    ${
      neighbours === undefined
        ? ""
        : html`<figure>
            <figcaption>
              <b>${pairs ? "Pairs" : "Nearest neighbours by these features"}</b>
            </figcaption>
            ${image(neighbours, pairs ? "Generated images above what they should be" : "Generated images above the nearest real ones")}
          </figure>`
    }`;
}

function scoreRow(score: Judgement["scores"][number], withGiven: boolean): Html {
  const { title, value, interval, floor, given, better, nGenerated, nReference } = score;
  const cells = [
    numberText(value),
    interval === undefined ? "–" : interval.map((v) => numberText(v)).join(" to "),
    floor === undefined ? "–" : numberText(floor),
    ...(withGiven ? [given === undefined ? "–" : numberText(given)] : []),
    better === "neither" ? "" : better,
    `${numberText(nGenerated)} / ${numberText(nReference)}`,
  ];
  return html`<tr>
    <th scope="row">${title}</th>
    ${cells.map((cell) => html`<td>${cell}</td>`)}
  </tr>`;
}

/** What a number must be read with: features, sides, resizer, seed. */
function conditions({ generated, reference, heldOut, features, seed, step }: Judgement): string {
  const digest = features.digest === undefined ? "" : ` (sha256 ${features.digest})`;
  const sideText = ({ name, split, resizer }: Judgement["generated"]): string =>
    `${name}${split === undefined ? "" : ` (${split})`}, resized: ${resizer}`;
  return [
    `Features: ${features.name}${digest}, ${features.about}; input: ${features.resizer}.`,
    `Judged: ${sideText(generated)}${step === undefined ? "" : `, step ${numberText(step)}`}, seed ${seed}.`,
    `Against: ${sideText(reference)}.`,
    ...(heldOut ? [`Held out: ${sideText(heldOut)}.`] : []),
    "Compare only numbers of the same features, counts and resizers. The interval is over the samples drawn, not over seeds of training.",
  ].join(" ");
}
