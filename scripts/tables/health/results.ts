import { examineRun } from "duelo";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What was said of one run. */
export interface HealthResult {
  readonly row: string;
  readonly seed: number;
  /** CPU time of the training, all threads. */
  readonly cpuSeconds: number;
  /** What is said in the end, and what was said since which step. */
  readonly said: string;
  readonly timeline: readonly { readonly name: string; readonly from: number }[];
  /** The last distance of samples to the data. */
  readonly distance: number | undefined;
}

/** The folder of the runs of one row and seed. */
export const runsOf = (o: { root: string; name: string; seed: number }): string =>
  join(o.root, `${o.name.replaceAll(/[^a-z\d]+/gi, "-")}-${o.seed}`);

/** The file that says that a row is done, and what it cost. */
export const finished = (runs: string): string => join(runs, "finished.json");

/** Marks a row as done, and says what is found in its run. */
export async function finish(o: {
  readonly name: string;
  readonly seed: number;
  readonly runs: string;
  readonly cpuSeconds: number;
}): Promise<HealthResult> {
  const done = { row: o.name, seed: o.seed, cpuSeconds: Math.round(o.cpuSeconds) };
  writeFileSync(finished(o.runs), JSON.stringify(done));
  return { ...done, ...(await foundIn(o.runs)) };
}

/** What the rules say now of a row that was trained; undefined when it was not. */
export async function healthResult(runs: string): Promise<HealthResult | undefined> {
  if (!existsSync(finished(runs))) return undefined;
  const done = JSON.parse(readFileSync(finished(runs), "utf8")) as Omit<
    HealthResult,
    keyof Awaited<ReturnType<typeof foundIn>>
  >;
  return { ...done, ...(await foundIn(runs)) };
}

async function foundIn(
  runs: string,
): Promise<Pick<HealthResult, "said" | "timeline" | "distance">> {
  const { verdict, timeline, courses } = await examineRun({ runs, run: "latest" });
  return {
    said: verdict.name,
    timeline: timeline.map(({ name, from }) => ({ name, from })),
    distance: courses.find(({ name }) => name === "health/distance")?.values.at(-1),
  };
}
