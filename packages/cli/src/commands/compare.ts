import type { Command } from "commander";
import type { Comparison, ConditionRows, ScoreRows } from "@duelo/train";
import { count, duration, figures, table } from "../format.ts";
import type { Terminal } from "../terminal.ts";

export function addCompare(program: Command, terminal: Terminal): void {
  program
    .command("compare")
    .description("draw runs side by side on one page")
    .argument("<runs...>", "2 to 6 runs, each by number, name, latest, or the path of its folder")
    .option("--out <file>", "the page to write", "compare.html")
    .option("--runs <folder>", "folder of run folders", "runs")
    .option("--json", "print the comparison as JSON, and write no page")
    .addHelpText("after", "\nExample:\n  duelo compare 1 2 3 --out compare.html")
    .action(async (runs: string[], flags: { out: string; runs: string; json?: true }) => {
      const { compareRuns, conditionRows, scoreRows } = await import("@duelo/train");
      const page = flags.json ? {} : { out: flags.out };
      const compared = await compareRuns({ runs: flags.runs, compare: runs, ...page });
      if (flags.json) return terminal.out(`${JSON.stringify(compared)}\n`);
      terminal.err(comparisonText(compared, scoreRows(compared), conditionRows(compared)));
      terminal.out(`${flags.out}\n`);
    });
}

const orDash = (value: number | null | undefined): string =>
  value === undefined ? "–" : figures(value ?? Number.NaN);

/** Runs in columns, a number or an option a line. */
function comparisonText(
  { runs, differences }: Comparison,
  scored: ReturnType<ScoreRows>,
  conditions: ReturnType<ConditionRows>,
): string {
  const losses = [...new Set(runs.flatMap((run) => Object.keys(run.finals)))].filter((name) =>
    name.startsWith("loss/"),
  );
  const numbers = table([
    ["run", ...runs.map((run) => run.name)],
    ["steps", ...runs.map((run) => count(run.step))],
    ["time", ...runs.map((run) => duration(run.timeMs / 1000))],
    ["health", ...runs.map(({ health }) => health?.name ?? "–")],
    ...losses.map((name) => [name, ...runs.map((run) => orDash(run.finals[name]))]),
    ...scored.map(({ name, scores }) => [name, ...scores.map((s) => orDash(s?.value))]),
    ...differences
      .filter(({ values }) => values.every((value) => (value ?? "").length <= 24))
      .map(({ option, values }) => [option, ...values.map((value) => value ?? "–")]),
  ]);
  const read = conditions.map(({ name, values }) => {
    const told = values.map((value, i) => `${runs[i]?.name}: ${value ?? "–"}`);
    return [name, new Set(values).size === 1 ? (values[0] ?? "–") : told.join("; ")];
  });
  return read.length === 0 ? numbers : `${numbers}\n${table(read)}`;
}
