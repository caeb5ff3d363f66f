import type { Probe } from "./history.ts";
import type { VerdictName } from "./verdict-name.ts";
import { Observer, type Verdict } from "./verdict.ts";

/** A stretch of steps over which one thing was said. */
export interface Stretch {
  readonly name: VerdictName;
  readonly from: number;
  readonly to: number;
}

/** One number over the run. */
export interface Course {
  readonly name: string;
  /** What it is, for a person. */
  readonly about: string;
  readonly steps: readonly number[];
  readonly values: readonly number[];
}

/** What the probes of a run say. */
export interface Findings {
  /** Of the last probe. */
  readonly step: number;
  readonly verdict: Verdict;
  readonly timeline: readonly Stretch[];
  readonly courses: readonly Course[];
}

const about: readonly (readonly [pattern: RegExp, about: string])[] = [
  [/^health\/distance$/, "distance of samples to the data; 0 is alike"],
  [/^health\/diversity$/, "how much samples differ, records being 1"],
  [/^health\/clusters$/, "clusters of the data that samples reach"],
  [/^health\/nearness$/, "distance to the nearest record, between records being 1"],
  [/^health\/copies$/, "share of samples that all but copy a record"],
  [/^health\/drift$/, "how far the same noise moved since the last look"],
  [/^(.+)\/accuracyReal$/, "share of records that $1 knows for real"],
  [/^(.+)\/accuracyFake$/, "share of samples that $1 knows for made"],
  [/^(.+)\/real$/, "mean score of records by $1"],
  [/^(.+)\/fake$/, "mean score of samples by $1"],
  [/^grad\/(.+)$/, "norm of the gradient of $1"],
  [/^update\/(.+)$/, "part of its weights by which a step moves $1"],
  [/^weight\/(.+)$/, "norm of the weights of $1"],
];

/** What is to be said of a run after these probes; undefined when there are none. */
export function examine(probes: readonly Probe[]): Findings | undefined {
  const observer = new Observer();
  const timeline: Stretch[] = [];
  for (const probe of probes) {
    const { name } = observer.add(probe);
    const last = timeline.at(-1);
    if (last?.name === name) timeline[timeline.length - 1] = { ...last, to: probe.step };
    else timeline.push({ name, from: probe.step, to: probe.step });
  }
  const { verdict } = observer;
  if (verdict === undefined) return undefined;
  return { step: probes.at(-1)?.step ?? 0, verdict, timeline, courses: coursesOf(probes) };
}

function coursesOf(probes: readonly Probe[]): Course[] {
  const names = [...new Set(probes.flatMap(({ log }) => Object.keys(log)))];
  return about.flatMap(([pattern, text]) =>
    names
      .filter((name) => pattern.test(name))
      .map((name) => {
        const points = probes.flatMap(({ step, log }) => {
          const value = log[name];
          return value === undefined ? [] : [{ step, value }];
        });
        return {
          name,
          about: name.replace(pattern, text),
          steps: points.map(({ step }) => step),
          values: points.map(({ value }) => value),
        };
      }),
  );
}
