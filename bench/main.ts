// npm run bench [-- CASE…] [--rounds N] [--json]: Duelo against PyTorch, in turns, in one go.
import { setTimeout } from "node:timers/promises";
import { parseArgs } from "node:util";
import { cases } from "./cases.ts";
import { findTorch, startOurs, startTorch, type Peer } from "./peers.ts";
import { startup } from "./startup.ts";

const threads = 2;
/** Before each turn, so that no thread of the other side still spins. */
const restMs = 1000;

/** What the project has set itself; ratios to PyTorch. */
const targets: Readonly<Record<string, number>> = {
  "dcgan64-w64": 0.95,
  "dcgan64-w32": 1.05,
  "wgan-gp-critic": 1,
  ring8: 0.6,
  "sample-dcgan64": 0.6,
};
/** Runs in a row in each turn, of which the median counts: the first ones after a rest are slow. */
const portion: Readonly<Record<string, number>> = { ring8: 50, "sample-dcgan64": 50 };
const usualPortion = 4;

export interface Row {
  readonly case: string;
  readonly oursMs: number;
  readonly torchMs?: number;
  /** Median of the ratios of each turn; below 1 Duelo is faster. */
  readonly ratio?: number;
  readonly target?: number;
  readonly oursPeakBytes: number;
  readonly torchPeakBytes?: number;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function compare(name: string, rounds: number, python: string | undefined): Promise<Row> {
  const ours = startOurs();
  const torch = python === undefined ? undefined : startTorch(python);
  try {
    const mine = await ours.setup({ case: name, threads });
    const theirs = await torch?.setup({ case: name, threads });
    if (theirs !== undefined && mine.params > 0 && mine.params !== theirs.params) {
      throw new Error(`${name}: ${mine.params} parameters here, ${theirs.params} in PyTorch`);
    }
    return await alternate(name, { ours, torch, rounds });
  } finally {
    ours.quit();
    torch?.quit();
  }
}

async function alternate(
  name: string,
  { ours, torch, rounds }: { ours: Peer; torch: Peer | undefined; rounds: number },
): Promise<Row> {
  const n = portion[name] ?? usualPortion;
  const [mine, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    await setTimeout(restMs);
    mine.push(median(await ours.run(n)));
    if (torch === undefined) continue;
    await setTimeout(restMs);
    theirs.push(median(await torch.run(n)));
  }
  const target = targets[name];
  const row = { case: name, oursMs: median(mine), oursPeakBytes: await ours.peak() };
  if (torch === undefined) return row;
  return {
    ...row,
    torchMs: median(theirs),
    ratio: median(mine.map((ms, i) => ms / (theirs[i] ?? Number.NaN))),
    ...(target === undefined ? {} : { target }),
    torchPeakBytes: await torch.peak(),
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "9" }, json: { type: "boolean", default: false } },
});
const python = findTorch();
if (python === undefined)
  console.error("PyTorch is not installed (Debian: python3-torch); only Duelo is timed.");
const chosen = positionals.length > 0 ? positionals : Object.keys(cases);
const rows: Row[] = [];
for (const name of chosen.filter((c) => c !== "startup")) {
  const row = await compare(name, Number(values.rounds), python);
  rows.push(row);
  console.error(
    `${name}: ${row.oursMs.toFixed(2)} ms` +
      (row.ratio === undefined
        ? ""
        : `, PyTorch ${row.torchMs?.toFixed(2)} ms, ratio ${row.ratio.toFixed(3)} (to reach ${row.target}), ` +
          `memory ${(row.oursPeakBytes / 2 ** 20).toFixed(0)} against ${((row.torchPeakBytes ?? 0) / 2 ** 20).toFixed(0)} MiB`),
  );
}
const helpMs = positionals.length === 0 || positionals.includes("startup") ? startup() : undefined;
if (helpMs !== undefined) console.error(`duelo --help: ${helpMs.toFixed(0)} ms (to reach 300)`);
if (values.json) console.log(JSON.stringify({ threads, rows, helpMs }, undefined, 2));
