import { describe, expect, test } from "vitest";
import { examine } from "./examine.ts";
import type { Probe } from "./history.ts";
import { Observer, verdictOf } from "./verdict.ts";

/** A run of `n` probes; each number is given by its place from 0 to 1. */
function history(n: number, log: (at: number, i: number) => Record<string, number>): Probe[] {
  return Array.from({ length: n }, (_, i) => ({ step: 10 * i, log: log(i / (n - 1), i) }));
}

/** Numbers of the size that a healthy run of `dcgan` gives, made up for these tests. */
const healthy = (at: number): Record<string, number> => ({
  "weight/G": 5 + at,
  "weight/D": 4 + at,
  "update/G": 0.012,
  "update/D": 0.008,
  "grad/G": 5,
  "D/real": 0.5,
  "D/fake": -0.3,
  "D/accuracyReal": 0.75,
  "D/accuracyFake": 0.75,
  "health/distance": 1.1 * Math.exp(-4 * at),
  "health/diversity": 0.8 * at,
  "health/clusters": Math.round(1 + 22 * at),
  "health/clustersReal": 23,
  "health/nearness": 2.5 - at,
  "health/copies": 0,
  "health/known": 0.01,
  "health/drift": 0.05,
});

/** The healthy run with some of its numbers in another way. */
const but = (over: (at: number, i: number) => Record<string, number>, n = 60): Probe[] =>
  history(n, (at, i) => ({ ...healthy(at), ...over(at, i) }));
const stuck = { "health/distance": 0.9, "health/diversity": 1, "health/clusters": 20 };

describe("what is said of a run", () => {
  test.each([
    ["healthy", but(() => ({}))],
    ["too early", but(() => ({}), 5)],
    [
      "D too strong",
      but(() => ({
        ...stuck,
        "D/real": 6,
        "D/fake": -7,
        "D/accuracyReal": 1,
        "D/accuracyFake": 1,
      })),
    ],
    ["D too strong", but((at) => ({ ...stuck, "grad/G": at < 0.3 ? 5 : 1e-6 }))],
    ["D too weak", but(() => ({ ...stuck, "D/accuracyReal": 0.5, "D/accuracyFake": 0.5 }))],
    ["mode collapse", but(() => ({ ...stuck, "health/clusters": 4 }))],
    ["mode collapse", but(() => ({ ...stuck, "health/diversity": 0.1 }))],
    ["oscillation", but(() => ({ ...stuck, "health/drift": 0.9 }))],
    ["memorising", but(() => ({ "health/copies": 0.6, "health/known": 1 }))],
    ["stalled", but(() => ({ ...stuck, "health/drift": 1e-4, "update/G": 1e-8 }))],
    ["divergence", but((at) => ({ "update/D": at > 0.5 ? 0.3 : 0.01 }))],
    ["divergence", but((at) => ({ "weight/G": at > 0.5 ? 5000 : 5 }))],
    ["divergence", but((at) => ({ "loss/G": at > 0.9 ? Number.NaN : 1 }))],
    ["finished improving", but((at) => ({ "health/distance": Math.max(0.02, 1 - 4 * at) }))],
  ] as const)("%s", (name, probes) => {
    expect(verdictOf(probes)?.name).toBe(name);
  });

  test("holds for a critic without probabilities, and without any D", () => {
    const scores = ["D/accuracyReal", "D/accuracyFake"];
    const judges = [...scores, "D/real", "D/fake", "weight/D", "update/D"];
    const without = (names: readonly string[], probes: readonly Probe[]): Probe[] =>
      probes.map(({ step, log }) => ({
        step,
        log: Object.fromEntries(Object.entries(log).filter(([name]) => !names.includes(name))),
      }));
    const blind = but(() => ({ ...stuck, "D/real": 1, "D/fake": 2 }));
    expect(verdictOf(without(scores, blind))?.name).toBe("D too weak");
    expect(
      verdictOf(
        without(
          scores,
          but(() => ({})),
        ),
      )?.name,
    ).toBe("healthy");
    expect(
      verdictOf(
        without(
          judges,
          but(() => ({})),
        ),
      )?.name,
    ).toBe("healthy");
  });

  test("does not flicker: a moment is no verdict", () => {
    const moment = but((_, i) => (i === 40 || i === 42 ? { ...stuck, "health/clusters": 2 } : {}));
    expect(examine(moment)?.timeline.map(({ name }) => name)).toEqual(["too early", "healthy"]);
  });

  test("is a function of the probes: said one by one or all at once", () => {
    const probes = but((at) => ({ ...(at > 0.5 ? { ...stuck, "health/clusters": 2 } : {}) }));
    const observer = new Observer();
    const said = probes.map((probe) => observer.add(probe));
    probes.forEach((_, i) => expect(verdictOf(probes.slice(0, i + 1))).toEqual(said[i]));
    expect(said.at(-1)).toMatchObject({ name: "mode collapse", since: 360 });
  });
});
