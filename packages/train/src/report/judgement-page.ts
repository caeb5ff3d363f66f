import { basename, dirname, resolve } from "node:path";
import type { Judgement } from "../judge/judgement.ts";
import { onDisk } from "../run/disk-failure.ts";
import { commitFile, nodeFileSystem, writeAll } from "../run/file-system.ts";
import { html } from "./html.ts";
import { judgementSection } from "./judgement-section.ts";
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
  const [dir, name] = [dirname(resolve(out)), basename(out)];
  await onDisk({ task: `write ${out}`, safe: "Nothing else was changed." }, () =>
    commitFile(nodeFileSystem, { dir, name }, (file) =>
      writeAll(file, new TextEncoder().encode(page.text), 0),
    ),
  );
}
