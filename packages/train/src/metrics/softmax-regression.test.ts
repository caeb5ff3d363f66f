import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { minimise } from "./lbfgs.ts";
import { softmaxRegression } from "./softmax-regression.ts";
import { normalRows } from "./testing/sets.ts";

/* scikit-learn's logistic regression on the same rows: scripts/golden/regression.py. */
interface Golden {
  readonly grid: number;
  readonly rows: readonly number[];
  readonly labels: readonly number[];
  readonly fits: readonly { strength: number; probabilities: readonly (readonly number[])[] }[];
}
const path = `${import.meta.dirname}/../../../../test/golden/regression.json`;
const golden = JSON.parse(readFileSync(path, "utf8")) as Golden;
const { labels } = golden;
const rows = {
  ...{ rows: labels.length, cols: golden.rows.length / labels.length },
  data: Float64Array.from(golden.rows, (v) => v / golden.grid),
};

describe("softmax regression", () => {
  test.each(golden.fits)("gives scikit-learn's probabilities at strength $strength", (fit) => {
    const { strength } = fit;
    const model = softmaxRegression({ rows, labels, nClasses: 3, strength });
    const { data } = model.probabilities(rows);
    const off = fit.probabilities.flat().map((v, i) => Math.abs(v - (data[i] ?? Number.NaN)));
    expect(Math.max(...off)).toBeLessThan(1e-6);
    const best = fit.probabilities.map((row) => row.indexOf(Math.max(...row)));
    expect(Array.from(model.classify(rows))).toEqual(best);
  });

  test("knows every row of classes that lie apart", () => {
    const apart = normalRows({ rows: 90, cols: 4, seed: 1 });
    const three = Int32Array.from({ length: 90 }, (_, i) => i % 3);
    const data = apart.data.map((v: number, at: number) => v + 20 * (three[at >> 2] ?? 0));
    const model = softmaxRegression({ rows: { ...apart, data }, labels: three, nClasses: 3 });
    expect(model.classify({ ...apart, data })).toEqual(three);
  });

  test("refuses labels beyond the classes, and other features than it was fitted on", () => {
    const fit = (own: readonly number[]) => softmaxRegression({ rows, labels: own, nClasses: 2 });
    expect(() => fit(labels)).toThrowErrorMatchingInlineSnapshot(
      `[UserError: Sample 2 has the label 2; classes are 0 to 1.]`,
    );
    const model = fit(labels.map((k) => k % 2));
    expect(() => model.classify(normalRows({ rows: 3, cols: 2, seed: 0 }))).toThrowError(
      "compares the same features",
    );
  });
});

test("the least of a long, narrow bowl is found", () => {
  const widths = [1, 10, 1000];
  const least = minimise({
    start: Float64Array.of(5, -3, 2),
    loss(at, gradient) {
      let value = 0;
      for (const [j, width] of widths.entries()) {
        const off = (at[j] ?? 0) - j;
        gradient[j] = width * off;
        value += (width / 2) * off * off;
      }
      return value;
    },
  });
  for (const j of [0, 1, 2]) expect(least[j]).toBeCloseTo(j, 6);
});
