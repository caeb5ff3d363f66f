import type { Runtime } from "@duelo/runtime";
import type { Evaluation } from "./evaluation.ts";
import type { Counters } from "./counters.ts";
import type { Verdict } from "./health/verdict.ts";
import type { Log } from "./model.ts";
import type { Resolved } from "./request.ts";
import type { Streams } from "./streams.ts";
import type { RunFolder } from "./run/folder.ts";

/** Where a run stands, for a progress line. */
export interface Progress extends Omit<Counters, "timeMs"> {
  /** 0 to 1. */
  readonly fraction: number;
  readonly imagesPerSecond: number;
  /** NaN before the first step of a sitting. */
  readonly secondsLeft: number;
  readonly log: Readonly<Log>;
  /** How the run is doing; left out before the first probe. */
  readonly verdict?: Verdict;
}

export interface TrainHooks {
  /** Data being read: so many of so many. */
  data?(done: number, total: number, what: string): void;
  /** One line for the user: a file left out, a run resumed, a checkpoint fallen back to. */
  note?(line: string): void;
  /** The run's folder is known. */
  begun?(run: { dir: string; resumedAt: number }): void;
  progress?(progress: Progress): void;
  /** Asks the run to save and leave after the step at hand. */
  readonly signal?: AbortSignal;
}

export interface TrainResult {
  readonly dir: string;
  readonly step: number;
  readonly nImages: number;
  /** Of training alone, over all sittings. */
  readonly seconds: number;
  /** Of this sitting's time, what was spent on probes: norms, looks at samples, and verdicts. */
  readonly probeSeconds: number;
  /** False when the signal ended it early; the same request goes on from there. */
  readonly finished: boolean;
  /** Why it ended before its budget, where its samples no longer got better. */
  readonly stopped?: string;
  /** Path of the last sample grid; undefined where the recipe makes no samples. */
  readonly samples: string | undefined;
  readonly report: string;
  readonly log: Readonly<Log>;
  /** How the run was doing in the end; left out before the first probe. */
  readonly verdict?: Verdict;
}

/** What every part of a training shares. */
export interface Session {
  readonly run: RunFolder;
  readonly resolved: Resolved;
  readonly streams: Streams;
  readonly runtime: Runtime;
  readonly hooks: TrainHooks;
  readonly checkpointSeconds: number;
  readonly evaluation: Evaluation | undefined;
  readonly probeShare: number;
}
