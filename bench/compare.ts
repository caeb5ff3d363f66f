import type { Peer } from "./peers.ts";

/** What the project has set itself; ratios to PyTorch. */
const targets: Readonly<Record<string, number>> = {
  "dcgan64-w64": 0.95,
  "dcgan64-w32": 1.05,
  "wgan-gp-critic": 1,
  ring8: 0.6,
  "sample-dcgan64": 0.6,
  "stylegan2-32": 1,
  "stylegan2-32-lazy": 1,
  cyclegan64: 1,
  biggan32: 1,
  "upscale-512": 0.7,
  "sample-stylegan2-64": 0.6,
};
const memoryTargets: Readonly<Record<string, number>> = { "dcgan64-w64": 1.2 };
const outsideTargets: Readonly<Record<string, number>> = { "dcgan64-w64": 0.05 };

/** Runs in a row in each turn, of which the median counts: the first ones after a rest are slow. */
const portion: Readonly<Record<string, number>> = {
  ring8: 50,
  "sample-dcgan64": 50,
  "sample-stylegan2-64": 50,
  "stylegan2-32-lazy": 1, // 16 steps
  "upscale-512": 2,
};
const usualPortion = 4;

/** A number, and the most that it should be. */
export interface Measured {
  readonly is: number;
  readonly toReach?: number;
}

export interface Row {
  readonly case: string;
  readonly oursMs: number;
  readonly torchMs?: number;
  /** Median of the ratios of each turn; below 1 Duelo is faster. */
  readonly ratio?: Measured;
  /** Share of Duelo's time that was not spent in ONNX Runtime; the median of the turns. */
  readonly outside: Measured;
  readonly oursPeakBytes: number;
  readonly torchPeakBytes?: number;
  /** Of the two peaks. */
  readonly memory?: Measured;
}

export const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const measured = (is: number, toReach: number | undefined): Measured =>
  toReach === undefined ? { is } : { is, toReach };

/** Runs both sides of a case in turns, with a rest before each. */
export async function alternate(options: {
  readonly name: string;
  readonly ours: Peer;
  readonly torch?: Peer | undefined;
  readonly rounds: number;
  readonly rest: () => Promise<void>;
}): Promise<Row> {
  const { name, ours, torch, rounds, rest } = options;
  const n = portion[name] ?? usualPortion;
  const mine: number[] = [];
  const theirs: number[] = [];
  const outside: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await rest();
    const { ms, outsideMs = [] } = await ours.run(n);
    mine.push(median(ms));
    outside.push(median(ms.map((whole, i) => (outsideMs[i] ?? Number.NaN) / whole)));
    if (torch === undefined) continue;
    await rest();
    theirs.push(median((await torch.run(n)).ms));
  }
  const row = {
    case: name,
    oursMs: median(mine),
    outside: measured(median(outside), outsideTargets[name]),
    oursPeakBytes: await ours.peak(),
  };
  if (torch === undefined) return row;
  const torchPeakBytes = await torch.peak();
  return {
    ...row,
    torchMs: median(theirs),
    ratio: measured(median(mine.map((ms, i) => ms / (theirs[i] ?? Number.NaN))), targets[name]),
    torchPeakBytes,
    memory: measured(row.oursPeakBytes / torchPeakBytes, memoryTargets[name]),
  };
}

const ofTarget = ({ is, toReach }: Measured): string =>
  `${is.toFixed(2)}${toReach === undefined ? "" : ` (to reach ${toReach})`}`;
const percent = (share: number): string => `${Number((100 * share).toFixed(1))} %`;
const mib = (bytes = Number.NaN): string => (bytes / 2 ** 20).toFixed(0);

/** A row in words. */
export function describeRow(row: Row): string {
  const { outside, ratio, memory } = row;
  const most = outside.toReach === undefined ? "" : ` (to reach ${percent(outside.toReach)})`;
  const parts = [`${row.oursMs.toFixed(2)} ms`];
  if (ratio) parts.push(`PyTorch ${row.torchMs?.toFixed(2)} ms`, `ratio ${ofTarget(ratio)}`);
  parts.push(`outside ONNX Runtime ${percent(outside.is)}${most}`);
  parts.push(`memory ${mib(row.oursPeakBytes)} MiB`);
  if (memory) parts.push(`PyTorch ${mib(row.torchPeakBytes)} MiB`, `ratio ${ofTarget(memory)}`);
  return `${row.case}: ${parts.join(", ")}`;
}
