import {
  adam,
  add,
  input,
  optimize,
  scheduled,
  sizeOf,
  sum,
  type Graph,
  type Tensor,
} from "@duelo/core";
import { openRuntime, type HostTensor } from "@duelo/runtime";
import { initialState } from "@duelo/train";
import { findRecipe, resolveOptions, traceStep, type Context } from "@duelo/zoo";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/*
 * What it costs that parameters and Adam's slots leave the graph at every step (docs/decisions/state.md):
 * CPU time (user and system, all threads), page faults and peak memory of Adam's update alone, once with
 * its results leaving the graph and once with their sums; and of DCGAN-64's whole step for comparison.
 * CPU time, because it can be read on a machine that does other things too.
 *
 *   node --import tsx --conditions=source bench/state.ts
 */

const kinds = ["inside", "leaving", "step"] as const;
type Kind = (typeof kinds)[number];
/** DCGAN-64's width, and the one that gives 30 million parameters. */
const widths = [64, 140] as const;

interface Row {
  readonly kind: Kind;
  readonly width: number;
  readonly malloc: string;
  readonly cpuMs: number;
  readonly systemMs: number;
  readonly nFaults: number;
  readonly peakMb: number;
}

const zeros = (shape: readonly number[], value = 0): HostTensor => ({
  dtype: "float32",
  shape,
  data: new Float32Array(sizeOf(shape)).fill(value),
});

interface Subject {
  readonly graph: Graph;
  readonly state: Record<string, string>;
  readonly initial: Record<string, HostTensor>;
  readonly feeds: Record<string, HostTensor>;
}

const contextOf = (width: number): Context => {
  const options = resolveOptions(findRecipe("dcgan").options, { batch: 64, width });
  return { ...options, shape: { x: [3, 64, 64] }, nClasses: 0 } as unknown as Context;
};

/** DCGAN's whole step: both phases, Adam, averages. */
function wholeStep(width: number): Subject {
  const [step] = traceStep(findRecipe("dcgan"), contextOf(width));
  if (step === undefined) throw new TypeError("dcgan has no step");
  const x = {
    dtype: "uint8",
    shape: [64, 3, 64, 64],
    data: new Uint8Array(64 * 3 * 64 * 64).fill(99),
  } as const;
  const feeds: Record<string, HostTensor> = { x };
  for (const [name, { shape }] of step.noise) feeds[name] = zeros(shape, 0.5);
  for (const [name, schedule] of step.scalars) {
    feeds[name] = zeros([], scheduled(schedule, { step: 0, nImages: 0, progress: 0 }));
  }
  const initial = initialState(step.stateSpecs, 1);
  return { graph: optimize(step.graph), state: step.state, initial, feeds };
}

/** Adam's update of DCGAN's parameters from gradients that are fed. */
function update(width: number, leaving: boolean): Subject {
  const [step] = traceStep(findRecipe("dcgan"), contextOf(width));
  const params = [...(step?.stateSpecs ?? [])].filter(([, spec]) => spec.kind === "param");
  const [lr, t] = [input("lr", { shape: [] }), input("t", { shape: [] })];
  const inputs: Tensor[] = [lr, t];
  const outputs: Record<string, Tensor> = {};
  const state: Record<string, string> = {};
  const initial: Record<string, HostTensor> = {};
  const feeds: Record<string, HostTensor> = { lr: zeros([], 2e-4), t: zeros([], 1) };
  const results: Tensor[] = [];
  for (const [name, { shape }] of params) {
    const kept = (entry: string): Tensor => {
      const leaf = input(entry, { shape });
      inputs.push(leaf);
      initial[entry] = zeros(shape, 0.1);
      return leaf;
    };
    const [param, exp_avg, exp_avg_sq] = [kept(name), kept(`m/${name}`), kept(`v/${name}`)];
    const gradient = input(`g/${name}`, { shape });
    inputs.push(gradient);
    feeds[`g/${name}`] = zeros(shape, 0.01);
    const slots = { exp_avg, exp_avg_sq };
    const next = adam({ lr: 0 }).update({ param, grad: gradient, slots, lr, t, scalars: {} });
    const after = {
      [name]: next.param,
      [`m/${name}`]: next.slots["exp_avg"],
      [`v/${name}`]: next.slots["exp_avg_sq"],
    };
    for (const [entry, value] of Object.entries(after)) {
      if (value === undefined) continue;
      results.push(value);
      if (!leaving) continue;
      outputs[`next:${entry}`] = value;
      state[entry] = `next:${entry}`;
    }
  }
  outputs["sum"] = leaving ? sum(lr) : results.map((r) => sum(r)).reduce((a, b) => add(a, b));
  return { graph: { inputs, outputs }, state, initial, feeds };
}

async function measure(kind: Kind, width: number): Promise<void> {
  const subject = kind === "step" ? wholeStep(width) : update(width, kind === "leaving");
  const runtime = await openRuntime({ threads: 2 });
  const program = await runtime.compile(subject.graph, { state: subject.state });
  const state = runtime.createState(subject.initial);
  const samples: { cpuMs: number; systemMs: number; nFaults: number }[] = [];
  const [nWarm, nRuns] = kind === "step" ? [1, 5] : [5, 25];
  for (let i = 0; i < nWarm + nRuns; i++) {
    const before = process.resourceUsage();
    await program.run(subject.feeds, state);
    const after = process.resourceUsage();
    if (i < nWarm) continue;
    const systemMs = (after.systemCPUTime - before.systemCPUTime) / 1000;
    const cpuMs = (after.userCPUTime - before.userCPUTime) / 1000 + systemMs;
    samples.push({ cpuMs, systemMs, nFaults: after.minorPageFault - before.minorPageFault });
  }
  const median = (key: "cpuMs" | "systemMs" | "nFaults"): number =>
    Math.round(samples.map((s) => s[key]).toSorted((a, b) => a - b)[nRuns >> 1] ?? NaN);
  const peakMb = Math.round(process.resourceUsage().maxRSS / 1000);
  const medians = {
    cpuMs: median("cpuMs"),
    systemMs: median("systemMs"),
    nFaults: median("nFaults"),
  };
  process.stdout.write(JSON.stringify({ ...medians, peakMb }));
}

/** glibc's own settings that make it keep memory instead of giving it back to the system. */
const keeping = {
  MALLOC_MMAP_THRESHOLD_: "4294967296",
  MALLOC_TRIM_THRESHOLD_: "8589934592",
  MALLOC_TOP_PAD_: "268435456",
};

function measureAll(): Row[] {
  const rows: Row[] = [];
  for (const width of widths) {
    for (const kind of kinds) {
      for (const [malloc, settings] of [
        ["as it is", {}],
        ["keeps memory", keeping],
      ] as const) {
        if (kind === "step" && malloc !== "as it is") continue;
        const args = [
          "--import",
          "tsx",
          "--conditions=source",
          fileURLToPath(import.meta.url),
          kind,
          String(width),
        ];
        const out = execFileSync(process.execPath, args, {
          env: { ...process.env, ...settings },
          encoding: "utf8",
          stdio: ["ignore", "pipe", "inherit"],
        });
        rows.push({
          kind,
          width,
          malloc,
          ...(JSON.parse(out) as Omit<Row, "kind" | "width" | "malloc">),
        });
      }
    }
  }
  return rows;
}

const [kind, width] = process.argv.slice(2);
const asked = kinds.find((k) => k === kind);
if (asked === undefined) console.log(JSON.stringify(measureAll(), undefined, 2));
else await measure(asked, Number(width));
