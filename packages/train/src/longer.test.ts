import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { adam, linearDecay, mean, nn } from "@duelo/core";
import { int, recipe, vector, type Recipe } from "@duelo/zoo";
import type { Budget } from "./counters.ts";
import { train } from "./loop.ts";
import { loadCheckpoint } from "./run/checkpoint.ts";
import type { TrainResult } from "./session.ts";

let root = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "duelo-longer-"));
});

/** Trains for a budget in the folder `runs`, up to `stopAt`, and keeps what was said. */
async function trained(o: {
  runs: string;
  budget: Budget;
  stopAt?: number;
  recipe?: Recipe;
}): Promise<TrainResult & { said: string[] }> {
  const said: string[] = [];
  const stop = new AbortController();
  const set = { batch: 32, ...(o.recipe === undefined ? { zDim: 8, width: 16 } : {}) };
  const request = {
    recipe: o.recipe ?? "gan-2d",
    data: "ring8",
    set,
    budget: o.budget,
    threads: 1,
  };
  const result = await train(
    { ...request, cacheDir: join(root, "cache"), runs: join(root, o.runs) },
    {
      note: (line) => said.push(line.replaceAll(`${root}/`, "")),
      progress: ({ step }) => step === o.stopAt && stop.abort(),
      signal: stop.signal,
    },
  );
  return { ...result, said };
}

/** All that decides how a run goes on. */
async function state({ dir }: TrainResult) {
  const saved = await loadCheckpoint({ dir });
  const meta: Readonly<Record<string, unknown>> = saved?.meta ?? {};
  return {
    tensors: saved?.tensors,
    step: meta["step"],
    nImages: meta["nImages"],
    cursors: meta["cursors"],
  };
}

const nRuns = async (runs: string): Promise<number> => (await readdir(join(root, runs))).length;

/** Moves G by a rate that a schedule gives. */
const scheduled = (lr: Parameters<typeof adam>[0]["lr"]): Recipe =>
  recipe({
    name: "scheduled",
    about: "",
    paper: "",
    sources: [],
    differences: [],
    data: { x: vector() },
    options: { batch: int({ default: 8, min: 1, max: 64, about: "", source: "" }) },
    presets: { only: { about: "", steps: 12 } },
    nets: () => ({ G: nn.linear({ out: 2 }) }),
    optimizer: () => ({ G: adam({ lr }) }),
    noise: (c) => ({ z: { kind: "normal", shape: [c.batch, 2] } }),
    phases: () => [
      { update: ["G"], loss: ({ G }, { x, z }) => ({ loss: mean(G(z).sub(x).square()) }) },
    ],
    sample: ({ G }, { z }) => G(z),
  });

describe("a longer budget", () => {
  test("goes on with the run of the shorter one, and ends as one that was longer from the start", async () => {
    const straight = await trained({ runs: "straight", budget: { steps: 37 } });
    const short = await trained({ runs: "longer", budget: { steps: 13 } });
    const longer = await trained({ runs: "longer", budget: { steps: 37 } });
    expect(longer.dir).toBe(short.dir);
    expect(longer.said).toEqual(["longer/0001-gan-2d-ring8 goes on from 13 steps to 37 steps."]);
    expect(await state(longer)).toEqual(await state(straight));
    const options = async (dir: string): Promise<unknown> =>
      JSON.parse(await readFile(`${dir}/options.json`, "utf8"));
    expect(await options(longer.dir)).toEqual(await options(straight.dir));
    const last = (o: TrainResult) => readFile(o.samples ?? "");
    expect(await last(longer)).toEqual(await last(straight));
    const again = await trained({ runs: "longer", budget: { steps: 37 } });
    expect({ dir: again.dir, said: again.said }).toEqual({ dir: short.dir, said: [] });
  });

  test("is taken by a run that was stopped, and in several goes", async () => {
    const straight = await trained({ runs: "images-straight", budget: { images: 700 } });
    await trained({ runs: "images", budget: { images: 300 }, stopAt: 4 });
    await trained({ runs: "images", budget: { images: 400 }, stopAt: 6 });
    await trained({ runs: "images", budget: { images: 700 }, stopAt: 20 });
    const end = await trained({ runs: "images", budget: { images: 700 } });
    expect(await nRuns("images")).toBe(1);
    expect(await state(end)).toEqual(await state(straight));
  });

  test("chooses the longest run that is shorter, and no run of another unit or other options", async () => {
    const runs = "choice";
    for (const steps of [9, 3, 6]) await trained({ runs, budget: { steps } });
    await trained({ runs, budget: { images: 32 } });
    expect(await nRuns(runs)).toBe(3); // a shorter budget begins a run of its own
    const { dir } = await trained({ runs, budget: { steps: 8 } });
    expect(dir).toContain("0002-"); // 3 steps went on to 6, and now to 8
    expect(await nRuns(runs)).toBe(3);
  });

  test("begins a new run where a schedule follows the share of the budget used", async () => {
    const decaying = scheduled(linearDecay({ from: 1e-2 }));
    const ask = (runs: string, steps: number) =>
      trained({ runs, budget: { steps }, recipe: decaying });
    await ask("decay", 6);
    const longer = await ask("decay", 12);
    expect(longer.said).toMatchInlineSnapshot(`
      [
        "decay/0001-scheduled-ring8 cannot go on from 6 steps to 12 steps, because its schedules follow the share of the budget used: a longer run differs from the first step on. A new run begins.",
      ]
    `);
    expect(longer.dir).toContain("0002-");
    expect(await state(longer)).toEqual(await state(await ask("decay-straight", 12)));
  });

  test("remembers over a stop that a schedule followed the budget", async () => {
    const once = scheduled((clock) => (clock.step === 1 ? clock.progress : 1e-2));
    const ask = (steps: number, stopAt?: number) =>
      trained({
        runs: "once",
        budget: { steps },
        recipe: once,
        ...(stopAt === undefined ? {} : { stopAt }),
      });
    await ask(6, 1);
    expect((await ask(8, 2)).dir).toContain("0001-"); // the first step had not looked
    await ask(8);
    expect((await ask(12)).dir).toContain("0002-");
  });
});
