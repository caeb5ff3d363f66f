import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findRecipe, recipes } from "@duelo/zoo";
import { duelo } from "./command.ts";

const house = resolve(import.meta.dirname, "..");
const bin = join(house, "packages/cli/bin/duelo.js");
const home = mkdtempSync(join(tmpdir(), "cli-"));
const before = process.cwd();

beforeAll(() => {
  process.chdir(home);
  process.env["XDG_CACHE_HOME"] = join(home, "cache");
});
afterAll(() => {
  process.chdir(before);
  rmSync(home, { recursive: true });
});

async function ok(line: string): Promise<string> {
  const { code, out, err } = await duelo(...line.split(" "));
  expect({ line, code, err }).toMatchObject({ line, code: 0 });
  return out;
}

const jsonLines = (text: string): { event: string; [key: string]: unknown }[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string });

describe("commands", () => {
  const small = "--set width=8 --set batch=16";

  test("help lists every command, and each has an example", async () => {
    expect(await ok("--help")).toMatchInlineSnapshot(`
      "Usage: duelo [options] [command]

      Trains, judges and ships generative adversarial networks.

      Options:
        -V, --version                            output the version number
        -h, --help                               show help

      Commands:
        start [options]                          train dcgan on the faces of the emoji set, in a few minutes on two cores
        train [options] <recipe>                 train a recipe on your data; the same command resumes
        tune [options] <recipe>                  search for good options of a recipe; the same command goes on
        sample [options] <run>                   make samples with the generator of a run
        translate [options] <run> <input>        make pictures of one domain into those of another by a run, at the run's size
        colorize [options] <run> <input>         give grey pictures colours by a run, at their own size
        interpolate [options] <run>              go from sample to sample, as a film or as rows of pictures
        mix [options] <run>                      mix styles: a table of samples whose layers come from others
        truncate [options] <run>                 draw samples at several truncations, side by side
        project [options] <run> <input>          find pictures in W: the latent, what it gives, and a film of the way
        edit [options] <run>                     change samples or projected pictures along a direction, and draw a table of it
        restore [options] <run> <input>          put pictures right that are grey, small or lack a part, by what a run can make
        upscale [options] <run> <input>          make pictures four times as large by a run of srgan or esrgan
        export [options] <run>                   write the generator or a function of a run as one ONNX file
        import [options] <recipe> <net=file...>  begin a run with weights that another code trained
        eval [options] [samples]                 judge a run, or any folder of samples, against data
        compare [options] <runs...>              draw runs side by side on one page
        list                                     list recipes and data sets
        show [options] <recipe>                  show a recipe: paper, sources, options, presets; or a phase's graph
        data                                     look at data before training
        doctor [options] [run]                   say how a run is doing and why; without a run, what this machine offers
        bench [options] [recipe]                 measure how fast this machine trains a recipe

      Begin with:
        duelo start
      "
    `);
    for (const name of "start train tune sample interpolate mix truncate project edit restore export eval compare list show doctor bench".split(
      " ",
    )) {
      expect(await ok(`${name} --help`)).toMatch(/\nExamples?:\n {2}duelo /);
    }
    expect(await ok("data check --help")).toMatch(/\nExample:\n {2}duelo data check /);
  });

  test("list and show", async () => {
    const out = await ok("list");
    for (const name of ["dcgan-2015", "wgan-gp", "emoji", "ring8"]) expect(out).toContain(name);
    const shown = await ok("show gan-2d");
    const { about, paper, sources, options, presets } = findRecipe("gan-2d");
    for (const text of [about, paper, ...sources]) expect(shown).toContain(text);
    for (const [name, spec] of Object.entries(options)) {
      expect(shown).toMatch(new RegExp(`^  ${name} +${String(spec.default)} `, "m"));
    }
    for (const name of Object.keys(presets)) expect(shown).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(shown).toContain("duelo train gan-2d --data ring8");
    const graph = await ok("show gan-2d --phase G");
    expect(graph).toMatch(/^graph\(\n {2}x : f32\[512,2\]/);
    expect(graph).toContain("next:G.0.weight=");
    expect(await ok("show dcgan --phase D --size 48x32")).toContain("x : u8[64,3,48,32]");
  });

  test("show says of every recipe how to try it", async () => {
    const tries = {
      cyclegan: "--data emoji-google --to",
      "discogan-2d": "--data ring5 --to ring10",
    };
    for (const { name } of recipes) {
      const shown = await ok(`show ${name}`);
      expect(shown).toContain(
        `duelo train ${name} ${Object.entries(tries).find(([n]) => n === name)?.[1] ?? "--data"}`,
      );
    }
  });

  test("a plan trains nothing", async () => {
    const out = await ok(`train gan-2d --data ring8 ${small} --steps 10 --dry-run --runs planned`);
    const graph = /^graph D\+G +\d+ nodes, about \d+ kB while it runs$/m; // changes with the passes
    expect(out).toMatch(graph);
    expect(out.replace(graph, "graph")).toMatchInlineSnapshot(`
      "recipe     gan-2d, preset small
      data       ring8: 100,000 records of [2]
      budget     10 steps
        batch    16
        zDim     256
        width    8
        lrG      0.001
        lrD      0.0001
        beta1    0.5
      net D      105 parameters
      net G      2,146 parameters
      graph
      state      27 kB of parameters, optimiser slots and averages
      "
    `);
    expect(readdirSync(".")).not.toContain("planned");
    expect(JSON.parse(await ok("train gan-2d --data ring8 --dry-run --json"))).toMatchObject({
      recipe: "gan-2d",
      data: { nRecords: 100_000, shape: [2] },
    });
  });

  test("train, again, anew", async () => {
    const line = `train gan-2d --data ring8 ${small} --steps 5 --runs trained --json`;
    const events = jsonLines(await ok(line));
    expect(events.map((e) => e.event).join(" ")).toMatch(/^begun( progress)+ end$/);
    expect(events.at(-1)).toMatchObject({ step: 5, nImages: 80, finished: true });
    expect(jsonLines(await ok(line))[0]).toMatchObject({ event: "begun", resumedAt: 5 });
    await ok(`${line} --new`);
    expect(readdirSync("trained")).toEqual(["0001-gan-2d-ring8", "0002-gan-2d-ring8"]);
    const [a, b] = readdirSync("trained").map((run) => readFileSync(`trained/${run}/G.onnx`));
    expect(a?.equals(b ?? Buffer.of())).toBe(true);
  });

  test("points: sample and export", async () => {
    expect(await ok("sample 1 --runs trained --out points -n 3")).toBe("points\n");
    const csv = readFileSync("points/points.csv", "utf8");
    expect(csv).toMatch(/^x0,x1\n(-?[\d.e-]+,-?[\d.e-]+\n){3}$/);
    await ok("sample 1 --runs trained --out again -n 3");
    expect(readFileSync("again/points.csv", "utf8")).toBe(csv);
    await ok("sample 1 --runs trained --out other -n 3 --seed 1");
    expect(readFileSync("other/points.csv", "utf8")).not.toBe(csv);
    await ok("export latest --runs trained --out made.onnx");
    expect(readFileSync("made.onnx")).toEqual(readFileSync("trained/0002-gan-2d-ring8/G.onnx"));
  });

  test("images: train, sample one class, as a grid and as files", async () => {
    await ok(`train cgan --data emoji --limit 64 --size 8 --steps 2 --set batch=4`);
    expect(await ok("sample latest -n 6 --label flags --grid flags.png")).toBe("flags.png\n");
    const grid = await sharp("flags.png").metadata();
    expect(grid).toMatchObject({ width: 3 * 64 + 2 * 2, height: 2 * 64 + 2 });
    await ok("sample latest -n 6 --out images");
    expect(readdirSync("images")).toEqual([0, 1, 2, 3, 4, 5].map((i) => `000${i}.png`));
    expect(await sharp("images/0000.png").metadata()).toMatchObject({ width: 8, height: 8 });
  }, 120_000);

  test("compare", async () => {
    expect(await ok("compare 1 2 --runs trained --out two.html")).toBe("two.html\n");
    expect(readFileSync("two.html", "utf8")).toContain("0002-gan-2d-ring8");
    expect(JSON.parse(await ok("compare 1 2 --runs trained --json"))).toMatchObject({
      runs: [{ name: "0001-gan-2d-ring8", step: 5 }, { name: "0002-gan-2d-ring8" }],
      differences: [],
    });
  });

  test("data check", async () => {
    expect(await ok("data check emoji --select group=flags --sheet sheet.png"))
      .toMatchInlineSnapshot(`
      "set         emoji (emoji)
      records     256
      formats     webp 256
      channels    RGB and alpha 256
      captions    256
      classes     1
      duplicates  none
      unreadable  none

      Sizes (height x width)
        256x256: 256

      Classes
        flags: 256
      sheet  sheet.png
      "
    `);
    expect(await sharp("sheet.png").metadata()).toMatchObject({ width: 10 * 66 - 2 });
    expect(JSON.parse(await ok("data check ring8 --json"))).toMatchObject({ nRecords: 100_000 });
  }, 120_000);

  test("doctor and bench", async () => {
    const found = JSON.parse(await ok("doctor --json")) as Record<string, unknown>;
    expect(found).toMatchObject({ versions: { duelo: "0.1.0", node: process.versions.node } });
    expect(found["convGflops"]).toBeGreaterThan(0);
    expect(found["devices"]).toContainEqual({ device: "cpu", available: true });
    expect(await ok("doctor")).toContain("GFLOP/s");
    expect(JSON.parse(await ok(`bench gan-2d --steps 3 ${small} --json`))).toMatchObject({
      recipe: "gan-2d",
      batch: 16,
      shape: [2],
      nSteps: 3,
    });
  }, 120_000);
});

/** The built command in a process of its own. */
function start(...args: string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [bin, ...args], { cwd: home });
}

/** Starts training, sends a signal at the first step, and waits for the end. */
async function stopped(signal: NodeJS.Signals) {
  const child = start(
    ..."train gan-2d --data ring8 --steps 1000000 --json --runs stopped".split(" "),
  );
  let out = "";
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    if (out.includes('"progress"') && !child.killed) child.kill(signal);
  });
  const code = await new Promise<number | null>((done) => child.on("close", done));
  return { code, events: jsonLines(out) };
}

describe("the built package, as a process", () => {
  test("help loads nothing heavy", () => {
    const coverage = join(home, "loaded");
    mkdirSync(coverage);
    const env = { ...process.env, NODE_V8_COVERAGE: coverage };
    const { status, stdout } = spawnSync(process.execPath, [bin, "--help"], {
      env,
      encoding: "utf8",
    });
    expect(status).toBe(0);
    expect(stdout).toContain("Usage: duelo");
    const loaded = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), "utf8"));
    expect(loaded.join("")).toContain("packages/cli/dist/program.js");
    expect(loaded.join("")).not.toMatch(/onnxruntime|\/sharp\/|packages\/(core|train|zoo)\//);
  });

  test("a mistake ends with 2 and one sentence; DUELO_DEBUG=1 adds where", () => {
    const args = [bin, "show", "dcgn"];
    const plain = spawnSync(process.execPath, args, { encoding: "utf8" });
    expect(plain).toMatchObject({ status: 2, stdout: "" });
    expect(plain.stderr).toMatch(/^There is no recipe "dcgn"\. Did you mean "dcgan"\?[^\n]*\n$/);
    const env = { ...process.env, DUELO_DEBUG: "1" };
    expect(spawnSync(process.execPath, args, { env, encoding: "utf8" }).stderr).toMatch(/\n +at /);
  });

  test("a reader that has seen enough is no error", () => {
    const { stderr } = spawnSync(
      "bash",
      ["-c", `"$0" "$1" show dcgan --phase D | head -n 1`, process.execPath, bin],
      {
        encoding: "utf8",
      },
    );
    expect(stderr).toBe("");
  });

  test("Ctrl-C and SIGTERM save and leave, and the same command goes on", async () => {
    const first = await stopped("SIGINT");
    expect(first.code).toBe(130);
    const end = first.events.at(-1);
    expect(end).toMatchObject({ event: "end", finished: false });
    const second = await stopped("SIGTERM");
    expect(second.code).toBe(143);
    expect(second.events.find((e) => e.event === "begun")).toMatchObject({
      resumedAt: end?.["step"],
    });
    expect(Number(second.events.at(-1)?.["step"])).toBeGreaterThan(Number(end?.["step"]));
  }, 120_000);
});
