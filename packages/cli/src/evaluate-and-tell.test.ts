import { expect, test } from "vitest";
import { judgementText } from "./evaluate-and-tell.ts";

const side = { name: "made", n: 16, shape: [3, 8, 8], resizer: "crop to 8x8", key: "" };
const about = {
  features: { name: "none", about: "", resizer: "pixel by pixel" },
  seed: 0,
  notes: [],
};

test("what was given has a column where there is any", () => {
  const score = { metric: "l1", title: "L1", better: "lower", value: 0.1 } as const;
  const counts = { nGenerated: 16, nReference: 16 };
  const told = (over: object): string =>
    judgementText({
      ...{ generated: side, reference: side, ...about, verdict: [] },
      scores: [{ ...score, ...counts, ...over }],
    });
  expect(told({ given: 0.2 })).toMatch(
    /real data +as given +better .*\n *L1 +0\.10 +– +– +0\.20 +lower/,
  );
  expect(told({})).not.toContain("as given");
});
