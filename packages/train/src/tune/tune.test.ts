import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { mean, nn, sgd } from "@duelo/core";
import { int, number, recipe, vector } from "@duelo/zoo";
import { train } from "../loop.ts";
import { loadCheckpoint } from "../run/checkpoint.ts";
import { tune, type TuneHooks, type TuneRequest, type TuneResult } from "./tune.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-tune-"));
});

const set = { batch: 32, zDim: 8 };
const request = (over: Partial<TuneRequest> = {}): TuneRequest => ({
  ...{ recipe: "gan-2d", data: "ring8", set, threads: 1 },
  over: { lrG: { from: 1e-4, to: 1e-1 }, width: [4, 8] },
  ...{ trials: 3, firstSteps: 4, cacheDir: join(root, "cache"), tunes: join(root, "tunes") },
  ...over,
});

/** What must not depend on how often a search was stopped. */
const essence = ({ trials, rounds, metric, winner }: TuneResult) => ({
  ...{ trials, rounds, metric },
  winner: winner && { ...winner, dir: winner.dir.slice(winner.dir.indexOf("runs/")) },
});

describe("a search", () => {
  let whole: TuneResult;
  beforeAll(async () => {
    whole = await tune(request());
  }, 60_000);

  test("trains all trials, then the best third three times as long in the same run", async () => {
    const { finished, rounds, trials, winner, dir } = whole;
    expect(finished).toBe(true);
    expect(rounds).toEqual([
      { nTrials: 3, steps: 4 },
      { nTrials: 1, steps: 12 },
    ]);
    expect(trials.map((t) => t.results.length)).toEqual([2, 1, 1]);
    expect(trials[0]?.trial).toBe(winner?.trial);
    const first = trials.map((t) => t.results[0]?.value ?? Number.NaN);
    expect(first[0]).toBe(Math.max(...first)); // only the best of a round goes on
    expect((await readdir(`${dir}/runs`)).length).toBe(3);
    const saved = await loadCheckpoint({ dir: winner?.dir ?? "" });
    expect(saved?.meta.step).toBe(12);
  });

  test("ends with the command of a run that comes out the same", async () => {
    const { winner, trials } = whole;
    const options = trials[0]?.options ?? {};
    for (const [name, value] of Object.entries({ ...set, ...options })) {
      expect(winner?.command).toContain(`--set ${name}=${value}`);
    }
    expect(winner?.command).toContain("--steps 12");
    const { over: _over, trials: _trials, firstSteps: _steps, tunes: _tunes, ...rest } = request();
    const again = await train({
      ...{ ...rest, set: { ...set, ...options }, budget: { steps: 12 } },
      runs: join(root, "again"),
    });
    const tensors = async (dir = "") => (await loadCheckpoint({ dir }))?.tensors;
    expect(await tensors(again.dir)).toEqual(await tensors(winner?.dir));
  });

  test("asked for again trains nothing, unless afresh", async () => {
    const worked: number[] = [];
    const hooks: TuneHooks = { trial: ({ trial }) => worked.push(trial) };
    expect(await tune(request(), hooks)).toEqual(whole);
    expect(worked).toEqual([]);
    const fresh = await tune(request({ fresh: true }), hooks);
    expect(fresh.dir).not.toBe(whole.dir);
    expect(essence(fresh)).toEqual(essence(whole));
  });

  test("stopped again and again ends as one that was not", async () => {
    const tunes = join(root, "stopped");
    for (let nSteps = 3; ; nSteps = 5) {
      const stop = new AbortController();
      let left = nSteps;
      const result = await tune(request({ tunes }), {
        signal: stop.signal,
        progress: () => --left === 0 && stop.abort(),
      });
      if (!result.finished) {
        expect(result.winner).toBeUndefined();
        continue;
      }
      expect(essence(result)).toEqual(essence(whole));
      break;
    }
    expect(await readdir(tunes)).toEqual(["0001-gan-2d-ring8"]);
  });

  test("writes a page with every trial, the winner's samples and its command", async () => {
    const page = await readFile(whole.page, "utf8");
    for (const { trial, options } of whole.trials) {
      expect(page).toContain(`<th scope="row">${trial}</th>`);
      expect(page).toContain(`<td>${options["lrG"]}</td>`);
    }
    expect(page).toContain("data:image/webp;base64,");
    expect(page).toContain("duelo train gan-2d --data ring8");
    expect(page.match(/<svg/g)?.length).toBe(2); // the score against each option
    expect(page).not.toMatch(/(src|href)="https?:/);
  });
});

/** One number times noise; far too fast a rate brings it to infinity. */
const shaky = recipe({
  ...{ name: "shaky", about: "", paper: "", sources: [], differences: [] },
  data: { x: vector() },
  options: {
    batch: int({ default: 8, min: 1, max: 64, about: "", source: "" }),
    lr: number({ default: 1, min: 0, max: 1e30, about: "", source: "" }),
  },
  presets: { only: { about: "", steps: 12 } },
  nets: () => ({ G: nn.linear({ out: 2 }) }),
  optimizer: (c) => ({ G: sgd({ lr: c.lr }) }),
  noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
  phases: () => [
    { update: ["G"], loss: ({ G }, { x, z }) => ({ loss: mean(G(z).sub(x).square()) }) },
  ],
  sample: ({ G }, { z }) => G(z),
});

describe("trials that fail", () => {
  const ask = (rates: number[]) =>
    tune(request({ recipe: shaky, set: {}, over: { lr: rates }, tunes: join(root, "shaky") }));

  test("lose, and say why", async () => {
    const { trials, winner } = await ask([1e30, 1e-3]);
    const lost = trials[1]?.results[0];
    expect(trials.map(({ options }) => options["lr"])).toEqual([1e-3, 1e30]);
    expect(lost?.value).toBeUndefined();
    expect(lost?.failure).toMatch(/^Step \d: loss\/G became Infinity\./);
    expect(winner?.trial).toBe(trials[0]?.trial);
  });

  test("all of them, end the search", async () => {
    await expect(ask([1e29, 1e30])).rejects.toThrow(
      /^Every trial failed\. The first one: Step \d: /,
    );
  });
});

test.each([
  [{ trials: 0 }, "A search of 0 trials is none; it takes a whole number from 2 to 1000."],
  [{ over: {} }, "There is nothing to search over."],
  [{ over: { lr: { from: 0, to: 1 } } }, 'There is no option "lr". Did you mean "lrG"?'],
  [{ over: { zDim: [4, 8] } }, "Option zDim is both set and searched over."],
  [{ metric: "modez" }, 'There is no metric "modez". Did you mean "modes"?'],
  [{ metric: "memorisation" }, "Metric memorisation has no better end"],
  [
    {
      ...{ recipe: "vae", data: "emoji", limit: 24, channels: 1 as const, height: 8, set: {} },
      ...{ over: { lr: [1e-3, 1e-4] }, metric: "swd" },
    },
    "Metric sliced needs images of at least 16 pixels a side, and these have 8 x 8.",
  ],
  [
    {
      ...{
        recipe: "pix2pix",
        data: "emoji",
        limit: 24,
        derive: "grey" as const,
        height: 32,
        set: {},
      },
      over: { lr: [1e-3, 1e-4] },
    },
    "Recipe pix2pix makes no samples from noise alone, so a search has nothing to judge.",
  ],
  [{ metric: "class-frechet" }, "Metric class-frechet needs labels on both sides"],
] as const)("%j is refused in a sentence before anything is made", async (over, said) => {
  const tunes = join(root, "refused");
  await expect(tune(request({ ...over, tunes }))).rejects.toThrow(said);
  await expect(readdir(tunes)).rejects.toThrow("ENOENT");
});
