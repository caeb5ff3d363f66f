import { UserError } from "@duelo/core";
import { readLog, rollbacksOf } from "../report/run-record.ts";
import { findRun } from "../run/runs.ts";
import { examine, type Findings } from "./examine.ts";
import { probesOf } from "./history.ts";

/** How a run is doing, and what that is drawn from. */
export interface Examination extends Findings {
  readonly run: string;
  readonly dir: string;
  /** Returns to a safe point: to which step, from which, with what part of the learning rate. */
  readonly rollbacks: readonly {
    readonly to: number;
    readonly from: number;
    readonly rate: number;
  }[];
}

/**
 * Explains a run from its log: nothing is computed anew but the verdicts. Throws UserError when there is no
 * such run, or nothing was probed in it yet.
 */
export async function examineRun(request: {
  /** Folder of run folders. */
  readonly runs: string;
  /** Number, name, `latest`, or the path of a run folder. */
  readonly run: string;
}): Promise<Examination> {
  const { name, dir } = await findRun({ root: request.runs, run: request.run });
  const { lines } = await readLog(dir);
  const probes = probesOf(lines);
  const examined = examine(probes);
  if (examined === undefined) {
    throw new UserError(
      `Nothing was probed in ${dir} yet, so there is nothing to say. Train it for a few steps more.`,
    );
  }
  return { run: name, dir, ...examined, rollbacks: rollbacksOf(lines) };
}
