import type { Examination } from "@duelo/train";
import { count, figures, table, wrapped } from "./format.ts";

const bars = "▁▂▃▄▅▆▇█";
const nBars = 24;

/** The course of a number as a row of bars from its lowest to its highest value; a gap where it was none. */
export function sparkline(values: readonly number[]): string {
  const n = Math.min(nBars, values.length);
  const means = Array.from({ length: n }, (_, i) => {
    const from = Math.floor((i * values.length) / n);
    const part = values.slice(from, Math.max(from + 1, Math.floor(((i + 1) * values.length) / n)));
    return part.reduce((a, b) => a + b, 0) / part.length;
  });
  const finite = means.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  return means
    .map((mean) => {
      if (!Number.isFinite(mean)) return " ";
      const level = high > low ? (mean - low) / (high - low) : 0;
      return bars[Math.round(level * (bars.length - 1))] ?? "";
    })
    .join("");
}

/** How a run is doing, for a person. */
export function examinationText(e: Examination): string {
  const { name, since, text, advice } = e.verdict;
  const rows = e.courses.map(({ about, values }) => [
    about,
    figures(values[0] ?? Number.NaN),
    sparkline(values).padEnd(nBars),
    figures(values.at(-1) ?? Number.NaN),
  ]);
  const stretches = e.timeline.map(({ from, to, name: said }) => [stepsText(from, to), said]);
  const returns = e.rollbacks.map(({ from, to, rate }) => [
    `step ${count(from)}`,
    `diverged; back to step ${count(to)} with ${rate} of the learning rate`,
  ]);
  return [
    `${e.run}, step ${count(e.step)}: ${name}, since step ${count(since)}\n`,
    `${wrapped(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`)}${wrapped(advice)}`,
    table([["what", "first", "course".padEnd(nBars), "last"], ...rows]),
    `Said over time\n${table([...stretches, ...returns], "  ")}`,
  ].join("\n");
}

const stepsText = (from: number, to: number): string =>
  from === to ? `step ${count(from)}` : `step ${count(from)} to ${count(to)}`;
