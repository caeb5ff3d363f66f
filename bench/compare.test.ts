import { expect, test } from "vitest";
import { alternate, describeRow } from "./compare.ts";
import type { Peer, Times } from "./peers.ts";

/** A peer that gives these times turn by turn. */
function played(turns: readonly Times[], peakMib: number, log: string[] = []): Peer {
  let turn = 0;
  return {
    setup: () => Promise.resolve({ params: 1 }),
    run: (n) => {
      log.push(`run ${n}`);
      return Promise.resolve(turns[turn++] ?? { ms: [] });
    },
    peak: () => Promise.resolve(peakMib * 2 ** 20),
    quit() {},
  };
}

const turns = [
  { ms: [10, 20, 30], outsideMs: [5, 1, 3] }, // median 20; shares 0.5, 0.05, 0.1
  { ms: [40], outsideMs: [8] },
  { ms: [30], outsideMs: [1.5] },
];

test("both sides take turns; the medians of their turns, ratios and shares count", async () => {
  const log: string[] = [];
  const row = await alternate({
    name: "dcgan64-w64",
    ours: played(turns, 300, log),
    torch: played([{ ms: [40, 41, 42] }, { ms: [50] }, { ms: [20] }], 200, log),
    rounds: 3,
    rest: () => {
      log.push("rest");
      return Promise.resolve();
    },
  });
  expect(log.join(", ")).toBe(Array.from({ length: 6 }, () => "rest, run 4").join(", "));
  expect(row).toEqual({
    case: "dcgan64-w64",
    oursMs: 30,
    torchMs: 41,
    ratio: { is: 0.8, toReach: 0.95 }, // of 20 / 41, 40 / 50, 30 / 20
    outside: { is: 0.1, toReach: 0.05 }, // of 0.1, 0.2, 0.05
    oursPeakBytes: 300 * 2 ** 20,
    torchPeakBytes: 200 * 2 ** 20,
    memory: { is: 1.5, toReach: 1.2 },
  });
  expect(describeRow(row)).toMatchInlineSnapshot(
    `"dcgan64-w64: 30.00 ms, PyTorch 41.00 ms, ratio 0.80 (to reach 0.95), outside ONNX Runtime 10 % (to reach 5 %), memory 300 MiB, PyTorch 200 MiB, ratio 1.50 (to reach 1.2)"`,
  );
});

test("without PyTorch there is nothing to compare with", async () => {
  const ours = played(turns, 300);
  const row = await alternate({ name: "ring8", ours, rounds: 3, rest: () => Promise.resolve() });
  expect(describeRow(row)).toMatchInlineSnapshot(
    `"ring8: 30.00 ms, outside ONNX Runtime 10 %, memory 300 MiB"`,
  );
});
