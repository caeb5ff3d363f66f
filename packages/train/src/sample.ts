import { UserError, suggestion } from "@duelo/core";
import { openRuntime, type HostTensor, type Program } from "@duelo/runtime";
import type { Recipe } from "@duelo/zoo";
import { readGenerator, type GeneratorInput } from "./export.ts";
import type { Feeds } from "./feeder.ts";
import { fillInts, fillNormal, fillUniform, streamOf } from "./random.ts";

export interface SampleRequest {
  /** Folder of run folders. */
  readonly runs: string;
  /** Number, name, `latest`, or the path of a run folder. */
  readonly run: string;
  /** How many samples, 1 to 1,000,000. */
  readonly n: number;
  /** 0 unless said otherwise. Sample i depends on the seed and i alone. */
  readonly seed?: number;
  /** One class for all, by name or number; every class in turn unless said otherwise. */
  readonly label?: string;
  /** Normal noise is drawn again until it lies within -t to t; smaller is safer and more alike. */
  readonly truncation?: number;
  /** The recipe, when it is not one of the zoo. */
  readonly recipe?: Recipe;
}

export interface Samples {
  readonly pixels: Float32Array;
  /** [n, ...] */
  readonly shape: readonly number[];
  /** Range of pixel values; left out when these are no images. */
  readonly range?: readonly [number, number];
  /** Class number of each sample, where there are classes. */
  readonly labels?: Int32Array;
  readonly classes: readonly string[];
  /** Folder of the run. */
  readonly dir: string;
}

const nAtOnce = 64;

/** Makes samples with the averaged generator of a run. Throws UserError. */
export async function sampleRun(request: SampleRequest): Promise<Samples> {
  const { bytes, info } = await readGenerator(request);
  const runtime = await openRuntime();
  const program = await runtime.load(bytes);
  try {
    const { metadata } = program;
    const inputs = JSON.parse(metadata["duelo.inputs"] ?? "[]") as GeneratorInput[];
    const classes = JSON.parse(metadata["duelo.classes"] ?? "[]") as string[];
    const range = metadata["duelo.range"];
    const drawn = drawAll(request, inputs, classes);
    const made = await runAll(program, drawn, request.n);
    const labelInput = inputs.find((i) => i.kind === "label")?.name;
    const labels = labelInput === undefined ? undefined : drawn[labelInput]?.data;
    return {
      ...made,
      ...(range === undefined ? {} : { range: JSON.parse(range) as [number, number] }),
      ...(labels instanceof Int32Array ? { labels } : {}),
      classes,
      dir: info.dir,
    };
  } finally {
    await program.close();
    await runtime.close();
  }
}

function drawAll(
  request: SampleRequest,
  inputs: readonly GeneratorInput[],
  classes: readonly string[],
): Feeds {
  const { n, seed = 0, truncation, label } = request;
  if (truncation !== undefined && !inputs.some((i) => i.kind === "normal")) {
    throw new UserError("Truncation needs a generator with normal noise; this one has none.");
  }
  if (truncation !== undefined && !(truncation >= 0.05)) {
    throw new UserError(`Truncation is ${truncation}; it takes a number from 0.05 up.`);
  }
  if (label !== undefined && !inputs.some((i) => i.kind === "label")) {
    throw new UserError("This generator knows no classes, so --label has nothing to choose.");
  }
  const feeds: Feeds = {};
  for (const input of inputs) {
    feeds[input.name] =
      input.kind === "label"
        ? { dtype: "int32", shape: [n], data: labelsFor(n, label, classes) }
        : drawOne(input, n, seed, truncation);
  }
  return feeds;
}

function labelsFor(n: number, label: string | undefined, classes: readonly string[]): Int32Array {
  if (label === undefined) return Int32Array.from({ length: n }, (_, i) => i % classes.length);
  const index = classes.includes(label) ? classes.indexOf(label) : Number(label);
  if (!Number.isInteger(index) || index < 0 || index >= classes.length) {
    const near = suggestion(label, classes);
    throw new UserError(`There is no class "${label}".${near} Classes: ${classes.join(", ")}.`);
  }
  return new Int32Array(n).fill(index);
}

/** Noise whose sample i is its own stream, so that it does not depend on n. */
function drawOne(
  input: GeneratorInput,
  n: number,
  seed: number,
  truncation: number | undefined,
): HostTensor {
  const size = input.shape.reduce((a, b) => a * b, 1);
  const stream = streamOf(`sample ${input.name}`);
  const shape = [n, ...input.shape];
  if (input.kind === "ints") {
    const data = new Int32Array(n * size);
    for (let i = 0; i < n; i++) {
      fillInts(data.subarray(i * size, (i + 1) * size), input.high ?? 1, {
        seed,
        stream,
        counter: i,
      });
    }
    return { dtype: "int32", shape, data };
  }
  const data = new Float32Array(n * size);
  for (let i = 0; i < n; i++) {
    const part = data.subarray(i * size, (i + 1) * size);
    if (input.kind === "normal") fillNormal(part, { seed, stream, counter: i });
    else fillUniform(part, { seed, stream, counter: i });
    if (truncation !== undefined && input.kind === "normal")
      redraw(part, truncation, seed, stream, i);
  }
  const { low = 0, high = 1 } = input;
  const drawn = input.kind === "uniform" ? data.map((u) => low + (high - low) * u) : data;
  return { dtype: "float32", shape, data: drawn };
}

/** Draws what lies outside -t to t again until nothing does (Brock et al. 2018, Section 3.1). */
function redraw(part: Float32Array, t: number, seed: number, stream: number, sample: number): void {
  const again = new Float32Array(part.length);
  for (let round = 1; part.some((v) => Math.abs(v) > t); round++) {
    fillNormal(again, { seed, stream, counter: sample + round * 2 ** 24 });
    part.forEach((v, k) => (part[k] = Math.abs(v) > t ? (again[k] ?? 0) : v));
  }
}

async function runAll(
  program: Program,
  feeds: Feeds,
  n: number,
): Promise<{ pixels: Float32Array; shape: number[] }> {
  let pixels: Float32Array | undefined;
  let shape: number[] = [];
  for (let from = 0; from < n; from += nAtOnce) {
    const count = Math.min(nAtOnce, n - from);
    const part = Object.fromEntries(
      Object.entries(feeds).map(([k, v]) => [k, rows(v, from, count)]),
    );
    const { samples } = await program.run(part);
    if (!(samples?.data instanceof Float32Array))
      throw new TypeError("the generator has no samples");
    shape = [n, ...samples.shape.slice(1)];
    pixels ??= new Float32Array(shape.reduce((a, b) => a * b, 1));
    pixels.set(samples.data, from * (samples.data.length / count));
  }
  if (pixels === undefined) throw new UserError(`${n} samples are none; ask for at least 1.`);
  return { pixels, shape };
}

function rows(t: HostTensor, from: number, count: number): HostTensor {
  const size = t.data.length / (t.shape[0] ?? 1);
  const shape = [count, ...t.shape.slice(1)];
  const [start, end] = [from * size, (from + count) * size];
  if (t.dtype === "float32")
    return { dtype: t.dtype, shape, data: (t.data as Float32Array).subarray(start, end) };
  return { dtype: "int32", shape, data: (t.data as Int32Array).subarray(start, end) };
}
