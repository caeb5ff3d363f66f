// Puts what npm run tables has measured so far into results.json and into docs/zoo/tables.md.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readResults } from "./jobs.ts";
import { pageText } from "./page.ts";

const here = import.meta.dirname;
const page = join(here, "../../docs/zoo/tables.md");
const results = readResults(process.argv[2] ?? "runs/tables/results.jsonl").toSorted((a, b) =>
  [a.table, a.data, a.row, a.seed].join().localeCompare([b.table, b.data, b.row, b.seed].join()),
);
writeFileSync(join(here, "results.json"), `${JSON.stringify(results, undefined, 2)}\n`);
writeFileSync(page, pageText(readFileSync(page, "utf8"), results));
