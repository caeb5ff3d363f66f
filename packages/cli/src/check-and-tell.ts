import { UserError } from "@duelo/core";
import { checkData, demandPlace, domainOf, writeWhole, type DataReport } from "@duelo/train";
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { count, figures, plural, table } from "./format.ts";
import { textReporter } from "./progress.ts";
import { printable, type Terminal } from "./terminal.ts";

/** Checks a set and prints what was found. @throws UserError when there is no such set */
export async function checkAndTell(options: {
  spec: string;
  select?: Record<string, string>;
  /** Where the contact sheet goes, if anywhere. */
  sheet?: string;
  json?: true;
  terminal: Terminal;
}): Promise<void> {
  const { spec, select, sheet, json, terminal } = options;
  if (sheet !== undefined) demandSheet(sheet, spec);
  const reporter = textReporter(terminal);
  const report = await checkData(
    { spec, domain: domainOf(spec), ...(select === undefined ? {} : { select }) },
    { progress: reporter.data },
  ).finally(reporter.rest);
  const { sheet: picture, ...facts } = report;
  if (sheet !== undefined && picture !== undefined) await writeWhole(sheet, picture);
  terminal.out(json ? `${JSON.stringify(facts)}\n` : reportText(report));
  if (sheet !== undefined && picture !== undefined && !json) terminal.out(`sheet  ${sheet}\n`);
}

/** Throws UserError where the contact sheet would be no PNG, or one of the pictures that are checked. */
function demandSheet(sheet: string, spec: string): void {
  demandPlace(sheet);
  const folder = dirname(resolve(sheet));
  if (!existsSync(folder) || !existsSync(spec)) return;
  const [place, checked] = [join(realpathSync(folder), basename(sheet)), realpathSync(spec)];
  if (place === checked || place.startsWith(`${checked}${sep}`))
    throw new UserError(`${sheet} lies among what is checked. Choose another --sheet.`);
}

const nShown = 10;

/** At most ten lines, and how many more there are. */
function some<T>(all: readonly T[], line: (one: T) => string): string {
  const shown = all.slice(0, nShown).map((one) => `  ${printable(line(one))}\n`);
  const more = all.length > nShown ? [`  and ${count(all.length - nShown)} more\n`] : [];
  return [...shown, ...more].join("");
}

const counts = (of: Readonly<Record<string, number>>): string =>
  Object.entries(of)
    .map(([name, n]) => `${name} ${count(n)}`)
    .join(", ");

const part = (title: string, text: string): string => (text === "" ? "" : `\n${title}\n${text}`);

/** A report as text, for a person. */
export function reportText(report: DataReport): string {
  const { sizes, classes, duplicates, skipped, others, columns } = report;
  const sizeText = (s: (typeof sizes)[number]): string =>
    `${s.height}x${s.width}: ${count(s.count)}`;
  const facts = [
    ["set", `${report.name} (${report.layout})`],
    ["records", count(report.nRecords)],
    ["formats", counts(report.formats)],
    ["channels", counts(report.channels)],
    ["captions", report.nCaptions > 0 ? count(report.nCaptions) : ""],
    ["classes", classes.length > 0 ? count(classes.length) : "none"],
    ["duplicates", duplicates.length > 0 ? plural(duplicates.length, "group") : "none"],
    ["unreadable", skipped.length > 0 ? count(skipped.length) : "none"],
    ["other files", others.length > 0 ? count(others.length) : ""],
  ].filter(([, value]) => value !== "");
  return [
    table(facts),
    part("Sizes (height x width)", some(sizes, sizeText)),
    part(
      "Classes",
      some(classes, (c) => `${c.name}: ${count(c.count)}`),
    ),
    part(
      "Columns",
      some(
        columns,
        (c) =>
          `${c.name}: ${[c.low, c.high].map(figures).join(" to ")}, mean ${figures(c.mean)}, sd ${figures(c.sd)}`,
      ),
    ),
    part(
      "The same content",
      some(duplicates, (names) => names.join(", ")),
    ),
    part(
      "Cannot be read",
      some(skipped, (s) => `${s.file}: ${s.reason}`),
    ),
    part(
      "Not pictures",
      some(others, (name) => name),
    ),
  ].join("");
}
