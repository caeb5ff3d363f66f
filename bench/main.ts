// npm run bench [-- CASE…] [--rounds N] [--json]: Duelo against PyTorch, in turns, in one go.
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { cases } from "./cases.ts";
import { alternate, describeRow, type Row } from "./compare.ts";
import { findTorch, startOurs, startTorch } from "./peers.ts";
import { startup } from "./startup.ts";

const threads = 2;
/** So that no thread of the other side still spins. */
const rest = (): Promise<void> => setTimeout(1000);

async function compare(name: string, rounds: number, python: string | undefined): Promise<Row> {
  const ours = startOurs();
  const torch = python === undefined ? undefined : startTorch(python);
  try {
    const mine = await ours.setup({ case: name, threads });
    const theirs = await torch?.setup({ case: name, threads });
    if (theirs !== undefined && mine.params > 0 && mine.params !== theirs.params) {
      throw new Error(`${name}: ${mine.params} parameters here, ${theirs.params} in PyTorch`);
    }
    return await alternate({ name, ours, torch, rounds, rest });
  } finally {
    ours.quit();
    torch?.quit();
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "9" }, json: { type: "boolean", default: false } },
});
const python = findTorch();
if (python === undefined)
  console.error("PyTorch is not installed (Debian: python3-torch); only Duelo is timed.");
if (Number(values.rounds) < 7)
  console.error("Medians of fewer than 7 rounds are a glance and no measurement.");
const chosen = positionals.length > 0 ? positionals : Object.keys(cases);
const rows: Row[] = [];
for (const name of chosen.filter((c) => c !== "startup")) {
  const row = await compare(name, Number(values.rounds), python);
  rows.push(row);
  console.error(describeRow(row));
}
const helpMs = positionals.length === 0 || positionals.includes("startup") ? startup() : undefined;
if (helpMs !== undefined) console.error(`duelo --help: ${helpMs.toFixed(0)} ms (to reach 300)`);
if (values.json) console.log(JSON.stringify({ threads, rows, helpMs }, undefined, 2));
