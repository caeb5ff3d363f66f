import type { Judgement } from "../judge/judgement.ts";
import { html } from "./html.ts";
import { judgementSection } from "./judgement-section.ts";
import { writeWhole } from "../writing.ts";
import { embed, wholePage } from "./whole-page.ts";

/** Writes a judgement as one page that asks nothing of any network. @throws FailureError */
export async function writeJudgementPage(parts: {
  readonly out: string;
  readonly judgement: Judgement;
  /** PNG of nearest neighbours. */
  readonly picture: Uint8Array | undefined;
}): Promise<void> {
  const { out, judgement, picture } = parts;
  const { generated, reference } = judgement;
  const title = `${generated.name} against ${reference.name}`;
  const neighbours = picture && (await embed(picture));
  const page = wholePage({
    title,
    main: html`<h1>${title}</h1>
      ${judgementSection(judgement, neighbours)}`,
    script: html``,
  });
  await writeWhole(out, new TextEncoder().encode(page.text));
}
