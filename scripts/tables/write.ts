// Puts what was measured so far into results files and from there into the pages: npm run tables:write
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { healthText } from "./health/page.ts";
import { healthResult, runsOf, type HealthResult } from "./health/results.ts";
import { setups } from "./health/setups.ts";
import { readResults, type Result } from "./jobs.ts";
import { marked, pageText } from "./page.ts";

const here = import.meta.dirname;
const docs = join(here, "../../docs");
const seedOfHealth = 3;

/** Writes a file of results, and the page that is made of it. */
function write(o: {
  results: unknown;
  file: string;
  page: string;
  text: (page: string) => string;
}) {
  writeFileSync(join(here, o.file), `${JSON.stringify(o.results, undefined, 2)}\n`);
  const page = join(docs, o.page);
  writeFileSync(page, o.text(readFileSync(page, "utf8")));
}

const nameOf = ({ table, data, row }: Result): string => [table, data, row].join(" / ");
const file = "runs/tables/results.jsonl";
if (existsSync(file)) {
  const all = readResults(file);
  // A row that was run anew with another budget has its last one only.
  const budgets = new Map(all.map((r) => [nameOf(r), r.budget]));
  const results = all
    .filter((r) => r.budget === budgets.get(nameOf(r)))
    .toSorted((a, b) =>
      [a.table, a.data, a.row, a.seed]
        .join()
        .localeCompare([b.table, b.data, b.row, b.seed].join()),
    );
  const text = (page: string): string => pageText(page, results);
  write({ results, file: "results.json", page: "zoo/tables.md", text });
}

const healths: HealthResult[] = [];
for (const { name } of setups) {
  const result = await healthResult(runsOf({ root: "runs/health", name, seed: seedOfHealth }));
  if (result !== undefined) healths.push(result);
}
if (healths.length > 0) {
  const text = (page: string): string => marked(page, "verdicts", healthText(setups, healths));
  write({ results: healths, file: "health.json", page: "guide/health.md", text });
}
