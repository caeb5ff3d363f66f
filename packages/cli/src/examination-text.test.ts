import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { examineRun } from "@duelo/train";
import { afterAll, beforeAll, expect, test } from "vitest";
import { examinationText, sparkline } from "./examination-text.ts";

let runs = "";
beforeAll(async () => {
  runs = await mkdtemp(join(tmpdir(), "duelo-doctor-"));
});
afterAll(() => rm(runs, { recursive: true }));

/** A run folder with a probe every ten steps, and what a log says at each. */
async function putRun(name: string, n: number, log: (i: number) => object): Promise<void> {
  const dir = join(runs, name);
  await mkdir(dir);
  await writeFile(join(dir, "options.json"), JSON.stringify({ recipe: "dcgan", data: "emoji" }));
  const verdict = { name: "too early", since: 10, text: "", evidence: {}, advice: "" };
  const lines = Array.from({ length: n }, (_, i) =>
    JSON.stringify({
      ...{ step: 10 * (i + 1), nImages: 64, timeMs: 5, verdict },
      log: log(i),
      ...(i === 30 ? { rollback: { from: 340, rate: 0.5 } } : {}),
    }),
  );
  await writeFile(join(dir, "stats.jsonl"), `${lines.join("\n")}\n`);
}

const text = async (run: string): Promise<string> =>
  examinationText(await examineRun({ runs, run })).replaceAll(runs, "RUNS");

test("a run that lost its modes is told so, with the numbers and what to do", async () => {
  await putRun("0001-dcgan-emoji", 40, (i) => ({
    ...{ "weight/G": 5, "weight/D": 4, "grad/G": 2, "update/G": 0.01, "update/D": 0.01 },
    ...{ "D/real": 0.5, "D/fake": -0.3, "D/accuracyReal": 0.75, "D/accuracyFake": 0.7 },
    "health/distance": 0.9,
    "health/diversity": i < 15 ? 0.6 : 0.1,
    "health/clusters": i < 15 ? 18 : 3,
    ...{ "health/clustersReal": 23, "health/nearness": 1.5, "health/copies": 0 },
    ...{ "health/known": 0.01, "health/drift": 0.05 },
  }));
  expect(await text("1")).toMatchInlineSnapshot(`
    "0001-dcgan-emoji, step 400: mode collapse, since step 220

    Samples reach 3 clusters where as many records reach 23, and differ from each other 10 % as much as
    records do.
    Try wgan-gp, or a lower learning rate for G.

    what                                                     first   course                    last
    distance of samples to the data; 0 is alike              0.90    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.90
    how much samples differ, records being 1                 0.60    █████████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.10
    clusters of the data that samples reach                  18.0    █████████▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  3.00
    distance to the nearest record, between records being 1  1.50    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  1.50
    share of samples that all but copy a record              0.00    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.00
    how far the same noise moved since the last look         0.0500  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.0500
    share of records that D knows for real                   0.75    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.75
    share of samples that D knows for made                   0.70    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.70
    mean score of records by D                               0.50    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.50
    mean score of samples by D                               -0.30   ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  -0.30
    norm of the gradient of G                                2.00    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  2.00
    part of its weights by which a step moves G              0.0100  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.0100
    part of its weights by which a step moves D              0.0100  ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  0.0100
    norm of the weights of G                                 5.00    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  5.00
    norm of the weights of D                                 4.00    ▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁  4.00

    Said over time
      step 10 to 150   too early
      step 160 to 210  healthy
      step 220 to 400  mode collapse
      step 340         diverged; back to step 310 with 0.5 of the learning rate
    "
  `);
});

test("nothing to say is said in one sentence", async () => {
  await putRun("0002-dcgan-emoji", 0, () => ({}));
  const error = await examineRun({ runs, run: "2" }).catch(String);
  expect(String(error).replaceAll(runs, "RUNS")).toMatchInlineSnapshot(
    `"UserError: Nothing was probed in RUNS/0002-dcgan-emoji yet, so there is nothing to say. Train it for a few steps more."`,
  );
});

test("a course is drawn from its lowest to its highest value, with gaps where it was no number", () => {
  expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe("▁▂▃▄▅▆▇█");
  expect(sparkline([5, 5])).toBe("▁▁");
  expect(sparkline([1, Number.NaN, 2])).toBe("▁ █");
  expect(sparkline(Array.from({ length: 100 }, (_, i) => i))).toHaveLength(24);
});
